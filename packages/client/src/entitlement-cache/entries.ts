import type { Clock, Moment } from '../clock.ts'
import { type Answer, isOver } from './verdict.ts'

/** What is known about a tenant, or about one of its projects. */
export interface Entry {
  readonly tenantId: string
  readonly projectId: string | undefined
  /** Whether it is kept up to date although nobody asks. */
  readonly isPinned: boolean
  /** What the registry answered; undefined when it was not asked yet. */
  answer: Answer | undefined
  /** What it foretold: each of these begins to hold when the one before is over. */
  later: readonly Answer[]
  etag: string | undefined
  askedAt: Moment
  /** Whether the answer is what the caller began with. */
  isBootstrap: boolean
  /** Whether anybody has asked about this since the registry was asked. */
  isUsed: boolean
  /** How many changes were heard of, and how many of them before the registry was asked. */
  changes: number
  changesSeen: number
  /** When the first change was heard of that the answer may lack. */
  changedAt: Moment | undefined
  /** What listeners know. */
  told: Answer | undefined
  /** The question that is under way. */
  loading: Promise<boolean> | undefined
  /** How often in a row it could not be asked about, and until when it is not tried again. */
  failures: number
  restsUntil: number
}

/** What holds now, if it is known: the answer, or what was foretold for when it is over. */
export function answerNow({ answer, later, askedAt }: Entry, clock: Clock): Answer | undefined {
  const now = clock.after(askedAt)
  return [answer, ...later].find((each) => each !== undefined && !isOver(each, now))
}

/** Whether something was changed since the registry was asked. */
export function isSuspect({ changes, changesSeen }: Entry): boolean {
  return changes !== changesSeen
}

/** The entries: some stay, of the others the ones that were used last. */
export class Entries {
  readonly pinned: readonly Entry[]
  readonly #pinnedByKey: ReadonlyMap<string, Entry>
  /** The one that was used last is at the end. */
  readonly #byKey = new Map<string, Entry>()
  readonly #max: number
  readonly #clock: Clock

  constructor(pinnedIds: readonly string[], max: number, clock: Clock) {
    this.#max = max
    this.#clock = clock
    this.#pinnedByKey = new Map(pinnedIds.map((id) => [keyOf(id, undefined), this.#entry(id, undefined, true)]))
    this.pinned = [...this.#pinnedByKey.values()]
  }

  /** The entry, made if need be. */
  use(tenantId: string, projectId: string | undefined): Entry {
    const key = keyOf(tenantId, projectId)
    const pinned = this.#pinnedByKey.get(key)
    if (pinned) return pinned
    const entry = this.#byKey.get(key) ?? this.#entry(tenantId, projectId, false)
    this.#byKey.delete(key)
    this.#byKey.set(key, entry)
    const [oldest] = this.#byKey.keys()
    if (this.#byKey.size > this.#max && oldest !== undefined) this.#byKey.delete(oldest)
    return entry
  }

  *[Symbol.iterator](): Generator<Entry, void, undefined> {
    yield* this.pinned
    yield* this.#byKey.values()
  }

  #entry(tenantId: string, projectId: string | undefined, isPinned: boolean): Entry {
    return {
      // The feed of changes spells ids in lower case.
      tenantId: tenantId.toLowerCase(),
      projectId: projectId?.toLowerCase(),
      isPinned,
      answer: undefined,
      later: [],
      etag: undefined,
      askedAt: this.#clock.mark(),
      isBootstrap: false,
      isUsed: false,
      changes: 0,
      changesSeen: 0,
      changedAt: undefined,
      told: undefined,
      loading: undefined,
      failures: 0,
      restsUntil: 0,
    }
  }
}

function keyOf(tenantId: string, projectId: string | undefined): string {
  return JSON.stringify([tenantId, projectId]).toLowerCase()
}
