import { sql, type SqlBool } from 'kysely'
import type { AuditedTx, Reader } from '../db/handles.ts'
import type { EventId, StreamId, TenantId } from '../id.ts'

/** What is said of how long events are kept has to have been said for so long before anything is erased by it. */
const saidForDays = 7

/** Streams after this one, so many of them looked at, that have events which not every plan keeps; and the last of them. */
export async function listStreamsWithOld(
  db: Reader,
  after: StreamId | undefined,
  streamsMax: number,
): Promise<{ readonly old: StreamId[]; readonly last: StreamId | undefined }> {
  const rows = await db
    .selectFrom('registry.audit_streams as head')
    .select('head.stream_id')
    .select(
      // Its first event is its oldest one.
      sql<boolean>`coalesce((
        select event.received_at from audit_log event where event.stream_id = head.stream_id
        order by event.stream_seq limit 1
      ) < (select registry.audit_horizon()), false)`.as('is_old'),
    )
    .$if(after !== undefined, (query) => query.where(() => sql<SqlBool>`head.stream_id > ${after}::uuid`))
    .orderBy('head.stream_id')
    .limit(streamsMax)
    .execute()
  return { old: rows.filter((row) => row.is_old).map((row) => row.stream_id), last: rows.at(-1)?.stream_id }
}

/** An event, and what is to become of it. */
export interface AgingEvent {
  readonly id: EventId
  readonly stream_seq: number
  readonly received_at: Date
  /** Whether something of its age is over in this stream: of what comes behind one that is not, nothing is. */
  readonly is_old: boolean
  /** Whether it is over itself, and has not been redacted. */
  readonly is_over: boolean
}

/**
 * The next events of a stream, where anything in it is not kept for ever. They are over by the same moments by which
 * reads leave them out, unless what is said of their product has changed within the last days.
 * @param holdKeeps whether nothing is over in a stream that is under a legal hold
 */
export async function listAging(
  db: Reader,
  stream_id: StreamId,
  after: number,
  rowsMax: number,
  holdKeeps: boolean,
): Promise<AgingEvent[]> {
  const page = sql<AgingEvent>`(
    with kept as materialized (
      select term.key as product, term.value::timestamptz as since
      from jsonb_each_text(registry.audit_cutoffs(${stream_id}::uuid, ${sql.lit(holdKeeps)})) term
      where not exists (
        select from registry.audit_retention lately
        where lately.product = term.key and lately.since > now() - make_interval(days => ${sql.lit(saidForDays)})
      )
    ),
    next as (
      select id, stream_seq, received_at, product, row_salt is null as is_redacted from audit_log
      where stream_id = ${stream_id}::uuid and stream_seq > ${after}::bigint and (select count(*) > 0 from kept)
      order by stream_seq limit ${sql.lit(rowsMax)}
    )
    select next.id, next.stream_seq, next.received_at,
      next.received_at < (select max(since) from kept) as is_old,
      not next.is_redacted and coalesce(next.received_at < kept.since, false) as is_over
    from next left join kept on kept.product = next.product
  )`.as('page')
  return await db
    .selectFrom(page)
    .select(['id', 'stream_seq', 'received_at', 'is_old', 'is_over'])
    .orderBy('stream_seq')
    .execute()
}

/** Keeps whose stream it is, if it is a tenant's, on its plan and without a new legal hold until the transaction ends. */
export async function lockTenantOfStream(tx: AuditedTx, stream_id: StreamId): Promise<void> {
  await tx
    .selectFrom('tenants')
    .select('id')
    .where('id', '=', stream_id as string as TenantId)
    .forShare()
    .execute()
}
