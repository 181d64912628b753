import { expressionBuilder, type Selectable, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import { type StreamId, TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { conditionsOf } from './event-filter.ts'
import type { LogStream, StreamPlace } from './log-stream.ts'
import type { EventRow } from './shown-columns.ts'
import { columns, shown } from './shown-columns.ts'

const eb = expressionBuilder<Schema, 'audit_log'>()

/**
 * An instant before which no stream will be said to have changed any more than it is said now: whoever is writing the
 * log at this moment began later than that. `received_at` is the clock's at the end of a transaction that has the lock on
 * the heads' table by then, so nobody who is not seen here can come before it. Null when there is a writer of whom it
 * cannot be known, one of another role.
 *
 * Has to be asked before the heads are: who is done by now has committed.
 */
export async function settledUntil(db: Reader): Promise<Date | null> {
  const { at } = await db
    .selectFrom(
      sql<{ at: Date | null }>`(
        select case when bool_or(writer.xact_start is null) then null
          else least(clock_timestamp(), min(writer.xact_start)) - interval '1 millisecond' end as at
        from pg_locks held join pg_stat_activity writer on writer.pid = held.pid
        where held.locktype = 'relation' and held.relation = 'registry.audit_streams'::regclass
          and held.database = (select oid from pg_database where datname = current_database())
          and held.mode in ('RowShareLock', 'RowExclusiveLock')
      )`.as('settled'),
    )
    .select('at')
    .executeTakeFirstOrThrow()
  return at
}

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
  let query = db
    .selectFrom('registry.audit_streams as head')
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
    .where('last_seq', '>', 0)
  if (after) {
    query = query.where(sql<boolean>`(last_received_at, stream_id) > (${after.at}::timestamptz, ${after.id}::uuid)`)
  }
  return await query.orderBy('last_received_at').orderBy('stream_id').limit(limit).execute()
}

export async function findLastSeq(db: Reader, stream: StreamId): Promise<number | undefined> {
  const head = await db
    .selectFrom('registry.audit_streams')
    .select('last_seq')
    .where('stream_id', '=', stream)
    .executeTakeFirst()
  return head?.last_seq
}

/** A row of the log with its place. */
export type PlacedRow = EventRow & Selectable<Pick<Schema['audit_log'], 'stream_id' | 'stream_seq' | 'chain_hash'>>

/** Events of a stream after a place, in their order, as far as they are in sight. */
export async function readStream(
  db: Reader,
  sight: Sight,
  stream: StreamId,
  after: number,
  limit: number,
): Promise<PlacedRow[]> {
  return await db
    .selectFrom('audit_log')
    .select(columns.map((name) => shown(sight, name).as(name)))
    .select(['stream_id', 'stream_seq', 'chain_hash'])
    .where('stream_id', '=', stream)
    .where('stream_seq', '>', after)
    // A stream is a tenant's, or asked for by the same id.
    .where(() => eb.and(conditionsOf(sight, { tenant_id: TenantId.parse(stream) })))
    .orderBy('stream_seq')
    .limit(limit)
    .$castTo<PlacedRow>()
    .execute()
}
