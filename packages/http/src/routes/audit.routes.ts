import {
  EventId,
  getEventJson,
  listEventsJson,
  Publication,
  RecordedEvent,
  RecordedEventQuery,
  RegistryError,
} from '@breakpilot/tenant-core'
import { z } from 'zod'
import { pageOf } from '../page.ts'
import { route } from '../route.ts'
import { written } from '../written.ts'

const tag = 'audit'

/** Answers that were given before. The body of an answer does not tell: a repetition has the same one. */
const replays = new WeakSet<object>()

/** The names under which events have maps. */
const eventMaps: ReadonlySet<string> = new Set(['fields', 'metadata'])

const Recorded = z
  .object({
    data: z
      .array(
        z
          .object({
            id: EventId.meta({
              description: 'The id of the event.',
              examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'],
            }),
            hash: z.string().meta({
              description: "Retraced's hash of what was sent: 64 hexadecimal digits.",
              examples: ['d033e1de7a30f805da291472565cc6fe80fad84798b62148f7cfc064bd9dc623'],
            }),
          })
          .meta({ id: 'RecordedAuditEvent', description: 'What was recorded of an event that was published.' }),
      )
      .meta({ description: 'Event by event, in the order of the request.' }),
  })
  .meta({ id: 'RecordedAuditEvents', description: 'What was recorded of events that were published.' })

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
    method: 'post',
    path: '/v1/audit/events',
    operation: 'publishAuditEvents',
    tag,
    summary: 'Record events in the audit log',
    description:
      'Records events of a product: all of them, or none. The product and the environment are those of the key. When this answers they are on disk and found by every search. With an Idempotency-Key the same request can be sent again for seven days, and records nothing twice.',
    scope: 'audit:publish',
    body: Publication,
    bodyBytesMax: 10 * 1_024 * 1_024,
    bodyMaps: eventMaps,
    status: 201,
    response: Recorded,
    errors: ['audit_event.external_id_reused', 'audit_event.queue_full', 'service.not_ready'],
    idempotent: 'handler',
    replayed: (result) => replays.has(result),
    countedBy: 'nobody',
    handle: async ({ ingest, principal, body, idempotencyKey }) => {
      if (principal?.kind !== 'product-key') throw new RegistryError('auth.permission_denied')
      const { key, product } = principal
      const { recorded, replayed } = await ingest.submit({
        // Who rotates a key asks again with the new one.
        principal: key.family_id,
        product,
        environment: key.environment,
        events: body.events,
        uniqueBy: body.unique_by,
        idempotencyKey,
      })
      const result = { data: recorded.map(({ id, hash }) => ({ id, hash: hash.toString('hex') })) }
      if (replayed) replays.add(result)
      return result
    },
  }),
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
    response: written(AuditEventPage),
    errors: ['page.cursor_invalid', 'audit_search.invalid'],
    handle: ({ db, sight, query }) => listEventsJson(db, sight, query),
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
    response: written(RecordedEvent),
    errors: ['audit_event.not_found'],
    handle: ({ db, sight, params }) => getEventJson(db, sight, params.event_id),
  }),
]
