import { AbortError, ConnectionError, TimeoutError } from './error.ts'
import type { ListChangesQuery } from './generated/operations.gen.ts'
import type { ChangePage, RegistryChange } from './generated/schemas.gen.ts'
import type { RequestOptions } from './options.ts'
import { ProblemError } from './problem-error.ts'
import { delayMs, pause } from './retry.ts'

/** Where and how to follow the feed. */
export interface FollowOptions {
  /** The place to begin after: the `n` of a change, a page's `next_after`, or its `head`. Without it, as far back as is kept. */
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** How many seconds each request waits for something to happen. 25 unless told, which is the most. */
  readonly wait?: number | undefined
  /** Hears of every failure that only delays. */
  readonly onDelay?: ((error: unknown) => void) | undefined
}

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
    for (let failures = 0; ;) {
      let page: ChangePage
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
      yield page
      if (signal?.aborted) throw new AbortError('listChanges: aborted', { attempts: 0, cause: signal.reason })
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryChange, void, undefined> {
    for await (const page of this.pages()) yield* page.data
  }
}

function onlyDelays(error: unknown): error is ConnectionError | TimeoutError | ProblemError {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true
  return error instanceof ProblemError && (error.status === 429 || error.status >= 500)
}
