import { DatabaseError } from 'pg'
import { directPool } from '../db/database.ts'
import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { deleteOldClaims } from './dedup.repository.ts'
import { HeldSubmissions } from './held-submissions.ts'
import { bytesOf } from './published-event.ts'
import { heldAmong, recordSubmissions } from './record-submissions.ts'
import { SearchIndex } from './search-index.ts'
import { numbered, type Receipt, type Submission } from './submission.ts'
import { apartFrom, fitting, hasAny, logsOf, rowsOf, type Waiting, without } from './waiting.ts'

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
  /** Milliseconds that a batch waits for a lock: what others hold for longer is looked after apart (`HeldSubmissions`). */
  lockMs: 250,
  /** Rows that may wait, and bytes of their texts. */
  waitingRows: 20_000,
  waitingBytes: 64 * 1_024 * 1_024,
} as const

/** A batch that is being written. */
interface Batch {
  readonly rows: number
  readonly logs: ReadonlySet<string>
}

/**
 * Records what products publish. What comes within milliseconds is written as one batch, in one transaction: a commit
 * costs as much as many rows do. A submission is answered when its batch is committed, and not before. Batches that are
 * written at the same time have different logs, as far as there are any: whoever writes into a log holds it.
 */
export class Ingest {
  readonly #db: Db
  readonly #catalogue: Catalogue
  readonly #width: number
  #queue: Waiting[] = []
  #rows = 0
  #bytes = 0
  readonly #writing = new Set<Batch>()
  readonly #held: HeldSubmissions
  /** Where there is a connection for it beside all these. */
  readonly #searchIndex: SearchIndex | undefined
  /** Whether there is a connection to look after what others hold. */
  readonly #waitsApart: boolean
  /** When the next batch may be due, on the clock of `performance`. */
  #wakesAt = Infinity
  #timer: NodeJS.Timeout | undefined
  #isClosing = false
  readonly #whenIdle: (() => void)[] = []

  /**
   * @param onFailure hears that the search index cannot be told to take in what was written, once until it can again:
   *   nothing is lost by that, but batches wait for it
   */
  constructor(db: Db, catalogue: Catalogue, onFailure: (error: unknown) => void = () => undefined) {
    this.#db = db
    this.#catalogue = catalogue
    const connections = directPool(db)?.size ?? 1
    this.#width = Math.max(1, Math.min(ingestBounds.width, Math.floor(connections / 2)))
    this.#waitsApart = this.#width + 1 < connections
    this.#searchIndex = this.#width + 2 < connections ? new SearchIndex(db, onFailure) : undefined
    this.#held = new HeldSubmissions({
      heldAmong: async (waiting) => await this.#heldAmong(waiting),
      write: async (batch) => await this.#record(batch, 'briefly'),
      bounds: ingestBounds,
    })
  }

  /** How many events wait to be written. */
  get waiting(): number {
    return this.#rows + this.#held.rows
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
      this.#rows > 0 &&
      (this.#rows + rows > ingestBounds.waitingRows || this.#bytes + bytes > ingestBounds.waitingBytes)
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
    if (this.#writing.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    await this.#held.settled()
    await this.#searchIndex?.settled()
  }

  /** Begins the batches that are due. */
  #next(): void {
    while (this.#writing.size < this.#width) {
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
    const written = [...this.#writing]
    if (written.length === 0) return ripe(this.#queue, rowsEnough, waitMs)
    const free = apartFrom(this.#queue, (log) => written.some(({ logs }) => logs.has(log)))
    if (free.length > 0) return ripe(free, rowsEnough, waitMs)
    const rows = written.reduce((sum, batch) => sum + batch.rows, 0)
    return ripe(this.#queue, Math.max(rowsEnough, rows), gatherMs)
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
    const batch = fitting(of, ingestBounds)
    this.#queue = without(this.#queue, batch)
    for (const { submission, bytes } of batch) {
      this.#rows -= submission.events.length
      this.#bytes -= bytes
    }
    return batch
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const written = { rows: rowsOf(batch), logs: new Set(batch.flatMap(({ logs }) => logs)) }
    this.#writing.add(written)
    try {
      // What comes for a log that others hold waits behind what is there.
      const held = batch.filter(({ logs }) => this.#held.holds(logs))
      this.#held.add(held)
      const free = without(batch, held)
      if (free.length > 0) this.#held.add(await this.#record(free, this.#waitsApart ? 'briefly' : 'long'))
    } finally {
      this.#writing.delete(written)
      this.#next()
      if (this.#writing.size === 0) for (const tell of this.#whenIdle.splice(0)) tell()
    }
  }

  /**
   * Records a batch and answers it, but for what others hold the logs of.
   * @param patience how long it waits for others: briefly, and what they hold is given back; long, as every transaction,
   *   and what they hold is refused; as a part of what has waited as long before, and it is given back
   */
  async #record(batch: readonly Waiting[], patience: 'briefly' | 'long' | 'part'): Promise<readonly Waiting[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        const answers = await recordSubmissions(
          this.#db,
          this.#catalogue,
          batch.map(({ submission }) => submission),
          patience === 'long' ? undefined : ingestBounds.lockMs,
        )
        for (const [at, { resolve, reject }] of batch.entries()) {
          const answer = answers[at]
          if (answer === undefined || answer instanceof RegistryError) reject(answer)
          else resolve(answer)
        }
        this.#searchIndex?.wrote(batch.reduce((sum, { bytes }) => sum + bytes, 0))
        return []
      } catch (error) {
        if (patience === 'briefly' && isWait(error)) return await this.#recordFree(batch)
        if (patience === 'part' && isWait(error)) return batch
        if (batch.length > 1 && isTakenBack(error)) {
          return isWait(error) ? await this.#recordInVain(batch, error) : await this.#recordParts(batch, patience)
        }
        if (tries < triesMax && isCollision(error)) continue
        for (const { reject } of batch) reject(error)
        return []
      }
    }
  }

  /** One by one: one of them may be what the database does not take, and the others have nothing to do with it. */
  async #recordParts(batch: readonly Waiting[], patience: 'briefly' | 'long' | 'part'): Promise<readonly Waiting[]> {
    const held: Waiting[] = []
    for (const each of batch) held.push(...(await this.#record([each], patience)))
    return held
  }

  /**
   * One by one, what has waited for others in vain: a little longer for each log, and what they hold still is refused.
   * It is not waited for as long again by each of them: others wait behind it.
   */
  async #recordInVain(batch: readonly Waiting[], error: unknown): Promise<readonly Waiting[]> {
    const held = new Set<string>()
    for (const each of batch) {
      const isHeld = hasAny(held, each.logs) || (await this.#record([each], 'part')).length > 0
      if (!isHeld) continue
      for (const log of each.logs) held.add(log)
      each.reject(error)
    }
    return []
  }

  /** Records those of a batch whose logs nobody holds, and gives the others back. */
  async #recordFree(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    const seen = await this.#heldAmong(batch).catch(() => undefined)
    if (seen === undefined) return batch
    this.#held.see(seen)
    const held = batch.filter(({ logs }) => hasAny(seen, logs))
    // Where none of them seems to be held, something else is.
    if (held.length === 0) return await this.#record(batch, 'long')
    const free = without(batch, held)
    return free.length === 0 ? held : [...held, ...(await this.#record(free, 'briefly'))]
  }

  async #heldAmong(waiting: readonly Waiting[]): Promise<ReadonlySet<string>> {
    const submissions = waiting.map(({ submission }) => submission)
    return await heldAmong(this.#db, this.#catalogue, submissions, ingestBounds.lockMs)
  }
}

/** What waits, if so many rows do or the first one has for so long; else the moment when it will have. */
function ripe(waiting: readonly Waiting[], rows: number, milliseconds: number): readonly Waiting[] | number {
  const at = (waiting[0]?.since ?? Infinity) + milliseconds
  return at <= performance.now() || rowsOf(waiting) >= rows ? waiting : at
}

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
