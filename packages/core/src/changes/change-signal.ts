import { RegistryError } from '../errors.ts'

/** How patiently somebody waits. */
export interface Patience {
  readonly timeoutMs: number
  /** Ends the waiting: the caller is gone. */
  readonly signal?: AbortSignal | undefined
}

/** Hears that the feed has moved, and whether something before may have been missed. */
export type Hear = (head: number, mayHaveMissed: boolean) => void

interface Waiter {
  readonly after: number
  readonly end: (woken: boolean) => void
}

/**
 * What this process knows about how far the feed is, and who waits for more of it. It holds no connection: a waiter is
 * an entry in a set.
 */
export class ChangeSignal {
  readonly #placesMax: number
  readonly #onError: (error: Error) => void
  readonly #waiters = new Set<Waiter>()
  readonly #subscribers = new Set<Hear>()
  #head = 0
  #places = 0
  #waitMsMax = Infinity

  /**
   * @param placesMax how many may wait at the same time
   * @param onError hears of subscribers that failed
   */
  constructor(placesMax: number, onError: (error: Error) => void) {
    this.#placesMax = placesMax
    this.#onError = onError
  }

  /** The latest place that this process heard of. */
  get head(): number {
    return this.#head
  }

  /** Whether anybody would hear of a change. */
  get isWatched(): boolean {
    return this.#waiters.size > 0 || this.#subscribers.size > 0
  }

  /** How many wait. */
  get waiting(): number {
    return this.#places
  }

  /** The feed has come to this place: whoever waits for it goes on. */
  advance(head: number): void {
    if (head <= this.#head) return
    this.#head = head
    for (const waiter of this.#waiters) if (waiter.after < head) waiter.end(true)
    this.#tell(false)
  }

  /** Nobody knows what happened before, or the feed was set back, as a restored backup does: everybody has to look. */
  startOver(head: number): void {
    this.#head = head
    for (const waiter of this.#waiters) waiter.end(true)
    this.#tell(true)
  }

  /** Nobody waits any longer, and from now on nobody for longer than this. */
  hurry(waitMsMax: number): void {
    this.#waitMsMax = waitMsMax
    for (const waiter of this.#waiters) waiter.end(false)
  }

  /** Calls `hear` whenever the feed has moved. Gives back what ends that. */
  subscribe(hear: Hear): () => void {
    const subscriber: Hear = (head, mayHaveMissed) => hear(head, mayHaveMissed)
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  /**
   * Holds a place for the time of `wait`.
   * @throws {RegistryError} `changes.too_many_waiters`
   */
  async withPlace<Result>(wait: () => Promise<Result>): Promise<Result> {
    if (this.#places >= this.#placesMax) {
      throw new RegistryError('changes.too_many_waiters', {
        detail: 'Ask without `wait`, or again in a moment.',
        retryAfterSeconds: 2,
      })
    }
    this.#places += 1
    try {
      return await wait()
    } finally {
      this.#places -= 1
    }
  }

  /**
   * Waits until the feed has passed a place, or must be looked at anyway.
   * @returns whether there is something to look at: false when the patience was over first
   */
  async passed(after: number, { timeoutMs, signal }: Patience): Promise<boolean> {
    if (signal?.aborted) return false
    if (this.#head > after) return true
    const boundMs = Math.min(timeoutMs, this.#waitMsMax)
    if (boundMs <= 0) return false
    return await new Promise<boolean>((resolve) => {
      const end = (woken: boolean) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', leave)
        this.#waiters.delete(waiter)
        resolve(woken)
      }
      const leave = () => end(false)
      const waiter: Waiter = { after, end }
      const timer = setTimeout(leave, boundMs)
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #tell(mayHaveMissed: boolean): void {
    for (const hear of this.#subscribers) {
      try {
        hear(this.#head, mayHaveMissed)
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }
}
