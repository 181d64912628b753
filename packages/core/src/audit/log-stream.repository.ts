import { expressionBuilder, type Selectable, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import { executeShape, type Param, prepared } from '../db/prepared.ts'
import type { Schema } from '../db/schema.ts'
import { type StreamId, TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { conditionsOf } from './event-filter.ts'
import { type LogStream, streamLimit, type StreamPlace } from './log-stream.ts'
import { columns, eventBytes, type EventRow, shownColumns, storedBytes } from './shown-columns.ts'

const eb = expressionBuilder<Schema, 'audit_log'>()

/** What PostgreSQL takes for the size of a page before it knows: a plan for few rows, whatever their number. */
const planned = sql.lit(streamLimit.max + 1)

/**
 * An instant before which no stream will be said to have changed any more than it is said now: whoever is writing the
 * log at this moment began later than that. `received_at` is the clock's at the end of a transaction that has the lock on
 * the heads' table by then, so nobody who is not seen here can come before it. Null when there is a writer of whom it
 * cannot be known, one of another role.
 *
 * Has to be asked before the heads are: who is done by now has committed.
 */
export async function settledUntil(db: Reader): Promise<{ readonly at: Date | null; readonly now: Date }> {
  const [settled] = await settledAt(db)
  return settled ?? { at: null, now: new Date() }
}

const settledAt = prepared('audit_settled_at', (db) =>
  db
    .selectFrom(
      sql<{ at: Date | null; now: Date }>`(
        select case when bool_or(writer.xact_start is null) then null
          else least(clock_timestamp(), min(writer.xact_start)) - interval '1 millisecond' end as at, clock_timestamp() as now
        from pg_locks held join pg_stat_activity writer on writer.pid = held.pid
        where held.locktype = 'relation' and held.relation = 'registry.audit_streams'::regclass
          and held.database = (select oid from pg_database where datname = current_database())
          and held.mode in ('RowShareLock', 'RowExclusiveLock')
      )`.as('settled'),
    )
    .select(['at', 'now']),
)

export interface ConsideredStream extends LogStream {
  /** Whether any of its events is in sight. */
  readonly seen: boolean
}

/** The streams that changed after a place, in sight or not, in the order in which they did. */
export async function listStreams(
  db: Reader,
  sight: Sight,
  limit: number,
  after: StreamPlace | undefined,
): Promise<ConsideredStream[]> {
  const conditions = conditionsOf(sight, {})
  let changed = db
    .selectFrom('registry.audit_streams')
    .select(['stream_id', 'last_seq', 'last_received_at'])
    .where('last_seq', '>', 0)
  if (after) {
    // The index has the ten seconds in which each changed.
    changed = changed
      .where(sql<boolean>`changed_in > ${after.at}::timestamptz - interval '10 seconds'`)
      .where(sql<boolean>`(last_received_at, stream_id) > (${after.at}::timestamptz, ${after.id}::uuid)`)
  }
  const inOrder = changed.orderBy('changed_in').orderBy('last_received_at').orderBy('stream_id')
  const query = db
    .selectFrom(inOrder.limit(planned).as('head'))
    .select(['stream_id', 'last_seq', 'last_received_at'])
    .select((head) => [
      head
        .selectFrom('tenants')
        .select('tenants.id')
        .where(sql<boolean>`tenants.id = head.stream_id`)
        .as('tenant_id'),
      sql<boolean>`exists (select from audit_log where audit_log.stream_id = head.stream_id and ${eb.and(conditions)})`.as(
        'seen',
      ),
    ])
    .orderBy('last_received_at')
    .orderBy('stream_id')
    .limit(limit)
  return await executeShape(db, 'audit_streams', query)
}

export async function findLastSeq(db: Reader, stream: StreamId): Promise<number | undefined> {
  const [head] = await headOf(db, stream)
  return head?.last_seq
}

const headOf = prepared('audit_stream_head', (db, stream: Param<StreamId>) =>
  db.selectFrom('registry.audit_streams').select('last_seq').where('stream_id', '=', stream),
)

/** A row of the log with its place. */
export type PlacedRow = EventRow & Selectable<Pick<Schema['audit_log'], 'stream_id' | 'stream_seq' | 'chain_hash'>>

/** Bytes that the events of a page have at most, but for its last one: answers are held in memory as a whole. */
const pageBytesMax = 8_000_000

/** The same as they are stored. How many they are then is known only of what was unpacked, which may be 90 times as much. */
const storedBytesMax = 2_000_000

/** How a stream goes on: its next events as far as they are in sight, and whether more come after them. */
export interface StreamPart {
  readonly rows: PlacedRow[]
  readonly hasMore: boolean
}

/** Up to so many events of a stream after a place, in their order; less where they are large, but at least one. */
export async function readStream(
  db: Reader,
  sight: Sight,
  stream: StreamId,
  after: number,
  limit: number,
): Promise<StreamPart> {
  // A stream is a tenant's, or asked for by the same id.
  const conditions = [...conditionsOf(sight, { tenant_id: TenantId.parse(stream) }), eb('stream_seq', '>', after)]
  const found = await executeShape(
    db,
    'audit_stream_events',
    sql<PlacedRow & { is_followed: boolean }>`
      select ${shownColumns(sight)}, stream_id, stream_seq, chain_hash, is_followed from (
        select stored.*, sum(${eventBytes}) over (${place} ${before}) as bytes_before from (
          select part.*, sum(${storedBytes}) over (${place} ${before}) as stored_before,
            lead(stream_seq) over (${place}) is not null as is_followed
          from (
            select * from (
              select ${names} from audit_log where ${eb.and(conditions)} order by stream_seq limit ${planned}
            ) as walked order by stream_seq limit ${limit + 1}
          ) as part
        ) as stored where coalesce(stored_before, 0) < ${storedBytesMax}
      ) as audit_log
      where coalesce(bytes_before, 0) < ${pageBytesMax} order by stream_seq limit ${limit}`,
  )
  return {
    rows: found.map(({ is_followed: _, ...row }) => row),
    hasMore: found.at(-1)?.is_followed ?? false,
  }
}

const place = sql`order by stream_seq`
const before = sql`rows between unbounded preceding and 1 preceding`

const names = sql.raw([...columns, 'stream_id', 'stream_seq', 'chain_hash'].join(', '))
