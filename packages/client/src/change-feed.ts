import { AbortError, ConnectionError, TenantClientError, TimeoutError, UnexpectedAnswerError } from './error.ts'
import type { ListChangesQuery } from './generated/operations.gen.ts'
import type { ChangePage, RegistryChange } from './generated/schemas.gen.ts'
import { inRange, type RequestOptions } from './options.ts'
import { ProblemError } from './problem-error.ts'
import { delayMs, pause } from './retry.ts'

/** Where and how to follow the feed. */
export interface FollowOptions {
  /** The place to begin after: the `n` of a change, a page's `next_after`, or its `head`. Without it, as far back as is kept. */
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  /**
   * How many seconds each request waits for something to happen. 25 unless told, which is the most. With less than one,
   * it is asked once a second when nothing happens.
   */
  readonly wait?: number | undefined
  /** Hears of every failure that only delays, such as what `getToken` throws, or that the token does not count. */
  readonly onDelay?: ((error: unknown) => void) | undefined
}

/** How long it takes at least to hear that nothing happened. */
const pageMsMin = 1_000

/** The changes of the registry, without end. */
export class ChangeFeed implements AsyncIterable<RegistryChange> {
  readonly #options: FollowOptions
  readonly #list: (query: ListChangesQuery, options: RequestOptions) => PromiseLike<ChangePage>

  /** @internal */
  constructor(
    options: FollowOptions,
    list: (query: ListChangesQuery, options: RequestOptions) => PromiseLike<ChangePage>,
  ) {
    this.#options = options
    this.#list = list
  }

  /** The answers, also those that only say that nothing happened: `next_after` is where to go on. */
  async *pages(): AsyncGenerator<ChangePage, void, undefined> {
    const { signal, wait = 25, onDelay } = this.#options
    let { after } = this.#options
    // What else is no number only delays, and would for ever.
    inRange('wait', 0, wait)
    for (let failures = 0; ;) {
      let page: ChangePage
      const askedAt = performance.now()
      try {
        page = await this.#list({ wait, ...(after !== undefined && { after }) }, { signal, retries: 0 })
      } catch (error) {
        failures += 1
        if (!onlyDelays(error)) throw error
        onDelay?.(error)
        await pause('listChanges', Math.max(delayMs(failures, error) ?? 30_000, 100), failures, signal)
        continue
      }
      failures = 0
      after = page.next_after
      const tookMs = performance.now() - askedAt
      yield page
      if (signal?.aborted) throw new AbortError('listChanges: aborted', { attempts: 0, cause: signal.reason })
      // With `wait: 0`, or where nobody heeds it, this would be all that anybody does.
      if (page.data.length === 0 && !page.has_more && tookMs < pageMsMin)
        await pause('listChanges', pageMsMin, 0, signal)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryChange, void, undefined> {
    for await (const page of this.pages()) yield* page.data
  }
}

/** Whether it may be better the next time: nothing was missed, and nobody said that it is not for the caller. */
export function onlyDelays(error: unknown): boolean {
  // What is none of the client's own comes from `getToken`.
  if (!(error instanceof TenantClientError)) return true
  if (error instanceof ProblemError) return error.status >= 500 || [401, 408, 429].includes(error.status)
  return error instanceof ConnectionError || error instanceof TimeoutError || error instanceof UnexpectedAnswerError
}
