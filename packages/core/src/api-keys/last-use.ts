import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import type { ApiKeyId } from '../id.ts'
import { type KeyUse, recordUses } from './key-state.repository.ts'

/** How many uses one statement writes down. */
const batchMax = 1_000

interface Use {
  at: number
  ip: string | null
}

/**
 * Remembers when keys were last used and writes it down now and then: a verification never waits for it. What cannot
 * be written down is tried again; a later use of the same key takes its place.
 */
export class LastUse {
  readonly #db: Db
  readonly #onFailure: (error: Error) => void
  #uses = new Map<ApiKeyId, Use>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  constructor(db: Db, onFailure: (error: Error) => void) {
    this.#db = db
    this.#onFailure = onFailure
  }

  /** Writes down every so many milliseconds. */
  start(everyMs: number): void {
    this.#timer ??= setInterval(() => void this.flush(), everyMs).unref()
  }

  /** Remembers a use. */
  note(id: ApiKeyId, at: number, ip: string | null): void {
    const use = this.#uses.get(id)
    if (use) {
      use.at = at
      if (ip !== null) use.ip = ip
    } else this.#uses.set(id, { at, ip })
  }

  /** How many uses are not written down yet. */
  get pending(): number {
    return this.#uses.size
  }

  /** Writes down what there is. Never fails: what could not be written stays. */
  async flush(): Promise<void> {
    await this.#writing
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  /** Writes down the rest. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  async #write(): Promise<void> {
    const uses = this.#uses
    if (uses.size === 0) return
    this.#uses = new Map()
    const all = [...uses].map(([id, { at, ip }]): KeyUse => ({ id, at: new Date(at), ip }))
    for (let from = 0; from < all.length; from += batchMax) {
      const batch = all.slice(from, from + batchMax)
      try {
        await housekeeping(this.#db, (tx) => recordUses(tx, batch))
      } catch (error) {
        for (const { id, at, ip } of all.slice(from)) if (!this.#uses.has(id)) this.note(id, at.getTime(), ip)
        this.#onFailure(error instanceof Error ? error : new Error(String(error)))
        return
      }
    }
  }
}
