import { EventExport, type ExportFilter } from './audit-export.ts'
import { AuditStreams } from './audit-streams.ts'
import type { Call } from './call.ts'
import type { ListAuditCheckpointsQuery, ListAuditEventsQuery } from './generated/operations.gen.ts'
import type {
  AuditCheckpoint,
  AuditCheckpointPage,
  AuditEvent,
  AuditEventPage,
  AuditSigningKey,
  AuditSigningKeyPage,
  AuditStreamVerification,
  AuditStreamVerificationRequest,
  AuditViewerToken,
  NewAuditViewerToken,
  Publication,
  RecordedAuditEvents,
} from './generated/schemas.gen.ts'
import { List, pageQuery } from './list.ts'
import type { ChangeOptions, RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** Which events of the audit log a list has: those that match all of it. */
export interface AuditEventFilter extends Omit<ListAuditEventsQuery, 'crud' | 'is_anonymous' | 'is_failure' | 'total'> {
  /** Only these kinds of action. */
  readonly crud?: string | readonly ('c' | 'r' | 'u' | 'd')[]
  /** Only what is said to have failed, or not to. */
  readonly is_failure?: boolean | 'true' | 'false'
  /** Only what nobody in particular is said to have done, or not. */
  readonly is_anonymous?: boolean | 'true' | 'false'
  /** Whether each page says how many events match on all pages: exactly up to 10 000. */
  readonly total?: boolean | 'true' | 'false'
}

/** The audit log: who did what, to whom, and when. */
export class Audit {
  readonly #transport: Transport
  /** The log stream by stream, for who follows it. */
  readonly streams: AuditStreams

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
    this.streams = new AuditStreams(transport)
  }

  /**
   * Records events of the product whose key this client has: all of them, or none. They are on disk when this answers.
   * Unless you give an `idempotencyKey`, each call makes one of its own, so that trying again records nothing twice.
   * @throws {ConflictError} `audit_event.external_id_reused`
   */
  publishEvents(publication: Publication, options?: ChangeOptions): Call<RecordedAuditEvents> {
    return this.#transport.call('publishAuditEvents', { body: publication }, options)
  }

  /**
   * The events that match every filter, newest first.
   * @example
   *   const { data, total } = await registry.audit.listEvents({ tenant_id: id, action: 'report.*', total: true })
   */
  listEvents(filter: AuditEventFilter = {}, options?: RequestOptions): List<AuditEvent, AuditEventPage> {
    const query = queryOf(filter)
    return new List('listAuditEvents', filter.cursor, (cursor) =>
      this.#transport.call('listAuditEvents', { query: pageQuery(query, cursor) }, options),
    )
  }

  /**
   * All events that match, of whatever number: nothing is asked before somebody iterates over it. What was broken off
   * goes on after the last event that came.
   */
  export(filter: ExportFilter = {}, options: RequestOptions = {}): EventExport {
    return new EventExport(filter, options, this.#transport)
  }

  /**
   * The event with this id.
   * @throws {NotFoundError} `audit_event.not_found`
   */
  getEvent(eventId: string, options?: RequestOptions): Call<AuditEvent> {
    return this.#transport.call('getAuditEvent', { path: { event_id: eventId } }, options)
  }

  /**
   * Makes a token with which the page `/audit/viewer` shows the whole log of a tenant for some minutes: of all products
   * and environments, unless you name one. For the platform's own people. `url` is where to look, below your `baseUrl`.
   * @throws {NotFoundError} `tenant.not_found`
   * @throws {ConflictError} `idempotency.secret_gone`
   */
  issueViewerToken(asked: NewAuditViewerToken, options?: ChangeOptions): Call<AuditViewerToken> {
    return this.#transport.call('issueAuditViewerToken', { body: asked }, options)
  }

  /**
   * Ends a viewer token before its time, whoever made it.
   * @throws {NotFoundError} `audit_viewer.not_found` also for one that is over
   */
  endViewerToken(viewerTokenId: string, options?: RequestOptions): Call<void> {
    return this.#transport.call('endAuditViewerToken', { path: { viewer_token_id: viewerTokenId } }, options)
  }

  /**
   * Verifies a stream, or a part of a long one: `next_cursor` says how to go on. `intact: false` is no error of the call.
   * @throws {NotFoundError} `audit_stream.not_found`
   */
  verifyStream(
    streamId: string,
    part: Omit<AuditStreamVerificationRequest, 'stream_id'> = {},
    options?: RequestOptions,
  ): Call<AuditStreamVerification> {
    return this.#transport.call('verifyAuditStream', { body: { stream_id: streamId, ...part } }, options)
  }

  /** The signed checkpoints, newest first. */
  listCheckpoints(
    page: ListAuditCheckpointsQuery = {},
    options?: RequestOptions,
  ): List<AuditCheckpoint, AuditCheckpointPage> {
    return new List('listAuditCheckpoints', page.cursor, (cursor) =>
      this.#transport.call('listAuditCheckpoints', { query: pageQuery(page, cursor) }, options),
    )
  }

  /** Every public key that checkpoints are or were signed with, the newest first. */
  listSigningKeys(options?: RequestOptions): List<AuditSigningKey, AuditSigningKeyPage> {
    return new List('listAuditSigningKeys', undefined, () => this.#transport.call('listAuditSigningKeys', {}, options))
  }
}

/** The filter as it is written in a URL. */
function queryOf({ crud, is_failure, is_anonymous, total, ...rest }: AuditEventFilter): ListAuditEventsQuery {
  return {
    ...rest,
    ...(crud !== undefined && { crud: typeof crud === 'string' ? crud : crud.join(',') }),
    ...flag('is_failure', is_failure),
    ...flag('is_anonymous', is_anonymous),
    ...flag('total', total),
  }
}

const flag = (name: 'is_failure' | 'is_anonymous' | 'total', value: boolean | 'true' | 'false' | undefined) =>
  value === undefined ? {} : { [name]: String(value) as 'true' | 'false' }
