import type { Call } from './call.ts'
import { onlyDelays } from './change-feed.ts'
import type { ListAuditStreamEventsQuery, ListAuditStreamsQuery } from './generated/operations.gen.ts'
import type { AuditStream, AuditStreamEvent, AuditStreamEventPage, AuditStreamPage } from './generated/schemas.gen.ts'
import type { RequestOptions } from './options.ts'
import { inRange } from './options.ts'
import { ProblemError } from './problem-error.ts'
import { delayMs, pause } from './retry.ts'
import type { Transport } from './transport.ts'

/** Where and how to follow the log. */
export interface StreamFollowOptions {
  /** The `cursor` of what came last; without it, all streams are looked at once. */
  readonly cursor?: string | undefined
  /** The place up to which you have a stream, from wherever you keep it; 0 for one that you do not know. */
  readonly positionOf: (streamId: string) => number | Promise<number>
  readonly signal?: AbortSignal | undefined
  /** How many milliseconds to rest when nothing is new. 1 000 unless told. */
  readonly pollMs?: number | undefined
  /** Hears of every failure that only delays. */
  readonly onDelay?: ((error: unknown) => void) | undefined
}

/** The next events of a stream. */
export interface FollowedEvents {
  readonly stream_id: string
  readonly events: readonly AuditStreamEvent[]
  /** Up to where you have the stream with these: keep it, for `positionOf`. */
  readonly position: number
  /** Where to go on after a restart: keep it, for `cursor`. */
  readonly cursor: string | undefined
}

/** The log stream by stream. */
export class AuditStreams {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The streams that changed after a place. */
  list(query: ListAuditStreamsQuery = {}, options?: RequestOptions): Call<AuditStreamPage> {
    return this.#transport.call('listAuditStreams', { query }, options)
  }

  /**
   * The events of a stream after a place in it, without gaps.
   * @throws {NotFoundError} `audit_stream.not_found`
   */
  events(
    streamId: string,
    query: ListAuditStreamEventsQuery = {},
    options?: RequestOptions,
  ): Call<AuditStreamEventPage> {
    return this.#transport.call('listAuditStreamEvents', { path: { stream_id: streamId }, query }, options)
  }

  /**
   * All events of all streams, without end: those of each stream in their order, each once as long as you keep its
   * position with what you make of its events. An outage only delays it.
   * @throws {ForbiddenError} when you may not follow the log
   * @throws {AbortError} when your signal says to stop
   */
  async *follow(options: StreamFollowOptions): AsyncGenerator<FollowedEvents, void, undefined> {
    const { signal, pollMs = 1_000, positionOf } = options
    inRange('pollMs', 0, pollMs)
    let { cursor } = options
    for (;;) {
      const query = cursor === undefined ? {} : { cursor }
      const page = await this.#patiently('listAuditStreams', options, () => this.list(query, { signal, retries: 0 }))
      for (const stream of page.data) {
        const after = await positionOf(stream.stream_id)
        for await (const { data, next_after } of this.#after(stream, after, options)) {
          yield { stream_id: stream.stream_id, events: data, position: next_after, cursor }
        }
      }
      // What is being written now is told again until it is over; that is nothing to run after.
      const isRest = !page.has_more || page.next_cursor === cursor
      cursor = page.next_cursor
      if (isRest) await pause('listAuditStreams', pollMs, 0, signal)
    }
  }

  async *#after(
    { stream_id, last_seq }: AuditStream,
    after: number,
    options: StreamFollowOptions,
  ): AsyncGenerator<AuditStreamEventPage, void, undefined> {
    const { signal } = options
    for (let place = after; place < last_seq;) {
      const ask = () => this.events(stream_id, { after: place, limit: 1_000 }, { signal, retries: 0 })
      const page = await this.#patiently('listAuditStreamEvents', options, ask).catch((error: unknown) => {
        // Since it was told of, all that is for the caller was over.
        if (error instanceof ProblemError && error.code === 'audit_stream.not_found') return undefined
        throw error
      })
      if (!page) return
      yield page
      if (!page.has_more) return
      place = page.next_after
    }
  }

  async #patiently<Page>(
    operation: string,
    { signal, onDelay }: StreamFollowOptions,
    ask: () => PromiseLike<Page>,
  ): Promise<Page> {
    for (let failures = 0; ;) {
      try {
        return await ask()
      } catch (error) {
        failures += 1
        if (!onlyDelays(error)) throw error
        onDelay?.(error)
        await pause(operation, Math.max(delayMs(failures, error) ?? 30_000, 100), failures, signal)
      }
    }
  }
}
