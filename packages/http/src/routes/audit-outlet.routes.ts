import {
  csvColumns,
  EventExportQuery,
  ExportedEvent,
  exportEvents,
  listLogStreams,
  LogStreamPage,
  LogStreamQuery,
  readLogStreamJson,
  StreamEventPage,
  StreamEventQuery,
  StreamId,
} from '@breakpilot/tenant-core'
import { z } from 'zod'
import { ndjson } from '../ndjson.ts'
import { route } from '../route.ts'
import { streamed } from '../stream.ts'
import { written } from '../written.ts'

const tag = 'audit'

export const auditOutletRoutes = [
  route({
    method: 'get',
    path: '/v1/audit/export',
    operation: 'exportAuditEvents',
    tag,
    summary: 'Export events of the audit log',
    description:
      'Answers all events that match every filter, of whatever number, while they are read. Each of them has a `cursor`, with which a later request goes on after it: an answer that was broken off is none, and its connection is reset. What is recorded meanwhile is in it where its place is still to come. That the log was exported is an event of it.',
    scope: 'audit:read',
    query: EventExportQuery,
    status: 200,
    response: streamed(
      {
        mediaType: ndjson,
        description: 'Events as the list of events has them, one in each line, each with its `cursor`.',
        row: ExportedEvent,
      },
      {
        mediaType: 'text/csv',
        description: `RFC 4180, with a first line of names: ${csvColumns.join(', ')}. A cell that a spreadsheet would take for a formula begins with an apostrophe.`,
        example: `${csvColumns.join(',')}\r\n`,
      },
    ),
    errors: ['page.cursor_invalid', 'audit_search.invalid', 'audit_export.too_many_running'],
    handle: ({ db, actor, query }) => exportEvents(db, actor, query),
  }),
  route({
    method: 'get',
    path: '/v1/audit/streams',
    operation: 'listAuditStreams',
    tag,
    summary: 'Follow which streams of the audit log change',
    description:
      'Answers the streams that changed after a place, so that one who follows the log asks for the events of these alone. No change is missed, whatever the order in which writers commit; a stream may be told of more than once. Products hear of streams with events of their own; for them `data` may be empty although `has_more` is true.',
    scope: 'audit:follow',
    query: LogStreamQuery,
    status: 200,
    response: LogStreamPage,
    errors: ['page.cursor_invalid'],
    handle: ({ db, sight, query }) => listLogStreams(db, sight, query),
  }),
  route({
    method: 'get',
    path: '/v1/audit/streams/{stream_id}/events',
    operation: 'listAuditStreamEvents',
    tag,
    summary: 'Follow a stream of the audit log',
    description:
      'Answers the events of a stream after a place in it, in the order of their commits and without gaps: what is committed later has a later place.',
    scope: 'audit:follow',
    params: z.object({
      stream_id: StreamId.meta({
        description: "The id of the stream: a tenant's own id, or one from the list of streams.",
        examples: ['00000000-0000-0000-0000-000000000001'],
      }),
    }),
    query: StreamEventQuery,
    status: 200,
    response: written(StreamEventPage),
    errors: ['audit_stream.not_found'],
    handle: ({ db, sight, params, query }) => readLogStreamJson(db, sight, params.stream_id, query),
  }),
]
