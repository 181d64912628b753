import type { Call } from './call.ts'
import { ChangeFeed, type FollowOptions } from './change-feed.ts'
import type { ListChangesQuery } from './generated/operations.gen.ts'
import type { ChangePage } from './generated/schemas.gen.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What changes in the registry, in the order in which it does. */
export class Changes {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * What changed after a place in the feed. With `wait` it answers as soon as there is something.
   * @throws {ChangesExpiredError} `changes.expired`
   */
  list(query: ListChangesQuery = {}, options: RequestOptions = {}): Call<ChangePage> {
    // The time that the registry waits is not time that it is late.
    const waitMs = (query.wait ?? 0) * 1_000
    const {
      timeoutMs = waitMs > 0 ? waitMs + 10_000 : undefined,
      deadlineMs = waitMs > 0 ? waitMs + 60_000 : undefined,
    } = options
    return this.#transport.call('listChanges', { query }, { ...options, timeoutMs, deadlineMs })
  }

  /**
   * Everything that changes after a place in the feed, without end: an outage only delays it, of the registry, of what
   * stands before it, or of what `getToken` needs; so does a token that does not count. Give it `onDelay`, or nobody
   * hears of that. Iterate over it for the changes, over `pages()` to know how far you are when nothing changes. It ends
   * by throwing:
   * @throws {ChangesExpiredError} when something was missed: reload what you keep, and follow anew
   * @throws {ForbiddenError} when you may not follow it
   * @throws {InvalidError} when `after` or `wait` is not what the registry takes
   * @throws {AbortError} when your signal says to stop
   */
  follow(options: FollowOptions = {}): ChangeFeed {
    return new ChangeFeed(options, (query, options) => this.list(query, options))
  }
}
