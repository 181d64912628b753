import type { Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import { StreamId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { toJson } from './event-text.ts'
import * as streams from './log-stream.repository.ts'
import {
  decodeStreamPlace,
  encodeStreamPlace,
  type LogStreamPage,
  type LogStreamQuery,
  type StreamEventPage,
  type StreamEventQuery,
  streamLimit,
  type StreamPlace,
} from './log-stream.ts'
import { asShown, eventOf, pageJson } from './recorded-event.service.ts'

const beginning: StreamPlace = { at: new Date(0), id: StreamId.parse('00000000-0000-0000-0000-000000000000') }

/**
 * The streams that changed after a place, as far as any of their events is in sight. Writers commit in another order
 * than they began in, so the place to go on from is before whatever is being written: a stream may be told of twice,
 * and never too seldom. A place that is ahead of the database's clock was told before that was set back: what came since
 * stands before it, so all streams are looked at once more.
 * @throws {RegistryError} `page.cursor_invalid`
 */
export async function listLogStreams(db: Reader, sight: Sight, query: LogStreamQuery = {}): Promise<LogStreamPage> {
  const { limit = streamLimit.default, cursor } = query
  const { at: settled, now } = await streams.settledUntil(db)
  const told = cursor === undefined ? undefined : decodeStreamPlace(cursor)
  const after = told && told.at > now ? undefined : told
  const considered = await streams.listStreams(db, sight, limit + 1, after)
  const page = considered.slice(0, limit)
  const last = page.at(-1)
  const end = last && { at: last.last_received_at, id: last.stream_id }
  const reached = end && settled && earlier(end, { ...beginning, at: settled })
  // It never goes back: what began before the last answer and ends later is said to have changed later than that.
  const next = reached && (after === undefined || isBefore(after, reached)) ? reached : (after ?? beginning)
  return {
    data: page.flatMap(({ seen, ...stream }) => (seen ? [stream] : [])),
    // Where the place stays before the end of this page, asking again at once would bring the same.
    has_more: considered.length > limit && next === end,
    next_cursor: encodeStreamPlace(next),
  }
}

const isBefore = (one: StreamPlace, other: StreamPlace): boolean =>
  one.at < other.at || (one.at.getTime() === other.at.getTime() && one.id < other.id)
const earlier = (one: StreamPlace, other: StreamPlace): StreamPlace => (isBefore(one, other) ? one : other)

/**
 * The events of a stream after a place. Places are given under the lock of the stream, which is held until the commit:
 * whoever sees one of them sees all before it, so nothing comes later behind where somebody has read on.
 * @throws {RegistryError} `audit_stream.not_found` also when none of its events is in sight
 */
export async function readLogStream(
  db: Reader,
  sight: Sight,
  stream: StreamId,
  query: StreamEventQuery = {},
): Promise<StreamEventPage> {
  const { data, ...page } = await readPage(db, sight, stream, query)
  return { data: data.map((row) => ({ ...eventOf(row), ...placeOf(row) })), ...page }
}

/**
 * The same as JSON, with the entries of maps in the order in which they were sent.
 * @throws {RegistryError} `audit_stream.not_found` also when none of its events is in sight
 */
export async function readLogStreamJson(
  db: Reader,
  sight: Sight,
  stream: StreamId,
  query: StreamEventQuery = {},
): Promise<string> {
  const page = await readPage(db, sight, stream, query)
  return pageJson(page, (row) => toJson(row, JSON.stringify(placeOf(row)).slice(1, -1)))
}

const placeOf = ({ stream_id, stream_seq, chain_hash }: streams.PlacedRow) => ({
  stream_id,
  stream_seq,
  chain_hash: chain_hash.toString('hex'),
})

async function readPage(db: Reader, sight: Sight, stream: StreamId, query: StreamEventQuery) {
  const { limit = streamLimit.default, after = 0 } = query
  // Before the events: up to there all are committed.
  const head = await streams.findLastSeq(db, stream)
  const { rows, hasMore } = await streams.readStream(db, sight, stream, after, limit)
  const isSeen = rows.length > 0 || (await streams.readStream(db, sight, stream, 0, 1)).rows.length > 0
  if (head === undefined || !isSeen) throw new RegistryError('audit_stream.not_found')
  const last = rows.at(-1)?.stream_seq ?? after
  return {
    data: rows.map((row) => asShown(sight, row)),
    has_more: hasMore,
    next_after: hasMore ? last : Math.max(last, head),
  }
}
