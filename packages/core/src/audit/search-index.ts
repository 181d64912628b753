import { sql } from 'kysely'
import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { executeShape } from '../db/prepared.ts'

/**
 * Bytes of events after which the search index is to take them in: their words have about as many in its list, a quarter
 * of what PostgreSQL lets it have.
 */
const listedBytes = 1_000_000

/**
 * Has the search index take in what was written, beside the batches: PostgreSQL itself does it within a batch, as soon as
 * the list of its words is long, and that one waits for it, and all that have its logs.
 */
export class SearchIndex {
  readonly #db: Db
  readonly #onFailure: (error: unknown) => void
  #bytes = 0
  #flush: Promise<void> | undefined
  #hasFailed = false

  /** @param onFailure hears that it cannot be done, once until it can again */
  constructor(db: Db, onFailure: (error: unknown) => void) {
    this.#db = db
    this.#onFailure = onFailure
  }

  /** Counts what was written, and begins when it is enough. */
  wrote(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < listedBytes || this.#flush) return
    this.#bytes = 0
    this.#flush = this.#takeIn().finally(() => (this.#flush = undefined))
  }

  /** Whoever writes does it where this fails. */
  async #takeIn(): Promise<void> {
    try {
      await flush(this.#db)
      this.#hasFailed = false
    } catch (error) {
      const isNew = !this.#hasFailed
      this.#hasFailed = true
      if (isNew) this.#onFailure(error)
    }
  }

  /** Waits for what is under way. */
  async settled(): Promise<void> {
    await this.#flush
  }
}

/** In a transaction, which may take longer than a read: PostgreSQL waits for whoever does the same. */
async function flush(db: Db): Promise<void> {
  await housekeeping(db, async (tx) => {
    await executeShape(tx, 'search_index', sql`select registry.flush_audit_search()`)
  })
}
