import { directPool } from '../db/database.ts'
import type { Db } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'

/** How many exports one process makes at the same time: each holds up to two batches in memory. */
export const exportsMax = 8

/** Seconds after which it makes sense to ask again. */
const retryAfterSeconds = 10

/**
 * Where the exports of one process meet: there are so many of them and no more, and of those only some read at the same
 * time. A quarter of the connections is theirs, so that the others are left to requests that somebody waits for.
 */
export class ExportDesk {
  /** How many may read at the same time. */
  readonly width: number
  #open = 0
  #reading = 0
  readonly #waiting: (() => void)[] = []

  constructor(width: number) {
    this.width = width
  }

  /** The desk of the process for a database. */
  static of(db: Db): ExportDesk {
    const known = desks.get(db)
    if (known) return known
    const desk = new ExportDesk(Math.max(1, Math.floor((directPool(db)?.size ?? 1) / 4)))
    desks.set(db, desk)
    return desk
  }

  /**
   * Lets an export in, until it calls what it is given.
   * @throws {RegistryError} `audit_export.too_many_running`
   */
  enter(): () => void {
    if (this.#open >= exportsMax) {
      throw new RegistryError('audit_export.too_many_running', {
        detail: `A process makes at most ${exportsMax} at the same time.`,
        retryAfterSeconds,
      })
    }
    this.#open += 1
    let isIn = true
    return () => {
      if (isIn) this.#open -= 1
      isIn = false
    }
  }

  /**
   * Reads when it is its turn, first come, first served.
   * @throws the reason of the signal, if that says before its turn that nobody wants it any more
   */
  async inTurn<Result>(read: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (this.#reading < this.width) this.#reading += 1
    // Whoever is done hands the place on.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      signal?.throwIfAborted()
      return await read()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#reading -= 1
    }
  }
}

const desks = new WeakMap<Db, ExportDesk>()
