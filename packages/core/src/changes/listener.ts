import { sql } from 'kysely'
import type { Db } from '../db/handles.ts'
import { ChangeSignal, type Hear, type Patience } from './change-signal.ts'
import { readHead } from './change.repository.ts'
import { changesChannel, DeafError, Notifications } from './notifications.ts'

/** How a process follows the feed. */
export interface ChangeListenerOptions {
  readonly db: Db
  /** A way to the database that no pooler is on: notifications do not come through one. */
  readonly connectionString: string
  /** How many may wait at the same time. 1 000 unless told. */
  readonly waitersMax?: number | undefined
  /** Milliseconds between two looks at the feed while somebody waits or subscribes. 1 000 unless told. */
  readonly pollMs?: number | undefined
  /** Milliseconds between two proofs that the listening connection lives. 15 000 unless told. */
  readonly keepaliveMs?: number | undefined
  /** Milliseconds that the database has for each answer on that connection. 3 000 unless told. */
  readonly answerMs?: number | undefined
  /** Hears that changes are noticed at once, now or again. */
  readonly onListening?: (() => void) | undefined
  /** Hears why they are not, once for each time that this begins, and of subscribers that failed. */
  readonly onFailure: (error: Error) => void
}

/** How long somebody may still wait in a process that will stop: its callers come back on other connections. */
const drainingWaitMs = 1_000

const late = 'changes are noticed up to a second late'
const lost = `the connection that listens for changes is lost: ${late}`
const deaf = `nothing is heard on the connection that listens for changes, DATABASE_LISTEN_URL has to lead past any pooler: ${late}`

/**
 * Knows in every process when the feed has moved. One connection listens for what every commit says; as long as
 * somebody waits, a look at the feed each second makes up for what was not heard. Losing the connection therefore only
 * delays.
 */
export class ChangeListener {
  readonly #db: Db
  readonly #signal: ChangeSignal
  readonly #notifications: Notifications
  readonly #pollMs: number
  readonly #onFailure: (error: Error) => void
  readonly #shared = new Map<string, Promise<unknown>>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  /** Whether something may have been said that nobody heard. */
  #isUnsure = false
  #heardAt = -Infinity
  /** Whether the last look failed. */
  #isBlind = false
  #isClosed = false

  /** @throws {Error} for a URL that pg cannot use */
  constructor(options: ChangeListenerOptions) {
    const { db, connectionString, waitersMax = 1_000, onListening, onFailure } = options
    this.#db = db
    this.#onFailure = onFailure
    this.#pollMs = options.pollMs ?? 1_000
    this.#signal = new ChangeSignal(waitersMax, onFailure)
    this.#notifications = new Notifications({
      connectionString,
      keepaliveMs: options.keepaliveMs ?? 15_000,
      answerMs: options.answerMs ?? 3_000,
      notify: async (payload) => {
        await sql`select pg_notify(${changesChannel}, ${payload})`.execute(db)
      },
      onPlace: (place) => {
        this.#heardAt = performance.now()
        this.#signal.advance(place)
      },
      onListening: () => {
        this.#isUnsure = true
        void this.#look()
        onListening?.()
      },
      onFailure,
    })
  }

  /** Begins to listen. The database may come later. */
  start(): void {
    this.#notifications.start()
    this.#timer ??= setInterval(() => {
      if (this.#signal.isWatched) void this.#look()
    }, this.#pollMs)
  }

  /** Why changes are noticed a second later than they could be, for people; undefined when they are not. */
  get problem(): string | undefined {
    const { failure } = this.#notifications
    return failure && (failure instanceof DeafError ? deaf : lost)
  }

  /** Whether changes are heard as soon as they are committed. */
  get isListening(): boolean {
    return this.#notifications.failure === undefined
  }

  /**
   * Up to when it is known how far the feed was, by the clock of `performance.now()`: everything before is told to
   * those who subscribe.
   */
  get heardAt(): number {
    return this.#heardAt
  }

  /** Whether nobody waits here any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** How many wait. */
  get waiting(): number {
    return this.#signal.waiting
  }

  /**
   * Calls `hear` with the place of the latest change whenever the feed has moved: at once when that is heard, within
   * about a second when it is not. It says that there is something to read, not what, and one call may stand for many
   * changes. `mayHaveMissed` is for those who keep things by what they hear without reading the feed: the listening
   * began anew, or the feed was set back, and they have to forget everything.
   * @returns what ends the subscription
   */
  subscribe(hear: Hear): () => void {
    return this.#signal.subscribe(hear)
  }

  /**
   * Runs `wait` with a way to wait until the feed has passed a place.
   * @throws {RegistryError} `changes.too_many_waiters`, and what `wait` throws
   */
  async waitIn<Result>(
    wait: (passed: (after: number, patience: Patience) => Promise<boolean>) => Promise<Result>,
  ): Promise<Result> {
    return await this.#signal.withPlace(() => wait((after, patience) => this.#signal.passed(after, patience)))
  }

  /** Does for many who wake at the same time and want the same what one of them does. */
  async share<Result>(key: readonly unknown[], read: () => Promise<Result>): Promise<Result> {
    const name = JSON.stringify(key)
    const known = this.#shared.get(name) as Promise<Result> | undefined
    if (known) return await known
    const reading = read().finally(() => this.#shared.delete(name))
    this.#shared.set(name, reading)
    return await reading
  }

  /** The process will stop: who waits is answered at once, and nobody waits for long any more. */
  drain(): void {
    this.#signal.hurry(drainingWaitMs)
  }

  /** Answers everybody who waits and ends the listening. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#signal.hurry(0)
    await this.#notifications.close()
    await this.#looking
  }

  /** Looks how far the feed is. */
  async #look(): Promise<void> {
    this.#looking ??= this.#compare().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  async #compare(): Promise<void> {
    const known = this.#signal.head
    const wasUnsure = this.#isUnsure
    const askedAt = performance.now()
    try {
      const head = await readHead(this.#db)
      this.#isBlind = false
      this.#heardAt = askedAt
      // What was known before the question cannot be ahead of the answer, unless the feed was set back.
      if (head < known) this.#signal.startOver(head)
      else if (wasUnsure) this.#signal.startOver(Math.max(head, this.#signal.head))
      else this.#signal.advance(head)
      if (wasUnsure) this.#isUnsure = false
    } catch (error) {
      if (this.#isBlind || this.#isClosed) return
      this.#isBlind = true
      this.#onFailure(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
