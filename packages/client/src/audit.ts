import type { Call } from './call.ts'
import type {
  ListAuditCheckpointsQuery,
  ListAuditEventsQuery,
  VerifyAuditStreamQuery,
} from './generated/operations.gen.ts'
import type {
  AuditCheckpoint,
  AuditCheckpointPage,
  AuditEvent,
  AuditEventPage,
  AuditSigningKey,
  AuditSigningKeyPage,
  AuditStreamVerification,
} from './generated/schemas.gen.ts'
import { List, pageQuery } from './list.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** The audit log: who did what, to whom, and when. */
export class Audit {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The events that match every filter, newest first. */
  listEvents(filter: ListAuditEventsQuery = {}, options?: RequestOptions): List<AuditEvent, AuditEventPage> {
    return new List('listAuditEvents', filter.cursor, (cursor) =>
      this.#transport.call('listAuditEvents', { query: pageQuery(filter, cursor) }, options),
    )
  }

  /**
   * The event with this id.
   * @throws {NotFoundError} `audit_event.not_found`
   */
  getEvent(eventId: string, options?: RequestOptions): Call<AuditEvent> {
    return this.#transport.call('getAuditEvent', { path: { event_id: eventId } }, options)
  }

  /**
   * Verifies a stream, or a part of a long one: `next_cursor` says how to go on. `intact: false` is no error of the call.
   * @throws {NotFoundError} `audit_stream.not_found`
   */
  verifyStream(
    streamId: string,
    query: VerifyAuditStreamQuery = {},
    options?: RequestOptions,
  ): Call<AuditStreamVerification> {
    return this.#transport.call('verifyAuditStream', { path: { stream_id: streamId }, query }, options)
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
