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
   * Milliseconds that an event waits while a batch is being written, unless as many wait as that has: two that share logs
   * wait for one another, and a small one holds up as much as a large one.
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
  readonly since: number
  readonly bytes: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: unknown) => void
}

/**
 * Records what products publish. What comes within milliseconds is written as one batch, in one transaction: a commit
 * costs as much as many rows do. A submission is answered when its batch is committed, and not before.
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
  /** Rows of the batches that are being written. */
  #writing = 0
  /** What others hold the logs of, by log; and whether it is being waited for. */
  #held: Waiting[] = []
  #heldRows = 0
  #heldBytes = 0
  readonly #heldLogs = new Map<string, number>()
  #isHolding = false
  /** Whether that has a connection of its own. */
  readonly #waitsApart: boolean
  /** Whether a timer is set for the next batch. */
  #isTimed = false
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
      this.#queue.push({ submission: numbered(submission), since: performance.now(), bytes, resolve, reject })
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
    while (this.#active < this.#width && this.#queue.length > 0) {
      const waitsMs = this.#msToWait()
      if (waitsMs > 0) {
        if (this.#isTimed) return
        this.#isTimed = true
        setTimeout(() => {
          this.#isTimed = false
          this.#next()
        }, waitsMs)
        return
      }
      void this.#write(this.#takeBatch())
    }
  }

  #msToWait(): number {
    const [first] = this.#queue
    if (!first || this.#isClosing || this.#rows >= Math.max(ingestBounds.rowsEnough, this.#writing)) return 0
    const waitsMs = this.#active > 0 ? ingestBounds.gatherMs : ingestBounds.waitMs
    return Math.ceil(first.since + waitsMs - performance.now())
  }

  #takeBatch(): Waiting[] {
    const { batch, left } = fitting(this.#queue)
    this.#queue = left
    for (const { submission, bytes } of batch) {
      this.#rows -= submission.events.length
      this.#bytes -= bytes
    }
    return batch
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const rows = batch.reduce((sum, { submission }) => sum + submission.events.length, 0)
    this.#active += 1
    this.#writing += rows
    try {
      // What comes for a log that others hold waits behind what is there.
      const held = batch.filter(({ submission }) => logsOf(submission).some((log) => this.#heldLogs.has(log)))
      this.#wait(held)
      const free = batch.filter((each) => !held.includes(each))
      if (free.length > 0) await this.#record(free, this.#waitsApart ? 'briefly' : 'long')
    } finally {
      this.#active -= 1
      this.#writing -= rows
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
    for (const each of held) this.#count(each, 1)
    if (!this.#isHolding && this.#held.length > 0) void this.#writeHeld()
  }

  /** It still takes room, as if it had not been begun. */
  #count({ submission, bytes }: Waiting, by: 1 | -1): void {
    this.#heldRows += by * submission.events.length
    this.#heldBytes += by * bytes
    for (const log of logsOf(submission)) {
      const count = (this.#heldLogs.get(log) ?? 0) + by
      if (count > 0) this.#heldLogs.set(log, count)
      else this.#heldLogs.delete(log)
    }
  }

  async #writeHeld(): Promise<void> {
    this.#isHolding = true
    try {
      while (this.#held.length > 0) {
        const { batch, left } = fitting(this.#held)
        this.#held = left
        await this.#record(batch, 'long')
        for (const each of batch) this.#count(each, -1)
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
    this.#wait(batch.filter((each) => !free.includes(each)))
    if (free.length === 0) return
    // Where none of them seemed to be held, something else was.
    await this.#record(free, free.length < batch.length ? 'briefly' : 'long')
  }
}

/** The longest waiting ones that fit together, and the others. Two with one key do not: the second has to find the first. */
function fitting(waiting: readonly Waiting[]): { readonly batch: Waiting[]; readonly left: Waiting[] } {
  const batch: Waiting[] = []
  const left: Waiting[] = []
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
    if (!fits) {
      left.push(each)
      continue
    }
    batch.push(each)
    if (key !== undefined) keys.add(key)
    rows += submission.events.length
    bytes += each.bytes
    isFull ||= submission.uniqueBy !== undefined
  }
  return { batch, left }
}

/** Whose logs a submission is written into, as far as it says so itself. */
const logsOf = ({ product, environment, tenant_id, events }: Numbered): string[] => [
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
