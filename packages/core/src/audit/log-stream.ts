import { z } from 'zod'
import { RegistryError } from '../errors.ts'
import { StreamId, TenantId } from '../id.ts'
import { Timestamp } from '../timestamp.ts'
import { RecordedEvent } from './recorded-event.ts'

/** How many streams and how many events of one are answered when nothing is asked for, and at most. */
export const streamLimit = { default: 100, max: 1_000 } as const

const limit = z
  .codec(
    z.string().regex(/^[1-9]\d{0,3}$/, { error: `must be a whole number from 1 to ${streamLimit.max}` }),
    z.int().min(1).max(streamLimit.max),
    { decode: Number, encode: String },
  )
  .optional()
  .meta({
    description: `How many to answer: 1 to ${streamLimit.max}, ${streamLimit.default} unless told.`,
    examples: [100],
    type: 'integer',
    pattern: undefined,
    minimum: 1,
    maximum: streamLimit.max,
  })

/** The last number of a sequence that JSON can say exactly. */
const place = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

/** A stream of the audit log, and how far it is. */
export const LogStream = z
  .object({
    stream_id: StreamId.meta({
      description: "The id of the stream: a tenant's own id, or one of the stream alone.",
      examples: ['00000000-0000-0000-0000-000000000001'],
    }),
    tenant_id: TenantId.nullable().meta({
      description: 'The tenant whose log it is; null when it is none, or one that is gone.',
    }),
    last_seq: place.meta({ description: 'The place of its last event.', examples: [42] }),
    last_received_at: Timestamp.meta({ description: 'When that came in.' }),
  })
  .meta({
    id: 'AuditStream',
    description: 'A stream of the audit log: its events are numbered from 1, in the order of their commits.',
  })
export type LogStream = z.output<typeof LogStream>

/** Which streams to answer. */
export const LogStreamQuery = z.object({
  limit,
  cursor: z.string().max(200).optional().meta({
    description:
      'The `next_cursor` of the answer before; without it, from the stream that changed the longest time ago.',
  }),
})
export type LogStreamQuery = z.output<typeof LogStreamQuery>

/** Streams that changed after a place. */
export const LogStreamPage = z
  .object({
    data: z.array(LogStream).meta({
      description: 'The streams that changed, the one that did last at the end. One may be told of more than once.',
    }),
    has_more: z.boolean().meta({ description: 'Whether to ask again at once.' }),
    next_cursor: z.string().meta({
      description: 'Hand this back as `cursor`, now or later. It never ends.',
      examples: ['1767225600000.00000000-0000-0000-0000-000000000001'],
    }),
  })
  .meta({ id: 'AuditStreamPage', description: 'Streams that changed after a place.' })
export type LogStreamPage = z.output<typeof LogStreamPage>

const digest = (description: string) =>
  z
    .string()
    .nullable()
    .meta({ description: `${description} In hexadecimal.`, examples: ['e3b0c44298fc1c14'.repeat(4)] })

/** An event with its place in its stream. */
const StreamEvent = RecordedEvent.extend({
  stream_id: StreamId.meta({ description: 'Its stream.', examples: ['00000000-0000-0000-0000-000000000001'] }),
  stream_seq: place.meta({ description: 'Its place in the stream.', examples: [42] }),
  chain_hash: digest('What the chain of the stream is at this event.'),
}).meta({ id: 'AuditStreamEvent', description: 'An event of the audit log, with its place in its stream.' })

/** Which events of a stream to answer. */
export const StreamEventQuery = z.object({
  limit,
  after: z
    .codec(z.string().regex(/^(?:0|[1-9]\d{0,15})$/, { error: 'must be the place of an event' }), place, {
      decode: Number,
      encode: String,
    })
    .optional()
    .meta({
      description: 'Only events after this place of the stream: the `next_after` of the answer before. 0 unless told.',
      examples: [41],
      type: 'integer',
      pattern: undefined,
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
})
export type StreamEventQuery = z.output<typeof StreamEventQuery>

/** Events of a stream. */
export const StreamEventPage = z
  .object({
    data: z.array(StreamEvent).meta({
      description:
        'The events that came next, in their order. Places that are missing are not yours, or no longer kept.',
    }),
    has_more: z.boolean().meta({ description: 'Whether to ask again at once.' }),
    next_after: place.meta({ description: 'Where to go on: also behind what is not yours.', examples: [42] }),
  })
  .meta({ id: 'AuditStreamEventPage', description: 'Events of a stream after a place.' })
export type StreamEventPage = z.output<typeof StreamEventPage>

/** A place among the streams, in the order in which they changed. */
export interface StreamPlace {
  readonly at: Date
  readonly id: StreamId
}

const spelling = /^(\d{1,15})\.([0-9a-f-]{36})$/

export const encodeStreamPlace = ({ at, id }: StreamPlace): string => `${at.getTime()}.${id}`

/** @throws {RegistryError} `page.cursor_invalid` */
export function decodeStreamPlace(cursor: string): StreamPlace {
  const [, time, id] = spelling.exec(cursor) ?? []
  const at = new Date(Number(time))
  const known = StreamId.safeParse(id)
  if (!Number.isNaN(at.getTime()) && known.success) return { at, id: known.data }
  throw new RegistryError('page.cursor_invalid', { detail: 'Use the next_cursor of an answer of this very list.' })
}
