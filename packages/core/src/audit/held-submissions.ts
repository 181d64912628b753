import { setTimeout as sleep } from 'node:timers/promises'
import { asBusy } from '../db/unavailable.ts'
import { type BatchBounds, fitting, hasAny, rowsOf, type Waiting, without } from './waiting.ts'

/** How long, and how many, may wait for logs that others hold. */
const heldBounds = {
  /** Milliseconds from one look to the next. */
  everyMs: 100,
  /** Milliseconds after which a submission is refused: as long as every transaction waits for a lock. */
  msMax: 5_000,
  /** Rows that may wait, and bytes of their texts; whatever comes for a held log beyond that is refused. */
  rows: 5_000,
  bytes: 16 * 1_024 * 1_024,
} as const

/** What this asks of who writes. */
interface Writer {
  /** Which of the logs of these are held by others, by their names. */
  heldAmong(waiting: readonly Waiting[]): Promise<ReadonlySet<string>>
  /** Writes a batch and answers it, but for what waits again for others. */
  write(batch: readonly Waiting[]): Promise<readonly Waiting[]>
  readonly bounds: BatchBounds
}

/**
 * Submissions for logs that others hold. Nothing waits in PostgreSQL for them, where it would hold other logs meanwhile:
 * they are looked at until they are free, and written then.
 */
export class HeldSubmissions {
  readonly #writer: Writer
  /** In the order in which they came, and when they are refused. */
  readonly #until = new Map<Waiting, number>()
  #rows = 0
  #bytes = 0
  #logs: ReadonlySet<string> = new Set()
  #looking: Promise<void> | undefined

  constructor(writer: Writer) {
    this.#writer = writer
  }

  /** How many events wait. */
  get rows(): number {
    return this.#rows
  }

  /** Whether others hold one of these logs, as far as was seen last. */
  holds(logs: readonly string[]): boolean {
    return hasAny(this.#logs, logs)
  }

  /** Remembers logs that others hold, until the next look. */
  see(logs: ReadonlySet<string>): void {
    this.#logs = new Set([...this.#logs, ...logs])
  }

  add(waiting: readonly Waiting[]): void {
    for (const each of waiting) {
      const rows = each.submission.events.length
      const isFull = this.#rows + rows > heldBounds.rows || this.#bytes + each.bytes > heldBounds.bytes
      if (this.#until.size > 0 && isFull) {
        each.reject(asBusy())
        continue
      }
      this.#until.set(each, performance.now() + heldBounds.msMax)
      this.#rows += rows
      this.#bytes += each.bytes
    }
    if (this.#until.size > 0) this.#looking ??= this.#look()
  }

  /** Resolves when none waits any more. */
  async settled(): Promise<void> {
    await this.#looking
  }

  async #look(): Promise<void> {
    while (this.#until.size > 0) {
      await sleep(heldBounds.everyMs)
      const all = [...this.#until.keys()]
      const seen = await this.#writer.heldAmong(all).catch((error: unknown) => ({ error }))
      const isHeld = 'error' in seen ? () => true : ({ logs }: Waiting) => hasAny(seen, logs)
      if (!('error' in seen)) this.#logs = seen
      const held = all.filter(isHeld)
      const batch = fitting(without(all, held), this.#writer.bounds)
      const again = batch.length > 0 ? await this.#writer.write(batch) : []
      this.#forget(without(batch, again))
      const late = [...held, ...again].filter((each) => (this.#until.get(each) ?? 0) <= performance.now())
      for (const each of late) each.reject('error' in seen ? seen.error : asBusy())
      this.#forget(late)
    }
    this.#logs = new Set()
    this.#looking = undefined
  }

  #forget(waiting: readonly Waiting[]): void {
    for (const each of waiting) {
      this.#until.delete(each)
      this.#bytes -= each.bytes
    }
    this.#rows -= rowsOf(waiting)
  }
}
