import { DatabaseError } from 'pg'
import { directPool, waitingAtMost } from '../db/database.ts'
import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { deleteOldClaims } from './dedup.repository.ts'
import { bytesOf } from './published-event.ts'
import { heldAmong, recordSubmissions } from './record-submissions.ts'
import { type Numbered, numbered, type Receipt, type Submission } from './submission.ts'

/** How events are put together to batches, and how many may wait. */
export const ingestBounds = {
  /** Milliseconds that an event waits for others. */
  waitMs: 5,
  /** So many are not made to wait. */
  rowsEnough: 50,
  /**
   * Milliseconds that an event waits for a batch that writes into its log, unless as many wait as that has: two that share
   * logs wait for one another, and a small one holds up as much as a large one.
   */
  gatherMs: 25,
  /** Rows of one batch at most, where they are not of one submission. */
  batchRows: 1_000,
  /** Bytes of the texts of one batch, in the same way. */
  batchBytes: 4 * 1_024 * 1_024,
  /** Batches that are written at the same time, as far as that leaves half of the connections to others. */
  width: 2,
  /**
   * Milliseconds that a batch waits for a lock, and then each of its parts: what others hold for longer is waited for
   * apart, so that nobody else has to.
   */
  lockMs: 250,
  /** Rows that may wait, and bytes of their texts. */
  waitingRows: 20_000,
  waitingBytes: 64 * 1_024 * 1_024,
} as const

interface Waiting {
  readonly submission: Numbered
  /** Whose logs it is written into, as far as it says so itself. */
  readonly logs: readonly string[]
  readonly since: number
  readonly bytes: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: unknown) => void
}

/**
 * Records what products publish. What comes within milliseconds is written as one batch, in one transaction: a commit
 * costs as much as many rows do. A submission is answered when its batch is committed, and not before. Batches that are
 * written at the same time have different logs, as far as there are any: whoever writes into a log holds it.
 */
export class Ingest {
  readonly #db: Db
  /** The same, where nothing is waited for long. */
  readonly #briefly: Db
  readonly #catalogue: Catalogue
  readonly #width: number
  #queue: Waiting[] = []
  #rows = 0
  #bytes = 0
  #active = 0
  /** Rows of the batches that are being written, and in how many of them a log is. */
  #writing = 0
  readonly #writingLogs = new Counts()
  /** What others hold the logs of, by log; and whether it is being waited for. */
  #held: Waiting[] = []
  #heldRows = 0
  #heldBytes = 0
  readonly #heldLogs = new Counts()
  #isHolding = false
  /** Whether that has a connection of its own. */
  readonly #waitsApart: boolean
  /** When the next batch may be due, on the clock of `performance`. */
  #wakesAt = Infinity
  #timer: NodeJS.Timeout | undefined
  #isClosing = false
  readonly #whenIdle: (() => void)[] = []

  constructor(db: Db, catalogue: Catalogue) {
    this.#db = db
    this.#briefly = waitingAtMost(db, ingestBounds.lockMs)
    this.#catalogue = catalogue
    const connections = directPool(db)?.size ?? 1
    this.#width = Math.max(1, Math.min(ingestBounds.width, Math.floor(connections / 2)))
    this.#waitsApart = this.#width + 1 < connections
  }

  /** How many events wait to be written. */
  get waiting(): number {
    return this.#rows + this.#heldRows
  }

  /**
   * Records events: all of them, or none.
   * @throws {RegistryError} `idempotency.key_reused`; `audit_event.external_id_reused`; `audit_event.queue_full` when too
   *   many wait; `service.not_ready` when the service stops. Whatever else is thrown may leave open whether they were
   *   recorded: with an `idempotencyKey` it is safe to ask again
   */
  async submit(submission: Submission): Promise<Receipt> {
    if (this.#isClosing) throw new RegistryError('service.not_ready', { retryAfterSeconds: 1 })
    const rows = submission.events.length
    let bytes = 0
    for (const event of submission.events) bytes += bytesOf(event)
    if (
      this.waiting > 0 &&
      (this.waiting + rows > ingestBounds.waitingRows ||
        this.#bytes + this.#heldBytes + bytes > ingestBounds.waitingBytes)
    ) {
      throw new RegistryError('audit_event.queue_full', { retryAfterSeconds: 1 })
    }
    this.#rows += rows
    this.#bytes += bytes
    return await new Promise<Receipt>((resolve, reject) => {
      const logs = logsOf(submission)
      this.#queue.push({ submission: numbered(submission), logs, since: performance.now(), bytes, resolve, reject })
      this.#next()
    })
  }

  /** Writes what waits, and takes nothing any more. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#next()
    if (this.#active > 0 || this.#isHolding) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** Begins the batches that are due. */
  #next(): void {
    while (this.#active < this.#width) {
      const due = this.#due()
      if (typeof due === 'number') {
        this.#wake(due)
        return
      }
      void this.#write(this.#take(due))
    }
  }

  /** Of what a batch is to be made now; or when there may be one. */
  #due(): readonly Waiting[] | number {
    const [first] = this.#queue
    if (!first) return Infinity
    if (this.#isClosing) return this.#queue
    const { rowsEnough, waitMs, gatherMs } = ingestBounds
    if (this.#active === 0) return ripe(this.#queue, rowsEnough, waitMs)
    const free = this.#free()
    if (free.length > 0) return ripe(free, rowsEnough, waitMs)
    return ripe(this.#queue, Math.max(rowsEnough, this.#writing), gatherMs)
  }

  /**
   * What waits for logs that nobody writes into, and behind nothing else that waits for one of them: so each log has
   * its events in the order in which they came, and who writes into many is not passed over for ever.
   */
  #free(): Waiting[] {
    const passed = new Set<string>()
    return this.#queue.filter(({ logs }) => {
      const isFree = !this.#writingLogs.hasAny(logs) && !logs.some((log) => passed.has(log))
      if (!isFree) for (const log of logs) passed.add(log)
      return isFree
    })
  }

  #wake(at: number): void {
    if (at >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(
      () => {
        this.#wakesAt = Infinity
        this.#next()
      },
      Math.ceil(at - performance.now()),
    )
  }

  #take(of: readonly Waiting[]): Waiting[] {
    const batch = fitting(of)
    this.#queue = without(this.#queue, batch)
    for (const { submission, bytes } of batch) {
      this.#rows -= submission.events.length
      this.#bytes -= bytes
    }
    return batch
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const rows = rowsOf(batch)
    this.#active += 1
    this.#writing += rows
    for (const { logs } of batch) this.#writingLogs.add(logs)
    try {
      // What comes for a log that others hold waits behind what is there.
      const held = batch.filter(({ logs }) => this.#heldLogs.hasAny(logs))
      this.#wait(held)
      const free = without(batch, held)
      if (free.length > 0) await this.#record(free, this.#waitsApart ? 'briefly' : 'long')
    } finally {
      this.#active -= 1
      this.#writing -= rows
      for (const { logs } of batch) this.#writingLogs.remove(logs)
      this.#next()
      this.#tellIdle()
    }
  }

  #tellIdle(): void {
    if (this.#active === 0 && !this.#isHolding) for (const tell of this.#whenIdle.splice(0)) tell()
  }

  /** Takes what others hold the logs of, to be written apart: all of it at once, as long as that takes. */
  #wait(held: readonly Waiting[]): void {
    this.#held.push(...held)
    for (const { submission, bytes, logs } of held) {
      this.#heldRows += submission.events.length
      this.#heldBytes += bytes
      this.#heldLogs.add(logs)
    }
    if (!this.#isHolding && this.#held.length > 0) void this.#writeHeld()
  }

  async #writeHeld(): Promise<void> {
    this.#isHolding = true
    try {
      while (this.#held.length > 0) {
        const batch = fitting(this.#held)
        this.#held = without(this.#held, batch)
        await this.#record(batch, 'long')
        // It takes room until then, as if it had not been begun.
        for (const { submission, bytes, logs } of batch) {
          this.#heldRows -= submission.events.length
          this.#heldBytes -= bytes
          this.#heldLogs.remove(logs)
        }
      }
    } finally {
      this.#isHolding = false
      this.#tellIdle()
    }
  }

  /**
   * @param patience how long it waits for others: briefly, and what they hold is waited for apart; long, as every
   *   transaction, and what they hold is refused; as a part of what has waited as long before
   */
  async #record(batch: readonly Waiting[], patience: 'briefly' | 'long' | 'part'): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const answers = await recordSubmissions(
          patience === 'long' ? this.#db : this.#briefly,
          this.#catalogue,
          batch.map(({ submission }) => submission),
        )
        for (const [at, { resolve, reject }] of batch.entries()) {
          const answer = answers[at]
          if (answer === undefined || answer instanceof RegistryError) reject(answer)
          else resolve(answer)
        }
        return
      } catch (error) {
        if (patience === 'briefly' && isWait(error)) return await this.#recordFree(batch)
        if (batch.length > 1 && isTakenBack(error)) {
          // One of them may be what the database does not take: the others have nothing to do with it.
          // What the batch has waited for is not waited for as long again by each of them: others wait behind it.
          const part = isWait(error) ? 'part' : patience
          for (const each of batch) await this.#record([each], part)
          return
        }
        if (tries < triesMax && isCollision(error)) continue
        for (const { reject } of batch) reject(error)
        return
      }
    }
  }

  /** Records those of a batch whose logs nobody holds, and waits for the others apart. */
  async #recordFree(batch: readonly Waiting[]): Promise<void> {
    const submissions = batch.map(({ submission }) => submission)
    const held = await heldAmong(this.#briefly, this.#catalogue, submissions).catch(() => undefined)
    const free = batch.filter((_, at) => held?.[at] === false)
    this.#wait(without(batch, free))
    if (free.length === 0) return
    // Where none of them seemed to be held, something else was.
    await this.#record(free, free.length < batch.length ? 'briefly' : 'long')
  }
}

/** How often texts are there. */
class Counts {
  readonly #counts = new Map<string, number>()

  add(texts: readonly string[]): void {
    for (const text of texts) this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1)
  }

  remove(texts: readonly string[]): void {
    for (const text of texts) {
      const left = (this.#counts.get(text) ?? 0) - 1
      if (left > 0) this.#counts.set(text, left)
      else this.#counts.delete(text)
    }
  }

  hasAny(texts: readonly string[]): boolean {
    return texts.some((text) => this.#counts.has(text))
  }
}

const rowsOf = (waiting: readonly Waiting[]): number =>
  waiting.reduce((sum, { submission }) => sum + submission.events.length, 0)

const without = (all: readonly Waiting[], some: readonly Waiting[]): Waiting[] => {
  const left = new Set(all)
  for (const each of some) left.delete(each)
  return [...left]
}

/** What waits, if so many rows do or the first one has for so long; else the moment when it will have. */
function ripe(waiting: readonly Waiting[], rows: number, milliseconds: number): readonly Waiting[] | number {
  const at = (waiting[0]?.since ?? Infinity) + milliseconds
  return at <= performance.now() || rowsOf(waiting) >= rows ? waiting : at
}

/** The longest waiting ones that fit together. Two with one key do not: the second has to find the first. */
function fitting(waiting: readonly Waiting[]): Waiting[] {
  const batch: Waiting[] = []
  const keys = new Set<string>()
  let rows = 0
  let bytes = 0
  let isFull = false
  for (const each of waiting) {
    const { submission } = each
    const key = submission.claim?.digest.toString('hex')
    const fits =
      batch.length === 0 ||
      (!isFull &&
        submission.uniqueBy === undefined &&
        (key === undefined || !keys.has(key)) &&
        rows + submission.events.length <= ingestBounds.batchRows &&
        bytes + each.bytes <= ingestBounds.batchBytes)
    if (!fits) continue
    batch.push(each)
    if (key !== undefined) keys.add(key)
    rows += submission.events.length
    bytes += each.bytes
    isFull ||= submission.uniqueBy !== undefined
  }
  return batch
}

/** By what two submissions have a log in common, as far as they say so themselves. */
const logsOf = ({ product, environment, tenant_id, events }: Submission): string[] => [
  ...new Set(events.map(({ group }) => tenant_id ?? `${product}\n${environment}\n${group?.id ?? ''}`)),
]

/** Deletes what was acknowledged so long ago that nobody asks again, and answers how many. */
export async function cleanAuditClaims(db: Db): Promise<number> {
  let sum = 0
  for (;;) {
    const deleted = await housekeeping(db, deleteOldClaims)
    sum += deleted
    if (deleted === 0) return sum
  }
}

const triesMax = 3

/** The SQLSTATE of a statement that was refused, whatever it was made of on the way. */
function refusalOf(error: unknown): string | undefined {
  const first = error instanceof RegistryError ? error.cause : error
  return first instanceof DatabaseError ? first.code : undefined
}

/** Two transactions that could not both go on: the other one has. */
const isCollision = (error: unknown) => /^40(?:P01|001)$/.test(refusalOf(error) ?? '')

/** A lock that somebody else holds, or a statement that took too long for whatever reason. */
const isWait = (error: unknown) => /^(?:55P03|57014)$/.test(refusalOf(error) ?? '')

/**
 * Whether nothing of a transaction can be there: a statement of it was refused. When the connection is lost during the
 * commit nobody knows, so trying again could record everything twice.
 */
const isTakenBack = (error: unknown) => /^(?:22|23|40|42|54|55|57014)/.test(refusalOf(error) ?? '')
