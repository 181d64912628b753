import { sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { StreamId } from '../id.ts'
import { ownProduct } from './audit-event.ts'
import { monthDroppedAction } from './retention.repository.ts'
import { streamOf } from './stream.ts'
import type { StreamStart, StreamVerifier } from './verification.ts'

const ownStream = streamOf({ tenant_id: null, product: ownProduct, environment: 'live', group_id: null })

const partition = sql`to_regclass('registry.audit_log_' || to_char(month, 'YYYY_MM'))`

/**
 * The months that are no part of the log any more and whose drop is told of: by an event, of this month or a later one,
 * since the oldest go first and what tells of them goes with its own month; or soon, by the next server that looks.
 */
const months = sql<{ month: Date }>`(
  select month from registry.audit_drops
  where not exists (
    select from pg_inherits
    where inhparent = 'public.audit_log'::regclass and inhrelid = ${partition} and not inhdetachpending
  ) and case
    when dropped_at is null then ${partition} is not null
    when recorded_at is null then true
    else exists (
      select from audit_log event
      where event.stream_id = ${ownStream} and event.product = ${ownProduct} and event.action = ${monthDroppedAction}
        and event.target_id >= to_char(month, 'YYYY-MM')
    )
  end
)`

/**
 * Where those of these streams begin whose first rows were dropped with their month: behind the last one that was.
 *
 * Whoever can write the database can also write down such a beginning. It is believed where an event tells of its month
 * and no checkpoint says that a row before it came in after that month. What it says of the chain needs no belief:
 * the rows behind it and their checkpoints fit no other one.
 */
export async function listStarts(db: Reader, ids: readonly StreamId[]): Promise<Map<StreamId, StreamStart>> {
  const rows = await db
    .selectFrom(
      sql<StreamStart & { stream_id: StreamId }>`(
        select cut.stream_id, cut.stream_seq, cut.chain_hash
        from (
          select distinct on (stream_id) stream_id, stream_seq, chain_hash, gone.month
          from registry.audit_cuts
          join ${months} gone on gone.month = date_trunc('month', received_at at time zone 'UTC')::date
          where stream_id = any(${ids}::uuid[])
          order by stream_id, stream_seq desc
        ) cut
        left join lateral (
          select taken.taken_at
          from registry.audit_checkpoint_heads head join registry.audit_checkpoints taken on taken.number = head.number
          where head.stream_id = cut.stream_id and head.stream_seq < cut.stream_seq
          order by head.stream_seq desc, head.number limit 1
        ) certified on true
        where certified.taken_at is null
          or certified.taken_at < (cut.month + interval '1 month 1 day') at time zone 'UTC'
      )`.as('start'),
    )
    .select(['stream_id', 'stream_seq', 'chain_hash'])
    .execute()
  return new Map(rows.map(({ stream_id, ...start }) => [stream_id, start]))
}

/** Whether a stream begins further on than where its verification did. */
export async function hasNewStart(db: Reader, { stream_id, start }: StreamVerifier): Promise<boolean> {
  const now = (await listStarts(db, [stream_id])).get(stream_id)
  return now !== undefined && now.stream_seq > start.stream_seq
}
