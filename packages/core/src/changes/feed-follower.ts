import type { Db } from '../db/handles.ts'
import { findChanges } from './change.repository.ts'

/** A change as the process itself reads it. */
export type FeedChange = Awaited<ReturnType<typeof findChanges>>['changes'][number]

/** What a follower of the feed works with. */
export interface FeedFollowerOptions {
  readonly db: Db
  /** Hears what has changed, each change once and in their order. */
  readonly onChanges: (changes: readonly FeedChange[]) => void
  /** Hears that something may have changed of which nothing will be told: whatever is known may be of before. */
  readonly onLost: () => void
  /** Hears why the feed could not be read. */
  readonly onFailure: (error: Error) => void
}

/** How many changes are read at once. Whoever is further behind has lost them. */
const changesMax = 1_000

/** Tells a process what has changed, of every change up to a moment, without a gap that nobody hears of. */
export class FeedFollower {
  readonly #options: FeedFollowerOptions
  /** The latest change that is accounted for; undefined until that is known. */
  #accounted: number | undefined
  #following: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(options: FeedFollowerOptions) {
    this.#options = options
  }

  /** Goes on from a position, whatever was before it. */
  skipTo(head: number): void {
    this.#accounted = head
    this.#options.onLost()
  }

  /** Takes account of everything that was committed before this was called. What cannot be read is lost: it never fails. */
  settle(): Promise<void> {
    if (this.#next) return this.#next
    if (!this.#following) return this.#follow()
    // One that is under way may have looked before the commit.
    this.#next = this.#following.then(async () => {
      this.#next = undefined
      await this.#follow()
    })
    return this.#next
  }

  #follow(): Promise<void> {
    this.#following = this.#account().finally(() => {
      this.#following = undefined
    })
    return this.#following
  }

  async #account(): Promise<void> {
    try {
      for (;;) {
        const after = this.#accounted
        const { head, changes } = await findChanges(this.#options.db, after ?? Number.MAX_SAFE_INTEGER, changesMax)
        // Where it begins is not known, something of it is gone, or it was set back.
        if (after === undefined || head < after || (changes.at(-1)?.n ?? head) !== after + changes.length) {
          this.skipTo(head)
          return
        }
        if (changes.length === 0) return
        this.#accounted = changes.at(-1)?.n
        if (changes.length < changesMax) {
          this.#options.onChanges(changes)
          return
        }
        this.#options.onLost()
      }
    } catch (error) {
      this.#options.onLost()
      this.#options.onFailure(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
