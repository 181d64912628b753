import { EventId, getEvent, listEvents, RecordedEvent, RecordedEventQuery } from '@breakpilot/tenant-core'
import { z } from 'zod'
import { pageOf } from '../page.ts'
import { route } from '../route.ts'

const tag = 'audit'

const AuditEventPage = pageOf(RecordedEvent, 'AuditEventPage')
  .extend({
    total: z
      .int()
      .optional()
      .meta({
        description:
          'With `total=true`: how many events match, on all pages together; when there are more than are counted, how many were counted.',
        examples: [3],
      }),
    total_is_exact: z
      .boolean()
      .optional()
      .meta({ description: 'With `total=true`: whether there are no more than `total`.', examples: [true] }),
  })
  .meta({ id: 'AuditEventPage', description: 'One page of a list.' })

export const auditRoutes = [
  route({
    method: 'get',
    path: '/v1/audit/events',
    operation: 'listAuditEvents',
    tag,
    summary: 'List events of the audit log',
    description:
      "Answers the events that match every filter, newest first, a page at a time. A tenant's own people see those of their tenants; what the registry did is shown to them without who did it.",
    scope: 'audit:read',
    query: RecordedEventQuery,
    status: 200,
    response: AuditEventPage,
    errors: ['page.cursor_invalid', 'audit_search.invalid'],
    handle: ({ db, sight, query }) => listEvents(db, sight, query),
  }),
  route({
    method: 'get',
    path: '/v1/audit/events/{event_id}',
    operation: 'getAuditEvent',
    tag,
    summary: 'Get an event of the audit log',
    description: 'Answers the event with this id.',
    scope: 'audit:read',
    params: z.object({
      event_id: EventId.meta({
        description: 'The id of the event.',
        examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'],
      }),
    }),
    status: 200,
    response: RecordedEvent,
    errors: ['audit_event.not_found'],
    handle: ({ db, sight, params }) => getEvent(db, sight, params.event_id),
  }),
]
