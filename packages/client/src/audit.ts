import { EventExport, type ExportFilter } from './audit-export.ts'
import { AuditStreams } from './audit-streams.ts'
import type { Call } from './call.ts'
import type { ListAuditEventsQuery } from './generated/operations.gen.ts'
import type { AuditEvent, AuditEventPage, Publication, RecordedAuditEvents } from './generated/schemas.gen.ts'
import { List } from './list.ts'
import type { ChangeOptions, RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

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

  /** The events that match every filter, newest first. */
  listEvents(filter: ListAuditEventsQuery = {}, options?: RequestOptions): List<AuditEvent, AuditEventPage> {
    return new List('listAuditEvents', filter.cursor, (cursor) => {
      const query = { ...filter, ...(cursor !== undefined && { cursor }) }
      return this.#transport.call('listAuditEvents', { query }, options)
    })
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
}
