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

/** A product whose events are not kept for ever in a stream, and up to where those that were over are redacted. */
export interface Expiry {
  readonly product: string
  readonly stream_seq: number
}

/** Since when the events of products are kept in a stream, unless what is said of them has changed within the last days. */
const keptIn = (stream_id: StreamId, holdKeeps: boolean) => sql`
  select term.key as product, term.value::timestamptz as since
  from jsonb_each_text(registry.audit_cutoffs(${stream_id}::uuid, ${sql.lit(holdKeeps)})) term
  where not exists (
    select from registry.audit_retention lately
    where lately.product = term.key and lately.since > now() - make_interval(days => ${sql.lit(saidForDays)})
  )`

/** @param holdKeeps whether nothing is over in a stream that is under a legal hold */
export async function listExpiries(db: Reader, stream_id: StreamId, holdKeeps: boolean): Promise<Expiry[]> {
  return await db
    .selectFrom(sql<{ product: string }>`(${keptIn(stream_id, holdKeeps)})`.as('kept'))
    .leftJoin('registry.audit_expired as done', (join) =>
      join.onRef('done.product', '=', 'kept.product').on(sql<SqlBool>`done.stream_id = ${stream_id}::uuid`),
    )
    .select('kept.product')
    .select(sql<number>`coalesce(done.stream_seq, 0)`.as('stream_seq'))
    .orderBy('kept.product')
    .execute()
}

/** Notes up to where the events of a product are redacted: what was over once is never looked at again. */
export async function saveExpiry(tx: AuditedTx, stream_id: StreamId, { product, stream_seq }: Expiry): Promise<void> {
  await tx
    .insertInto('registry.audit_expired')
    .values({ stream_id, product, stream_seq })
    .onConflict((conflict) =>
      conflict.columns(['stream_id', 'product']).doUpdateSet((eb) => ({ stream_seq: eb.ref('excluded.stream_seq') })),
    )
    .execute()
}

/** An event, and what is to become of it. */
export interface AgingEvent {
  readonly id: EventId
  readonly stream_seq: number
  /** Whether one of the product is over at its age: of what comes behind one that is not, none is. */
  readonly is_old: boolean
  /** Whether it is the product's, and has not been redacted. */
  readonly is_over: boolean
}

/**
 * The events of a stream behind a place, where those of a product are not kept for ever. They are over by the same moments
 * by which reads leave them out.
 * @param holdKeeps whether nothing is over in a stream that is under a legal hold
 */
export async function listAging(
  db: Reader,
  stream_id: StreamId,
  { product, stream_seq }: Expiry,
  rowsMax: number,
  holdKeeps: boolean,
): Promise<AgingEvent[]> {
  const page = sql<AgingEvent>`(
    with kept as materialized (
      select since from (${keptIn(stream_id, holdKeeps)}) term where term.product = ${product}
    ),
    next as (
      select id, stream_seq, received_at, product, row_salt is null as is_redacted from audit_log
      where stream_id = ${stream_id}::uuid and stream_seq > ${stream_seq}::bigint and (select count(*) > 0 from kept)
      order by stream_seq limit ${sql.lit(rowsMax)}
    )
    select next.id, next.stream_seq, next.received_at < kept.since as is_old,
      next.product = ${product} and not next.is_redacted and next.received_at < kept.since as is_over
    from next cross join kept
  )`.as('page')
  return await db.selectFrom(page).select(['id', 'stream_seq', 'is_old', 'is_over']).orderBy('stream_seq').execute()
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
