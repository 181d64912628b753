import { isIP } from 'node:net'
import { z } from 'zod'
import type { EventId } from '../id.ts'
import { text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { EventMap } from './event-map.ts'

/** How much may be published at once. */
export const publishBounds = {
  /** Events in one request. */
  events: 1_000,
  /** Bytes of an action or an id: an entry of a btree index holds no more than 2 704. */
  termBytes: 1_024,
  /** Bytes of all texts of one event. */
  eventBytes: 256 * 1_024,
} as const

/** An action or an id. */
const term = (description: string, example: string) =>
  text(publishBounds.termBytes)
    .min(1)
    .refine((value) => value.length <= publishBounds.termBytes / 3 || fits(value), {
      error: `must not have more than ${publishBounds.termBytes} bytes`,
    })
    .meta({ description, examples: [example] })
const fits = (value: string) => Buffer.byteLength(value) <= publishBounds.termBytes

/** Bounded by what a whole event may have. */
const words = (description: string, example: string) =>
  text(publishBounds.eventBytes).meta({ description, examples: [example] })

const mapOf = (description: string, example: Record<string, string>) =>
  EventMap.meta({ description: `${description} Kept in the order of its entries.`, examples: [example] })

const partyShape = {
  id: term('Its id: the same every time.', 'jane@acme.example').optional(),
  name: words('What it is called.', 'Jane').optional(),
  href: words('Where to read on.', 'https://acme.example/people/jane').optional(),
  fields: mapOf('What else is known of it.', { role: 'editor' }).optional(),
}

/** An event as a product publishes it. What is absent stays absent: false is not the same as not said. */
export const PublishedEvent = z
  .strictObject({
    action: term('What was done, as `noun.verb`.', 'report.opened'),
    crud: z.enum(['c', 'r', 'u', 'd']).meta({ description: 'Whether it created, read, updated or deleted something.' }),
    group: z
      .strictObject({
        id: term('Its id: the id of a tenant that has or had the product, or any other.', tenantExample()).optional(),
        name: words('What it is called.', 'Acme Inc.').optional(),
      })
      .optional()
      .meta({ description: 'For whom it was done.' }),
    actor: z
      .strictObject(partyShape)
      .optional()
      .meta({ description: 'Who did it. Only what nobody in particular did has none.' }),
    target: z
      .strictObject({ ...partyShape, type: words('What kind of thing it is.', 'report').optional() })
      .optional()
      .meta({ description: 'What it was done to.' }),
    created_at: Timestamp.optional().meta({ description: 'When it happened, if that is not now.' }),
    source_ip: z
      .string()
      .refine((value) => isIP(value) !== 0, { error: 'must be an IPv4 or IPv6 address' })
      .optional()
      .meta({
        description: 'Where the request came from: an IPv4 or IPv6 address, kept as it is spelled.',
        examples: ['192.0.2.1'],
      }),
    description: words('What happened, for people.', 'Jane opened the report').optional(),
    component: words('The part of the product that tells of it.', 'web').optional(),
    version: words('The version of that part.', '2026.11').optional(),
    external_id: term('The id that the product gives it.', 'order-17-opened').optional(),
    is_anonymous: z.boolean().optional().meta({ description: 'Whether nobody in particular did it.' }),
    is_failure: z.boolean().optional().meta({ description: 'Whether it failed.' }),
    fields: mapOf('What belongs to it.', { quality: 'excellent' }).optional(),
    metadata: mapOf('What belongs to its making.', { request_id: 'req-12345678' }).optional(),
  })
  .refine((event) => event.is_anonymous === true || event.actor?.id !== undefined, {
    path: ['actor', 'id'],
    error: 'must be there, unless is_anonymous is true',
  })
  .refine(({ group }) => hasIdOrNothing(group), { path: ['group', 'id'], error: 'must be there, if anything is' })
  .refine(({ target }) => hasIdOrNothing(target), { path: ['target', 'id'], error: 'must be there, if anything is' })
  .refine((event) => bytesOf(event) <= publishBounds.eventBytes, {
    error: `must not have more than ${publishBounds.eventBytes} bytes`,
  })
  .meta({ id: 'PublishedEvent', description: 'An event, as a product publishes it.' })
export type PublishedEvent = z.output<typeof PublishedEvent>

/** What a product publishes at once: all of it is recorded, or nothing. */
export const Publication = z
  .strictObject({
    events: z
      .array(PublishedEvent)
      .min(1)
      .max(publishBounds.events)
      .meta({ description: `1 to ${publishBounds.events} events. Those of one group stand in the log in this order.` }),
    unique_by: z.enum(['external_id']).optional().meta({
      description:
        'With `external_id`, an event is not recorded again when one with this `external_id` was published in the last seven days, with `unique_by` too, by the same product in the same environment for the same group: the answer names that one. Every event has to have one then. What was published without `unique_by` is not looked at.',
    }),
  })
  .refine(
    ({ events, unique_by }) => unique_by === undefined || events.every((event) => event.external_id !== undefined),
    {
      path: ['unique_by'],
      error: 'every event must have an external_id',
    },
  )
  .meta({ id: 'Publication', description: 'Events to record.' })
export type Publication = z.output<typeof Publication>

/** What was recorded of what was published, event by event. */
export interface Recorded {
  readonly id: EventId
  /** What Retraced's clients compute again and compare. */
  readonly hash: Buffer
}

/** Whom or what an event names, as it is being read. */
interface Party {
  readonly id?: string | undefined
  readonly fields?: EventMap | undefined
}

const hasIdOrNothing = (party: Party | undefined) =>
  party === undefined || party.id !== undefined || Object.values(party).every((value) => value === undefined)

/** The parts of an event that hold texts, beside texts of its own. */
interface Texts {
  readonly group?: Party | undefined
  readonly actor?: Party | undefined
  readonly target?: Party | undefined
  readonly fields?: EventMap | undefined
  readonly metadata?: EventMap | undefined
}

/** The bytes of all texts of an event. */
export function bytesOf(event: Texts): number {
  const { group, actor, target, fields, metadata } = event
  let bytes = 0
  for (const part of [event, group, actor, target]) {
    if (part === undefined) continue
    // Without a list of the values: that would take longer than to count.
    for (const name in part) {
      const value = (part as Record<string, unknown>)[name]
      if (typeof value === 'string') bytes += Buffer.byteLength(value)
    }
  }
  for (const map of [fields, metadata, actor?.fields, target?.fields]) {
    if (map === undefined) continue
    for (const [name, value] of map) bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  }
  return bytes
}

function tenantExample() {
  return '00000000-0000-0000-0000-000000000001'
}
