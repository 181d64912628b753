import { z } from 'zod'
import { text } from '../../text.ts'

const flag = z.boolean().optional()
/** Milliseconds since 1970, or a text of ISO 8601. */
const time = z.union([z.number(), text(64)]).nullish()

/** What a viewer saves of a search, as Retraced's viewer sends it. */
export const SavedSearch = z.strictObject({
  version: z.literal(1).optional(),
  searchQuery: text(2_000).optional(),
  showCreate: flag,
  showRead: flag,
  showUpdate: flag,
  showDelete: flag,
  startTime: time,
  endTime: time,
})
export type SavedSearch = z.output<typeof SavedSearch>

/** A search that was saved, to have what it finds as a file. */
export interface SavedExport {
  /** A UUID. */
  readonly id: string
  readonly name: string
  readonly body: SavedSearch
  readonly saved_at: Date
}
