import { z } from 'zod'
import { EventId, StreamId } from '../id.ts'
import { openEnum } from '../text.ts'

/** What can be wrong with a log: docs/audit-evidence.md says of each what it means and what it does not. */
export const findingCodes = [
  'row_edited',
  'row_removed',
  'row_inserted',
  'rows_swapped',
  'rows_rewritten',
  'tail_removed',
  'row_erased',
  'search_edited',
  'head_missing',
  'version_unknown',
  'checkpoint_invalid',
  'checkpoint_key_unknown',
  'checkpoint_heads_changed',
  'checkpoint_removed',
  'checkpoint_replaced',
] as const
export type FindingCode = (typeof findingCodes)[number]

/** Something that is not as it was written, and where. */
export const Finding = z
  .object({
    code: openEnum(findingCodes).meta({ description: 'What was found.' }),
    message: z.string().meta({ description: 'The same in words.', examples: ['The row is not as it was written.'] }),
    stream_id: StreamId.nullable().meta({
      description: 'The stream that it is in.',
      examples: ['00000000-0000-0000-0000-000000000001'],
    }),
    stream_seq: z
      .int()
      .nullable()
      .meta({ description: 'The first place in the stream that is concerned.', examples: [17] }),
    event_id: EventId.nullable().meta({
      description: 'The event that stands there, if one does.',
      examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'],
    }),
    checkpoint: z
      .int()
      .nullable()
      .meta({ description: 'The number of the checkpoint that shows it.', examples: [42] }),
  })
  .meta({ id: 'AuditFinding', description: 'Something in the audit log that is not as it was written.' })
export type Finding = z.output<typeof Finding>

/** Where something was found, as far as it is known. */
type Place = Partial<Pick<Finding, 'stream_id' | 'stream_seq' | 'event_id' | 'checkpoint'>>

export const finding = (code: FindingCode, message: string, place: Place = {}): Finding => ({
  code,
  message,
  stream_id: place.stream_id ?? null,
  stream_seq: place.stream_seq ?? null,
  event_id: place.event_id ?? null,
  checkpoint: place.checkpoint ?? null,
})
