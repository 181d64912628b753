import { z } from 'zod'
import { EventId, StreamId } from '../id.ts'
import { text } from '../text.ts'

/** What the log says of a redaction; in its fields `after.stream_seqs` has the places in the stream. */
export const redactedAction = 'audit_event.redacted'

const termOf = () => text(1024).min(1)

/**
 * Which events lose what they say of persons: these, or those of an actor or a target. An id of a person means something
 * in one product alone, so a person has to be named with a product or a stream.
 */
export const RedactionRequest = z
  .strictObject({
    event_ids: z.array(EventId).min(1).max(1_000).optional(),
    actor_id: termOf().optional(),
    target_id: termOf().optional(),
    product: termOf().optional(),
    stream_id: StreamId.optional(),
    /** Goes into the log, and has to do without what is erased. */
    reason: text(500).trim().min(1),
    /** Leaves streams under a legal hold as they are; otherwise nothing is done when there is one. */
    skip_held: z.boolean().optional(),
  })
  .refine(({ event_ids, actor_id, target_id }) => [event_ids, actor_id, target_id].filter(Boolean).length === 1, {
    error: 'needs either events, or an actor, or a target',
  })
  .refine(
    ({ event_ids, product, stream_id }) => event_ids !== undefined || product !== undefined || stream_id !== undefined,
    {
      error: 'needs a product or a stream beside an actor or a target: elsewhere the same id may be somebody else',
    },
  )
export type RedactionRequest = z.output<typeof RedactionRequest>

/** What was redacted. */
export interface Redacted {
  readonly events: number
  readonly streams: number
  /** Streams that were left as they are, for their legal hold. */
  readonly held: readonly StreamId[]
  /** Of how many actors, targets and groups something was remembered, scope by scope, and is not any more. */
  readonly forgotten: number
}
