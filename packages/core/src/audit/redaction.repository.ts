import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import type { AuditedTx, Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import type { EventId, StreamId } from '../id.ts'
import { ownProduct } from './audit-event.ts'
import { type RedactionRequest, redactedAction } from './redaction.ts'
import { monthDroppedAction } from './retention.repository.ts'

/** An event that is to be redacted, as far as it matters for that. */
export interface RedactableEvent {
  readonly id: EventId
  readonly stream_seq: number
  readonly product: string
  readonly environment: string
  readonly group_id: string | null
  readonly actor_id: string | null
  readonly target_id: string | null
}

const eb = expressionBuilder<Schema, 'audit_log'>()

/** What of the log is asked for and has not been redacted. What tells of redactions, and of what was dropped, stays. */
function isAsked({ event_ids, actor_id, target_id, product }: RedactionRequest): Expression<SqlBool> {
  return eb.and([
    eb('row_salt', 'is not', null),
    sql<SqlBool>`not (product = ${ownProduct} and action in (${redactedAction}, ${monthDroppedAction}))`,
    ...(event_ids ? [sql<SqlBool>`id = any(${event_ids}::uuid[])`] : []),
    ...(actor_id === undefined ? [] : [eb('actor_id', '=', actor_id)]),
    ...(target_id === undefined ? [] : [eb('target_id', '=', target_id)]),
    ...(product === undefined ? [] : [eb('product', '=', product)]),
  ])
}

/** The streams of these events, those that are redacted already included. */
export async function listStreamsOfEvents(
  db: Reader,
  ids: readonly EventId[],
): Promise<{ readonly id: EventId; readonly stream_id: StreamId }[]> {
  return await db
    .selectFrom('audit_log')
    .select(['id', 'stream_id'])
    .where(() => sql<SqlBool>`id = any(${ids}::uuid[])`)
    .execute()
}

/** Those of the streams after this one, so many of them looked into, that have something to redact; and the last of them. */
export async function listStreamsAsked(
  db: Reader,
  request: RedactionRequest,
  after: StreamId | undefined,
  streamsMax: number,
): Promise<{ readonly asked: StreamId[]; readonly last: StreamId | undefined }> {
  const streams = await db
    .selectFrom('registry.audit_streams')
    .select('stream_id')
    .$if(after !== undefined, (query) => query.where(() => sql<SqlBool>`stream_id > ${after}::uuid`))
    .orderBy('stream_id')
    .limit(streamsMax)
    .execute()
  const ids = streams.map(({ stream_id }) => stream_id)
  const rows = await db
    .selectFrom('audit_log')
    .select('stream_id')
    .distinct()
    .where(() => sql<SqlBool>`stream_id = any(${ids}::uuid[])`)
    .where(() => isAsked(request))
    .orderBy('stream_id')
    .execute()
  return { asked: rows.map(({ stream_id }) => stream_id), last: ids.at(-1) }
}

/** Those of these ids that are streams, each with the product that writes it, where an event is left that says so. */
export async function listProductsOfStreams(
  db: Reader,
  ids: readonly StreamId[],
): Promise<{ readonly stream_id: StreamId; readonly product: string | null }[]> {
  return await db
    .selectFrom('registry.audit_streams as head')
    .select('head.stream_id')
    .select(
      sql<string | null>`(
        select event.product from audit_log event
        where event.stream_id = head.stream_id and event.product <> ${ownProduct}
        order by event.stream_seq limit 1
      )`.as('product'),
    )
    .where(() => sql<SqlBool>`head.stream_id = any(${ids}::uuid[])`)
    .execute()
}

/** Those of these streams that are under a legal hold. */
export async function listHeld(db: Reader, ids: readonly StreamId[]): Promise<StreamId[]> {
  const rows = await db
    .selectFrom('registry.legal_holds')
    .select('stream_id')
    .where(() => sql<SqlBool>`stream_id = any(${ids}::uuid[])`)
    .orderBy('stream_id')
    .execute()
  return rows.map(({ stream_id }) => stream_id)
}

/** The first events of a stream that are to be redacted, in the order of their places. */
export async function listRedactable(
  db: Reader,
  stream_id: StreamId,
  request: RedactionRequest,
  rowsMax: number,
): Promise<RedactableEvent[]> {
  return await db
    .selectFrom('audit_log')
    .select(['id', 'stream_seq', 'product', 'environment', 'group_id', 'actor_id', 'target_id'])
    .where('stream_id', '=', stream_id)
    .where(() => isAsked(request))
    .orderBy('stream_seq')
    .limit(rowsMax)
    .execute()
}

/**
 * Erases what these events of a stream say of persons, by the owner's function, which refuses a stream under a hold.
 * Answers how many had something left.
 */
export async function redactRows(tx: AuditedTx, stream_id: StreamId, ids: readonly EventId[]): Promise<number> {
  const call = sql<{ redacted: number }>`(
    select registry.redact_audit_events(${stream_id}::uuid, ${ids}::uuid[]) as redacted
  )`.as('call')
  const { redacted } = await tx.selectFrom(call).select('redacted').executeTakeFirstOrThrow()
  return redacted
}

/** What was acknowledged is known for seven days, and whoever sends it again may be told of it until their end. */
const claimsMs = 7 * 86_400_000

/** How far the clocks of the servers and of the database may be apart. */
const clockMs = 86_400_000

/**
 * Takes from what was acknowledged all by which a guess at one of these events could be tested. Its keys stay known for
 * their seven days: with something else under them, a repetition is refused, and records nothing once more.
 *
 * No index says which claim an event is in, for every event would have to be written into it; so those of the days after
 * the events were made are looked through, which their ids tell: when they came in is never before what came in last,
 * whatever the clock said then. Written as it is, each claim costs a look into a hash table: ten million take three
 * seconds on two cores, where the overlap of two arrays took two minutes.
 */
export async function blindClaims(tx: AuditedTx, events: readonly EventId[]): Promise<void> {
  // What was copied from the log before this one has other ids, and was acknowledged to nobody.
  const claimed = events.filter((id) => id.charAt(14) === '7')
  if (claimed.length === 0) return
  const times = claimed.map(madeAt)
  const ids = sql`any(${claimed}::uuid[])`
  // Read apart from the update, since PostgreSQL reads in parallel where it does not write.
  const claims = await tx
    .selectFrom('registry.audit_dedup')
    .select('digest')
    .where('created_at', '>=', new Date(Math.min(...times) - clockMs))
    .where('created_at', '<=', new Date(Math.max(...times) + claimsMs + clockMs))
    .where(
      () => sql<SqlBool>`(event_ids[1] = ${ids}
        or (cardinality(event_ids) > 1 and exists (select from unnest(event_ids) as id where id = ${ids})))`,
    )
    .execute()
  if (claims.length === 0) return
  await tx
    .updateTable('registry.audit_dedup')
    .set({
      fingerprint: sql<Buffer>`sha256(uuid_send(gen_random_uuid()))`,
      hashes: sql<Buffer[]>`array_fill('\\x00'::bytea, array[cardinality(hashes)])`,
    })
    .where(() => sql<SqlBool>`digest = any(${claims.map(({ digest }) => digest)}::bytea[])`)
    .execute()
}

/** When an id was made, which a UUIDv7 begins with. */
const madeAt = (id: EventId) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
