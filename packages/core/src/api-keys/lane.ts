import { RegistryError } from '../errors.ts'

/** How much a lane takes on. */
export interface LaneBounds {
  /** How many things are done at the same time. */
  readonly width: number
  /** How many may wait. */
  readonly waitingMax: number
  /** Milliseconds that anything may wait. */
  readonly waitMsMax: number
}

interface Waiting<Result> {
  readonly since: number
  readonly work: () => Promise<Result>
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Work that many may wait for: those who want the same share it. */
interface Shared {
  readonly promise: Promise<unknown>
  readonly controller: AbortController
  /** How many wait for it. Nobody does any more: it is not begun. */
  waiting: number
}

/**
 * Does dear work a few things at a time, first come first served, within bounds. argon2 takes a thread of Node's pool
 * for milliseconds: without a lane a few hundred cold keys at once would hold up every file and every name that the
 * process looks up.
 */
export class Lane {
  readonly #bounds: LaneBounds
  readonly #queue: Waiting<never>[] = []
  /** The first of the queue that is not taken yet: shifting a list of thousands is slow. */
  #head = 0
  readonly #shared = new Map<string, Shared>()
  #active = 0
  #timer: NodeJS.Timeout | undefined
  /** How many things were begun. */
  done = 0
  /** How many were refused because too many waited, or they waited for too long. */
  refused = 0

  constructor(bounds: LaneBounds) {
    this.#bounds = bounds
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.length - this.#head
  }

  /** How many are being done. */
  get active(): number {
    return this.#active
  }

  /**
   * Does something when its turn comes, or lets the caller wait for the same thing that is on its way already.
   * @param name what makes two pieces of work the same
   * @param signal of a caller who may leave: work that nobody waits for any more is dropped
   * @throws {RegistryError} `api_key.lane_full` when too many wait or the turn does not come in time
   */
  async run<Result>(name: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted()
    let shared = this.#shared.get(name)
    if (!shared) {
      const controller = new AbortController()
      const promise = this.#enqueue(work, controller)
      const mine: Shared = { promise, controller, waiting: 0 }
      const forget = () => {
        if (this.#shared.get(name) === mine) this.#shared.delete(name)
      }
      promise.then(forget, forget)
      this.#shared.set(name, mine)
      shared = mine
    }
    return (await waitFor(shared, signal, () => this.#shared.delete(name))) as Result
  }

  #enqueue<Result>(work: Waiting<Result>['work'], controller: AbortController): Promise<Result> {
    if (this.#active >= this.#bounds.width && this.waiting >= this.#bounds.waitingMax) {
      this.refused += 1
      return Promise.reject(full())
    }
    return new Promise<Result>((resolve, reject) => {
      const waiting: Waiting<Result> = { since: performance.now(), work, resolve, reject }
      this.#queue.push(waiting as unknown as Waiting<never>)
      controller.signal.addEventListener('abort', () => this.#leave(waiting as unknown as Waiting<never>), {
        once: true,
      })
      this.#next()
    })
  }

  /** Gives its place to others. */
  #leave(waiting: Waiting<never>): void {
    const at = this.#queue.indexOf(waiting, this.#head)
    if (at !== -1) this.#queue.splice(at, 1)
  }

  #next(): void {
    while (this.#active < this.#bounds.width) {
      const waiting = this.#queue[this.#head]
      if (!waiting) break
      this.#head += 1
      this.#active += 1
      this.done += 1
      void this.#do(waiting)
    }
    if (this.#head === this.#queue.length || this.#head > 1_000) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
    if (this.waiting > 0) this.#timer ??= setInterval(() => this.#refuseLate(), 100).unref()
    else {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  async #do<Result>({ work, resolve, reject }: Waiting<Result>): Promise<void> {
    try {
      resolve(await work())
    } catch (error) {
      reject(error)
    } finally {
      this.#active -= 1
      this.#next()
    }
  }

  /** Those who came first have waited longest. */
  #refuseLate(): void {
    const before = performance.now() - this.#bounds.waitMsMax
    for (;;) {
      const waiting = this.#queue[this.#head]
      if (!waiting || waiting.since > before) break
      this.#head += 1
      this.refused += 1
      waiting.reject(full())
    }
    this.#next()
  }
}

const full = () => new RegistryError('api_key.lane_full', { retryAfterSeconds: 2 })

/** Waits for shared work as long as the caller is there. The last one to leave takes it out of the queue. */
async function waitFor(shared: Shared, signal: AbortSignal | undefined, drop: () => void): Promise<unknown> {
  shared.waiting += 1
  if (!signal) return await shared.promise
  return await new Promise((resolve, reject) => {
    const leave = () => {
      shared.waiting -= 1
      if (shared.waiting === 0) {
        drop()
        shared.controller.abort()
      }
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', leave, { once: true })
    shared.promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
