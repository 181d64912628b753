import type { Reader } from '../db/handles.ts'
import { type Finding, finding } from './verification-finding.ts'
import type { VerificationRow } from './verification-row.ts'
import { listRows, placeBehind } from './verification.repository.ts'

/** How far from where it is a row is looked for. */
const reach = 10_000

/**
 * A row that does not fit its place may be whole, and belong elsewhere: then it says where, and that tells whether rows
 * were swapped, taken out, or put in before it.
 */
export async function explainMisfit(db: Reader, row: VerificationRow, found: Finding): Promise<Finding> {
  const place = row.stream_seq
  const written = placeItWasWrittenFor(row)
  if (written === undefined) return found
  const { stream_id } = row
  const where = { stream_id, event_id: row.id }
  const there = await listRows(db, placeBehind(stream_id, written - 1), stream_id, 1)
  const [other] = there
  if (other?.stream_seq === written && other.follows(other.prev_hash, place)) {
    const message = `the rows at ${place} and ${written} stand in each other's place`
    return finding('rows_swapped', message, { ...where, stream_seq: Math.min(place, written) })
  }
  if (written > place) {
    const message = `${written - place} rows are missing before the row at ${place}, which was written for ${written}`
    return finding('row_removed', message, { ...where, stream_seq: place })
  }
  const message = `the row at ${place} was written for ${written}: what stands there now was put in`
  return finding('row_inserted', message, { stream_id, event_id: other?.id ?? null, stream_seq: written })
}

function placeItWasWrittenFor(row: VerificationRow): number | undefined {
  for (let distance = 1; distance <= reach; distance += 1) {
    for (const place of [row.stream_seq - distance, row.stream_seq + distance]) {
      if (place > 0 && row.follows(row.prev_hash, place)) return place
    }
  }
  return undefined
}
