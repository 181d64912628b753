import { csvColumns, EventExportQuery, exportEvents } from '@breakpilot/tenant-core'
import { ndjson } from '../ndjson.ts'
import { route } from '../route.ts'
import { streamed } from '../stream.ts'

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
        example: '{"id":"0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f","cursor":"…"}\n',
      },
      {
        mediaType: 'text/csv',
        description: `RFC 4180, with a first line of names: ${csvColumns.join(', ')}. A cell that a spreadsheet would take for a formula begins with an apostrophe.`,
        example: `${csvColumns.join(',')}\r\n`,
      },
    ),
    errors: ['page.cursor_invalid', 'audit_search.invalid'],
    handle: ({ db, actor, query }) => exportEvents(db, actor, query),
  }),
]
