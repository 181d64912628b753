import { logOf, type Numbered, type Receipt, type Submission } from './submission.ts'

/** A submission that waits to be written. */
export interface Waiting {
  readonly submission: Numbered
  /** Whose logs it is written into, as far as it says so itself. */
  readonly logs: readonly string[]
  readonly since: number
  readonly bytes: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: unknown) => void
}

/** The logs of a submission, each once. */
export const logsOf = (submission: Submission): string[] => [
  ...new Set(submission.events.map((event) => logOf(submission, event))),
]

export const rowsOf = (waiting: readonly Waiting[]): number =>
  waiting.reduce((sum, { submission }) => sum + submission.events.length, 0)

export function without(all: readonly Waiting[], some: readonly Waiting[]): Waiting[] {
  const left = new Set(all)
  for (const each of some) left.delete(each)
  return [...left]
}

/** How much goes into one batch, where it is not of one submission. */
export interface BatchBounds {
  readonly batchRows: number
  readonly batchBytes: number
}

/**
 * The longest waiting ones that fit together. Two with one key do not: the second has to find the first. Nor does what
 * shares a log with one that does not fit, and came behind it.
 */
export function fitting(waiting: readonly Waiting[], { batchRows, batchBytes }: BatchBounds): Waiting[] {
  const batch: Waiting[] = []
  const keys = new Set<string>()
  const passed = new Set<string>()
  let rows = 0
  let bytes = 0
  let isFull = false
  for (const each of waiting) {
    const { submission, logs } = each
    const key = submission.claim?.digest.toString('hex')
    const fits =
      batch.length === 0 ||
      (!isFull &&
        submission.uniqueBy === undefined &&
        (key === undefined || !keys.has(key)) &&
        !hasAny(passed, logs) &&
        rows + submission.events.length <= batchRows &&
        bytes + each.bytes <= batchBytes)
    if (!fits) {
      for (const log of logs) passed.add(log)
      continue
    }
    batch.push(each)
    if (key !== undefined) keys.add(key)
    rows += submission.events.length
    bytes += each.bytes
    isFull ||= submission.uniqueBy !== undefined
  }
  return batch
}

/**
 * Those of which no log is taken, and which are behind nothing else that waits for one of theirs: so each log has
 * its events in the order in which they came, and who writes into many is not passed over for ever.
 */
export function apartFrom(waiting: readonly Waiting[], isTaken: (log: string) => boolean): Waiting[] {
  const passed = new Set<string>()
  return waiting.filter(({ logs }) => {
    const isApart = !logs.some((log) => isTaken(log) || passed.has(log))
    if (!isApart) for (const log of logs) passed.add(log)
    return isApart
  })
}

export const hasAny = (set: ReadonlySet<string>, texts: readonly string[]): boolean =>
  texts.some((text) => set.has(text))
