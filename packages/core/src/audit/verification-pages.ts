import type { Reader } from '../db/handles.ts'
import type { VerificationRow } from './verification-row.ts'
import { listRows, type LogPlace, placeOf } from './verification.repository.ts'

/** Rows that one page has, and about how many bytes: an event may have a quarter of a megabyte. */
const page = { rows: { first: 100, max: 1_000 }, bytes: 4_000_000 } as const

/** Rows in the order of the log, after a place and up to a stream, a page at a time. The next page is on its way while one is looked at. */
export async function* rowPages(db: Reader, after: LogPlace, last: string): AsyncGenerator<VerificationRow[]> {
  let rowsMax: number = page.rows.first
  let coming = listRows(db, after, last, rowsMax)
  for (;;) {
    const rows = await coming
    const end = rows.at(-1)
    if (!end) return
    const isLast = rows.length < rowsMax
    if (!isLast) {
      const bytes = rows.reduce((sum, row) => sum + row.bytes, 0) / rows.length
      rowsMax = Math.max(1, Math.min(page.rows.max, rowsMax * 4, Math.floor(page.bytes / bytes)))
      coming = listRows(db, placeOf(end), last, rowsMax)
      // Who stops to look does not wait for it.
      coming.catch(() => undefined)
    }
    yield rows
    if (isLast) return
  }
}
