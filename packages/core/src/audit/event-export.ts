import { z } from 'zod'
import { RegistryError } from '../errors.ts'
import { EventId } from '../id.ts'
import { fingerprint, type Position } from '../page.ts'
import { spellMoment } from './moment.ts'
import { RecordedEvent, RecordedEventQuery } from './recorded-event.ts'

/** In which form events are exported. */
export const exportFormats = ['csv', 'ndjson'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** What to export: what the list of events can be asked for, whole, in one direction or the other. */
export const EventExportQuery = RecordedEventQuery.omit({ limit: true }).extend({
  format: z.enum(exportFormats).meta({
    description: '`ndjson` has every event as it was recorded; `csv` is for spreadsheets.',
    examples: ['ndjson'],
  }),
  order: z
    .enum(['newest_first', 'oldest_first'])
    .optional()
    .meta({ description: 'By when it happened; newest first unless told.', examples: ['oldest_first'] }),
  cursor: z
    .string()
    .max(4096)
    .optional()
    .meta({ description: 'The `cursor` of the last event that you have, with the same filters and the same order.' }),
})
export type EventExportQuery = z.output<typeof EventExportQuery>

/** An event as a line of an export. */
export const ExportedEvent = RecordedEvent.extend({
  cursor: z.string().meta({
    description: 'Hand this back as `cursor` to go on after this event.',
    examples: ['Zj8zi1GoGnd.1767225600000.0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'],
  }),
}).meta({ id: 'ExportedAuditEvent', description: 'An event of the audit log, as it is exported.' })

/** What decides which events are exported, and in which order. */
export type ExportScope = Omit<EventExportQuery, 'format' | 'cursor'>

const spelling = /^([\w-]{11})\.(-?\d{1,16})\.([0-9a-f-]{36})$/

/** Spells where an export stands after an event: shorter than the cursor of a page, since every event carries one. */
export function exportCursors(
  scope: ExportScope,
): (at: { readonly canonical_at: Date; readonly id: string }) => string {
  const prefix = fingerprint('audit-export', scope)
  return ({ canonical_at, id }) => `${prefix}.${canonical_at.getTime()}.${id}`
}

/**
 * Reads where an export is to go on.
 * @throws {RegistryError} `page.cursor_invalid` when it is not one of ours, or of another filter or order
 */
export function decodeExportCursor(scope: ExportScope, cursor: string): Position {
  const [, prefix, time, id] = spelling.exec(cursor) ?? []
  const at = new Date(Number(time))
  const known = EventId.safeParse(id)
  if (prefix === fingerprint('audit-export', scope) && !Number.isNaN(at.getTime()) && known.success) {
    return { key: spellMoment(at), id: known.data }
  }
  throw new RegistryError('page.cursor_invalid', {
    detail: 'Use the cursor of an event of this very export, with the same filters and the same order.',
  })
}
