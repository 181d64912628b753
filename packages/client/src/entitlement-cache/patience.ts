import { ConnectionError } from '../error.ts'
import { ProblemError } from '../problem-error.ts'
import { restMs, restMsMax } from '../rest.ts'
import type { Entry } from './entries.ts'

const failingMax = 3

/**
 * Knows when to leave the registry alone. What fails for one tenant is that one's own affair; when nobody listens, it
 * asks to be left alone, or it fails for one after the other, it is the registry that cannot be asked, and nobody waits
 * to find that out again.
 */
export class Patience {
  readonly #probeMs: number
  readonly #failing = new Set<Entry>()
  #failures = 0
  #restsUntil = 0

  /** Takes how long it may take to find out that the registry cannot be asked. */
  constructor(probeMs: number) {
    this.#probeMs = probeMs
  }

  /** Whether a question may be asked. After a rest it is one that finds out, and the others go without. */
  mayAsk(entry: Entry): boolean {
    const now = performance.now()
    if (now < this.#restsUntil || now < entry.restsUntil) return false
    if (this.#failures > 0) this.#restsUntil = now + this.#probeMs
    return true
  }

  failed(entry: Entry, error: unknown): void {
    const now = performance.now()
    // Who asks for an hour may be back in a minute, and what is known is worth less and less.
    const askedMs = Math.min(restMsMax, error instanceof ProblemError ? 1_000 * (error.retryAfterSeconds ?? 0) : 0)
    entry.failures += 1
    entry.restsUntil = now + Math.max(askedMs, restMs(entry.failures))
    if (isOfItsOwn(error)) return
    this.#failing.add(entry)
    const isOfAll = error instanceof ConnectionError || askedMs > 0
    if (!isOfAll && this.#failing.size < failingMax) return
    this.#failures += 1
    this.#restsUntil = now + Math.max(askedMs, restMs(this.#failures))
  }

  succeeded(entry: Entry): void {
    entry.failures = 0
    entry.restsUntil = 0
    if (this.#failures > 0) this.wake()
    else this.#failing.clear()
  }

  /** A sign of life: nobody needs to rest any longer. */
  wake(): void {
    for (const entry of this.#failing) entry.restsUntil = 0
    this.#failing.clear()
    this.#failures = 0
    this.#restsUntil = 0
  }
}

/** Whether it was answered, and it is the question that it is about: whoever asks another one hears something else. */
function isOfItsOwn(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false
  const { status } = error
  return status < 500 && status !== 401 && status !== 403 && status !== 429
}
