import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'

/** How notifications are listened for. */
export interface NotificationOptions {
  /** A way to the database that no pooler is on: notifications do not come through one. */
  readonly connectionString: string
  /** Sends a notification as everybody else does, on another connection. */
  readonly notify: (payload: string) => Promise<void>
  /** Hears of the place of a change. */
  readonly onPlace: (place: number) => void
  /** Hears that notifications arrive, now or again. What was said while they did not, nobody heard. */
  readonly onListening: () => void
  /** Hears why they do not, once for each time that this begins. */
  readonly onFailure: (error: Error) => void
  /** Milliseconds between two proofs that the connection lives. */
  readonly keepaliveMs: number
  /** Milliseconds that the database has for each answer. */
  readonly answerMs: number
}

/** The channel on which every commit says the place of its change. */
export const changesChannel = 'registry_changes'

/** A connection that takes `listen` and hears nothing. */
export class DeafError extends Error {
  override readonly name = 'DeafError'
}

const firstRestMs = 100
const restMsMax = 15_000

/** One connection that listens for as long as the process lives, and is made anew whenever it breaks. */
export class Notifications {
  readonly #options: NotificationOptions
  readonly #stopping = new AbortController()
  #failure: Error | undefined
  #running: Promise<void> | undefined
  #failures = 0

  /** @throws {Error} for a connection string that pg cannot use */
  constructor(options: NotificationOptions) {
    void new Client({ connectionString: options.connectionString })
    this.#options = options
  }

  /** Why notifications do not arrive; undefined when they do, and before that is known. */
  get failure(): Error | undefined {
    return this.#failure
  }

  start(): void {
    this.#running ??= this.#run(this.#stopping.signal)
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const error = await this.#listen(signal).catch(asError)
      if (signal.aborted) return
      const isNew = this.#failure === undefined
      this.#failure = error
      if (isNew) this.#options.onFailure(error)
      const restMs = Math.min(restMsMax, firstRestMs * 2 ** this.#failures)
      this.#failures += 1
      // Replicas that lost the same database do not come back in step.
      await sleep(restMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
    }
  }

  /** Listens until the connection breaks, and answers why. */
  async #listen(signal: AbortSignal): Promise<Error> {
    const { connectionString, answerMs, keepaliveMs } = this.#options
    const client = new Client({
      connectionString,
      application_name: 'tenant-registry listener',
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
      keepAlive: true,
    })
    const ended = new AbortController()
    let reason = new Error('the connection ended')
    const end = (error?: unknown) => {
      if (error instanceof Error) reason = error
      ended.abort()
    }
    client.on('error', end)
    client.on('end', () => end())
    const hearing = this.#hear(client)
    const stop = () => {
      end()
      client.connection.stream.destroy()
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      await client.connect()
      await client.query(`listen ${changesChannel}`)
      await hearing.test(ended.signal)
      if (ended.signal.aborted) return reason
      this.#failures = 0
      this.#failure = undefined
      this.#options.onListening()
      while (!ended.signal.aborted) {
        await sleep(keepaliveMs, undefined, { signal: ended.signal }).catch(() => undefined)
        // A peer that vanished without a word is noticed by its silence.
        if (!ended.signal.aborted) await client.query('select 1')
      }
      return reason
    } finally {
      signal.removeEventListener('abort', stop)
      // Without waiting for a goodbye from who may not be there any more.
      client.connection.stream.destroy()
    }
  }

  /** Passes places on, and can say something to itself to see whether it comes. */
  #hear(client: Client): { test: (ended: AbortSignal) => Promise<void> } {
    const probe = `probe ${randomUUID()}`
    const heard = new AbortController()
    client.on('notification', ({ payload = '' }) => {
      if (payload === probe) heard.abort()
      else if (/^\d{1,15}$/.test(payload)) this.#options.onPlace(Number(payload))
    })
    const test = async (ended: AbortSignal) => {
      await this.#options.notify(probe)
      const either = AbortSignal.any([heard.signal, ended])
      await sleep(this.#options.answerMs, undefined, { signal: either }).catch(() => undefined)
      if (!either.aborted) throw new DeafError('what was said was not heard')
    }
    return { test }
  }
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)))
