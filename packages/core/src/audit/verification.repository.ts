import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { Reader } from '../db/handles.ts'
import { executeShape } from '../db/prepared.ts'
import type { StreamId } from '../id.ts'
import { ownProduct } from './audit-event.ts'
import type { ChainHead } from './checkpoint.ts'
import { PlaceRanges } from './place-ranges.ts'
import { redactedAction } from './redaction.ts'
import { searchedColumns, searchedMaps } from './search-text.ts'
import { vectorOf } from './search-vector.ts'
import { type BesideRow, sentColumns, VerificationRow } from './verification-row.ts'
import type { CertifiedHead } from './verification.ts'

/** A place in the log, which is in the order of streams, places, ids. */
export interface LogPlace {
  readonly stream_id: string
  readonly stream_seq: string
  readonly id: string
}

const [uuidMin, uuidMax] = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']

/** No place is beyond it, whatever somebody wrote there. */
const seqMax = (2n ** 63n - 1n).toString()

/** No stream's id is greater. */
export const lastStream = uuidMax

/** The place before every row of a stream; of the first one there could be, unless told. */
export const placeBefore = (stream_id: string = uuidMin): LogPlace => ({
  stream_id,
  stream_seq: '-9223372036854775808',
  id: uuidMin,
})

/** The place behind every row of a stream, or behind those at a place of it. */
export const placeBehind = (stream_id: string, stream_seq?: number): LogPlace => ({
  stream_id,
  stream_seq: stream_seq === undefined ? '9223372036854775807' : String(stream_seq),
  id: uuidMax,
})

const sent = sql<Buffer>`record_send(row(${sql.join(sentColumns.map((name) => sql.ref(name)))}))`

/** The chain leaves out the tenant, which is null once it is gone; until then the stream is its own. */
const isOfStream = sql<boolean>`(tenant_id is null or tenant_id = stream_id)`

/** And what a row is found by, which goes with what it says of persons. */
const hasItsSearch = sql<boolean>`((search is null) = (row_salt is null))`

/** The place of a row. */
export const placeOf = (row: VerificationRow): LogPlace => ({
  stream_id: row.stream_id,
  stream_seq: row.placeInStream.toString(),
  id: row.id,
})

/** Rows in the order of streams and places, after this one, up to this stream. */
export async function listRows(db: Reader, after: LogPlace, last: string, rowsMax: number): Promise<VerificationRow[]> {
  const ahead = await readRows(db, nextPlaces(after, rowsMax), rowsMax)
  const end = ahead.at(-1)
  // Fewer where the stream ends, or has a gap.
  const rest = rowsMax - ahead.length
  return rest === 0 ? ahead : [...ahead, ...(await readRows(db, allBehind(end ? placeOf(end) : after, last), rest))]
}

/** The next so many places of the same stream: an index that is entered by the stream alone is read from its beginning. */
const nextPlaces = ({ stream_id, stream_seq, id }: LogPlace, count: number) =>
  sql<SqlBool>`stream_id = ${stream_id}::uuid and stream_seq >= ${stream_seq}::bigint
    and stream_seq <= least(${stream_seq}::numeric + ${count}::integer, ${seqMax}::numeric)::bigint
    and (stream_seq, id) > (${stream_seq}::bigint, ${id}::uuid)`

/** Said twice, for the planner: the first bound is what the index is entered by. */
const allBehind = ({ stream_id, stream_seq, id }: LogPlace, last: string) =>
  sql<SqlBool>`stream_id >= ${stream_id}::uuid and stream_id <= ${last}::uuid
    and (stream_id, stream_seq, id) > (${stream_id}::uuid, ${stream_seq}::bigint, ${id}::uuid)`

/** A plan of its own for each page would take PostgreSQL as long as the rows: there are dozens of months. */
async function readRows(db: Reader, condition: RawBuilder<SqlBool>, rowsMax: number): Promise<VerificationRow[]> {
  const asked = db
    .selectFrom('audit_log')
    .select([sent.as('sent'), isOfStream.as('is_of_stream'), hasItsSearch.as('has_its_search')])
    .select(sql<boolean>`tenant_id is not null`.as('has_tenant'))
    .where(() => condition)
    .orderBy('stream_id')
    .orderBy('stream_seq')
    .orderBy('id')
    .limit(rowsMax)
  const rows = await executeShape<BesideRow & { readonly sent: Buffer }>(db, 'audit_verified', asked)
  return rows.map(({ sent, ...beside }) => new VerificationRow(sent, beside))
}

/** Those of these streams whose tenant is there to stay: its events let go of one that is to be purged. */
export async function listTenants(db: Reader, ids: readonly StreamId[]): Promise<StreamId[]> {
  const asked = sql<{ stream_id: StreamId }>`unnest(${ids}::uuid[])`.as<'asked'>(sql`asked (stream_id)`)
  const rows = await db
    .selectFrom(asked)
    .innerJoin('tenants', (join) => join.on(sql<SqlBool>`tenants.id = asked.stream_id`))
    .select('asked.stream_id')
    .where('tenants.purge_requested_at', 'is', null)
    .execute()
  return rows.map(({ stream_id }) => stream_id)
}

const copiedWords = (map: string) =>
  sql`case json_typeof(${sql.ref(map)}) when 'object' then
    (select string_agg(value, ' ') from json_each_text(${sql.ref(map)})) end`

/** What migration 0003 took the words of the rows from that it copied. It knew no hash of them; all others have one. */
const copiedText = sql`left(concat_ws(' ', ${sql.join([
  ...searchedColumns.map((name) => sql.ref(name)),
  sql`concat_ws(' ', ${sql.join(searchedMaps.map(copiedWords))})`,
])}), 65536)`

/** Says of each of these rows whether it is found by what it says, and by nothing else. */
export async function compareSearch(db: Reader, rows: readonly VerificationRow[]): Promise<void> {
  const whole = rows.filter((row) => !row.isRedacted)
  const said = sql<{ at: number }>`unnest(${whole.map((row) => row.stream_id)}::uuid[],
    ${whole.map((row) => row.placeInStream.toString())}::bigint[], ${whole.map((row) => row.id)}::uuid[],
    ${whole.map((row) => row.searchText)}::text[]) with ordinality`
  const edited = await db
    .selectFrom('audit_log')
    .innerJoin(said.as<'said'>(sql`said (of_stream, of_place, of_id, said_text, at)`), (join) =>
      join.on(sql<SqlBool>`stream_id = of_stream and stream_seq = of_place and id = of_id`),
    )
    .select('said.at')
    // One that was redacted meanwhile is found by nothing, and has no salt any more.
    .where('row_salt', 'is not', null)
    .where(
      () => sql<SqlBool>`search is distinct from
        (${vectorOf(sql`case when hash is null then ${copiedText} else said_text end`)})`,
    )
    .execute()
  for (const { at } of edited) {
    const row = whole[at - 1]
    if (row) row.hasItsSearch = false
  }
}

/** The heads of streams, in the order of their ids, after this one. */
export async function listStreamHeads(db: Reader, after: string | undefined, rowsMax: number): Promise<ChainHead[]> {
  return await db
    .selectFrom('registry.audit_streams')
    .select(['stream_id', 'last_seq as stream_seq', 'last_hash as chain_hash'])
    .$if(after !== undefined, (query) => query.where(() => sql<SqlBool>`stream_id > ${after}::uuid`))
    .orderBy('stream_id')
    .limit(rowsMax)
    .execute()
}

export async function findStreamHead(db: Reader, id: StreamId): Promise<ChainHead | undefined> {
  return await db
    .selectFrom('registry.audit_streams')
    .select(['stream_id', 'last_seq as stream_seq', 'last_hash as chain_hash'])
    .where('stream_id', '=', id)
    .executeTakeFirst()
}

/**
 * Streams that checkpoints know and the log has no head of, in the order of their ids, after one and up to another: one
 * probe of the index each.
 */
export async function listLostStreams(db: Reader, after: string | undefined, last: string): Promise<StreamId[]> {
  const isAfter = after === undefined ? sql`true` : sql`stream_id > ${after}::uuid`
  const known = sql<{ stream_id: StreamId }>`(
    with recursive known as (
      (select stream_id from registry.audit_checkpoint_heads where ${isAfter} order by stream_id limit 1)
      union all
      select (
        select next.stream_id from registry.audit_checkpoint_heads next
        where next.stream_id > known.stream_id and next.stream_id <= ${last}::uuid order by next.stream_id limit 1
      ) from known where known.stream_id is not null
    )
    select stream_id from known where stream_id <= ${last}::uuid
  )`.as('known')
  const rows = await db
    .selectFrom(known)
    .select('known.stream_id')
    .where(
      () => sql<SqlBool>`not exists (select from registry.audit_streams head where head.stream_id = known.stream_id)`,
    )
    .orderBy('known.stream_id')
    .execute()
  return rows.map(({ stream_id }) => stream_id)
}

/** What checkpoints say of places of the log, from one to another. */
export async function listCertifiedHeads(
  db: Reader,
  first: Omit<LogPlace, 'id'>,
  last: Omit<LogPlace, 'id'>,
): Promise<CertifiedHead[]> {
  return await db
    .selectFrom('registry.audit_checkpoint_heads')
    .select(['stream_id', 'stream_seq', 'chain_hash', 'number'])
    .where(
      () =>
        sql<SqlBool>`(stream_id, stream_seq) >= (${first.stream_id}::uuid, ${first.stream_seq}::bigint)
          and (stream_id, stream_seq) <= (${last.stream_id}::uuid, ${last.stream_seq}::bigint)`,
    )
    .orderBy('stream_id')
    .orderBy('stream_seq')
    .orderBy('number')
    .execute()
}

/** The furthest that checkpoints say of each of these streams. */
export async function listNewestHeads(db: Reader, ids: readonly StreamId[]): Promise<CertifiedHead[]> {
  const asked = sql<{ stream_id: StreamId }>`unnest(${ids}::uuid[])`.as<'asked'>(sql`asked (stream_id)`)
  return await db
    .selectFrom(asked)
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom('registry.audit_checkpoint_heads as head')
          .select(['head.stream_id', 'head.stream_seq', 'head.chain_hash', 'head.number'])
          .whereRef('head.stream_id', '=', 'asked.stream_id')
          .orderBy('head.stream_seq', 'desc')
          .orderBy('head.number', 'desc')
          .limit(1)
          .as('newest'),
      (join) => join.onTrue(),
    )
    .select(['newest.stream_id', 'newest.stream_seq', 'newest.chain_hash', 'newest.number'])
    .execute()
}

/** Up to where a stream was in some checkpoint, and whether there is one that says so. */
export interface CheckpointedPlace {
  readonly stream_id: StreamId
  readonly stream_seq: number
  readonly is_certified: boolean
}

const places = (db: Reader) =>
  db
    .selectFrom('registry.audit_checkpointed as known')
    .select(['known.stream_id', 'known.stream_seq'])
    .select(
      sql<boolean>`exists (
        select from registry.audit_checkpoint_heads head
        where head.stream_id = known.stream_id and head.stream_seq = known.stream_seq
      )`.as('is_certified'),
    )
    .$castTo<CheckpointedPlace>()

/** Up to where streams were in checkpoints, in the order of their ids, after this one. */
export async function listCheckpointedPlaces(db: Reader, after: string, rowsMax: number): Promise<CheckpointedPlace[]> {
  return await places(db)
    .where(() => sql<SqlBool>`known.stream_id > ${after}::uuid`)
    .orderBy('known.stream_id')
    .limit(rowsMax)
    .execute()
}

/** The same of one stream, if it was in any. */
export async function findCheckpointedPlace(db: Reader, id: StreamId): Promise<CheckpointedPlace | undefined> {
  return await places(db)
    .where(() => sql<SqlBool>`known.stream_id = ${id}::uuid`)
    .executeTakeFirst()
}

/** The places of these streams that their own events say were redacted. */
export async function listRedactions(db: Reader, ids: readonly StreamId[]): Promise<Map<StreamId, PlaceRanges>> {
  const rows = await db
    .selectFrom('audit_log')
    .select('stream_id')
    .select(sql<string | null>`fields ->> 'after.stream_seqs'`.as('places'))
    .where(() => sql<SqlBool>`stream_id = any(${ids}::uuid[])`)
    .where('action', '=', redactedAction)
    .where('product', '=', ownProduct)
    .execute()
  const places = Map.groupBy(rows, ({ stream_id }) => stream_id)
  return new Map(
    [...places].map(([id, each]) => [id, PlaceRanges.union(each.map((row) => PlaceRanges.parse(row.places ?? '')))]),
  )
}
