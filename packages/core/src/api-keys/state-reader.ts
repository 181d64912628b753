import type { Db } from '../db/handles.ts'
import { findKeyStates, type KeyStateRow } from './key-state.repository.ts'

/** How many reads are under way at once, and how many keys one of them asks for. */
const readsMax = 2
const keysMax = 100

interface Wanted {
  readonly prefix: string
  readonly begin: () => void
  readonly resolve: (row: KeyStateRow | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Reads the state of keys: at once where few are wanted, many with one statement where many are. A replica that starts
 * cold is asked about thousands of keys at once; with a statement for each, they would hold every connection of the
 * pool, and all other requests would wait behind them.
 */
export class StateReader {
  readonly #db: Db
  #wanted: Wanted[] = []
  #underWay = 0
  /** How many statements there were. */
  statements = 0

  constructor(db: Db) {
    this.#db = db
  }

  /**
   * Reads a key.
   * @param begin called as the statement is sent: what is committed before that is in the answer
   * @returns undefined when there is no such key
   */
  async read(prefix: string, begin: () => void): Promise<KeyStateRow | undefined> {
    return await new Promise((resolve, reject) => {
      this.#wanted.push({ prefix, begin, resolve, reject })
      void this.#next()
    })
  }

  async #next(): Promise<void> {
    if (this.#underWay >= readsMax || this.#wanted.length === 0) return
    this.#underWay += 1
    const taken = this.#wanted.splice(0, keysMax)
    try {
      for (const { begin } of taken) begin()
      this.statements += 1
      const rows = await findKeyStates(
        this.#db,
        taken.map(({ prefix }) => prefix),
      )
      const byPrefix = new Map(rows.map((row) => [row.prefix, row]))
      for (const { prefix, resolve } of taken) resolve(byPrefix.get(prefix))
    } catch (error) {
      for (const { reject } of taken) reject(error)
    } finally {
      this.#underWay -= 1
      void this.#next()
    }
  }
}
