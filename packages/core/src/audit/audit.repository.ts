import { type CompiledQuery, type RawBuilder, sql, type Transaction } from 'kysely'
import { binaryArray, columnArrays } from '../db/binary-array.ts'
import { durably } from '../db/durable.ts'
import { type AuditedTx, type HousekeepingTx, unwrap } from '../db/handles.ts'
import { compileShape, executeShape } from '../db/prepared.ts'
import type { Schema } from '../db/schema.ts'
import { type EventId, newEventId, type StreamId, type TenantId } from '../id.ts'
import type { NewAuditEvent } from './audit-event.ts'
import { type ChainedRow, chainHash, chainVersion, genesisHash, newRowSalt, personalDigest } from './chain.ts'
import { encodeEventMap, type EventMap } from './event-map.ts'
import { retracedHash } from './retraced-hash.ts'
import { searchedColumns, searchText } from './search-text.ts'
import { vectorOf } from './search-vector.ts'
import { streamOf } from './stream.ts'

/** What the writer of an event learns: its id, and the hash that Retraced's clients compare. */
export interface AppendedEvent {
  readonly id: EventId
  readonly stream_id: StreamId
  readonly stream_seq: number
  readonly hash: Buffer
}

/**
 * Appends events to the log, in the given order: the only function that inserts into `audit_log`.
 *
 * Locks their tenants and then the heads of their streams, each in the order of their ids, links every event to the one
 * before it in its stream, and moves the heads. Whoever changes a tenant locks it before it comes here, and the foreign
 * key of the log would lock it after the heads: taking it first, two writers cannot wait for each other. The locks are
 * held until the transaction ends, so this has to be the last thing in it. Its commit waits for the disk.
 */
export async function appendEvents(
  tx: AuditedTx | HousekeepingTx,
  events: readonly NewAuditEvent[],
): Promise<AppendedEvent[]> {
  if (events.length === 0) return []
  const db = unwrap(tx)
  const tenants = new Set(events.map((event) => event.tenant_id).filter((id) => id !== null))
  if (tenants.size > 0) await lockTenants(db, [...tenants].sort())
  const batch = prepare(events)
  await db.executeQuery(appending(db, batch, await lockHeads(db, batch.streams)))
  return batch.rows.map(({ id, stream_id, stream_seq, hash }) => ({ id, stream_id, stream_seq, hash }))
}

/**
 * The same for who has locked the tenants already, which is how many events at a time come in. Heads that are missing
 * are made first, and then all are locked as they stand: an upsert of each would leave a dead row every time.
 * @returns the statement that appends them, which is left to be sent
 */
export async function appendForLockedTenants(tx: HousekeepingTx, batch: Batch): Promise<CompiledQuery> {
  const db = unwrap(tx)
  return appending(db, batch, await lockStandingHeads(db, batch.streams))
}

/** The stream that an event belongs to. */
export const streamOfEvent = (event: NewAuditEvent): StreamId =>
  event.stream_id ??
  streamOf({
    tenant_id: event.tenant_id,
    product: event.product,
    environment: event.environment,
    group_id: event.group?.id ?? null,
  })

/** Events that are about to be appended. */
export interface Batch {
  readonly rows: readonly LogRow[]
  /** Theirs, each once, in the order in which they are locked. */
  readonly streams: StreamId[]
  /** What is written of them, but for what their places decide. */
  readonly own: RawBuilder<unknown>[]
}

/** Everything that can be done before a lock is held: whoever waits for one then waits for little more than PostgreSQL. */
export function prepare(events: readonly NewAuditEvent[]): Batch {
  const rows = events.map(rowOf)
  const streams = [...new Set(rows.map((row) => row.stream_id))].sort()
  return { rows, streams, own: columnArrays({ ...ownColumns, search_text: 'text' }, rows) }
}

/** Links events to the heads of their streams, and answers the statement that writes both. */
function appending(db: Transaction<Schema>, { rows, own }: Batch, heads: Map<string, Head>): CompiledQuery {
  for (const row of rows) {
    const head = heads.get(row.stream_id)
    if (!head) throw new Error('a stream without a head was about to be written')
    link(head, row)
    head.last_seq = row.stream_seq
    head.last_hash = row.chain_hash
  }
  const places = columnArrays(placeColumns, rows)
  return compileShape(db, 'audit_append', inserting([...own, ...places], [...heads.values()]))
}

/** Takes the lock that the foreign key of the log takes, before any other. `ids` has to be sorted. */
async function lockTenants(db: Transaction<Schema>, ids: TenantId[]): Promise<void> {
  await sql`select id from tenants where id = any(${ids}::uuid[]) order by id for key share`.execute(db)
}

const receivedAt = sql`greatest(last_received_at, clock_timestamp()::timestamptz(3))`

/** The head of a stream, locked, while its next rows are made. */
interface Head {
  readonly stream_id: StreamId
  last_seq: number
  last_hash: Buffer
  /** When the rows of this transaction are received: never before the stream's last one, whatever the clock says. */
  readonly received_at: Date
}

/** Takes the lock of every stream, making those that are new. `streams` has to be sorted. */
async function lockHeads(db: Transaction<Schema>, streams: StreamId[]): Promise<Map<string, Head>> {
  const [only] = streams
  let heads: Head[] = []
  if (streams.length === 1 && only) {
    // The usual case, without the dead row version that the upsert below leaves.
    const existing = await sql<Head>`
      select stream_id, last_seq, last_hash, ${receivedAt} as received_at, ${durably} as durable
      from registry.audit_streams where stream_id = ${only} for update`.execute(db)
    heads = existing.rows
  }
  if (heads.length === 0) {
    // One statement, in order: each head is either made or locked before the next one is asked for.
    const upserted = await sql<Head>`
      insert into registry.audit_streams as head (stream_id)
      select id from unnest(${streams}::uuid[]) as id order by id
      on conflict (stream_id) do update set last_seq = head.last_seq
      returning stream_id, last_seq, last_hash, ${receivedAt} as received_at, ${durably} as durable`.execute(db)
    heads = upserted.rows
  }
  return new Map(heads.map((head) => [head.stream_id, head]))
}

/**
 * Takes the lock of every stream. `streams` has to be sorted.
 *
 * Nobody waits for anybody in a circle: who makes heads does that before it locks any, each in order, and tries all of
 * them; so whoever waits for one that was just made holds none that its maker could want.
 */
async function lockStandingHeads(db: Transaction<Schema>, streams: StreamId[]): Promise<Map<string, Head>> {
  const ids = binaryArray('uuid', streams)
  const making = sql`
    insert into registry.audit_streams (stream_id)
    select id from unnest(${ids}) as id
    where not exists (select from registry.audit_streams head where head.stream_id = id)
    order by id on conflict (stream_id) do nothing`
  const locking = sql<Head>`
    select stream_id, last_seq, last_hash, ${receivedAt} as received_at, ${durably} as durable
    from registry.audit_streams where stream_id = any(${ids}) order by stream_id for update`
  const [, rows] = await Promise.all([
    executeShape(db, 'audit_heads', making),
    executeShape(db, 'audit_heads', locking),
  ])
  return new Map(rows.map((head) => [head.stream_id, head]))
}

/** Those of these streams that somebody else holds the head of, or the tenant. */
export async function listHeldLogs(tx: HousekeepingTx, streams: readonly StreamId[]): Promise<ReadonlySet<StreamId>> {
  const { rows } = await sql<{ id: StreamId }>`
    with heads as materialized (
      select stream_id from registry.audit_streams where stream_id = any(${streams}::uuid[]) for update skip locked
    ), owners as materialized (
      select id from tenants where id = any(${streams}::uuid[]) for key share skip locked
    )
    (select stream_id as id from registry.audit_streams where stream_id = any(${streams}::uuid[])
      except select stream_id from heads)
    union
    (select id from tenants where id = any(${streams}::uuid[]) except select id from owners)`.execute(unwrap(tx))
  return new Set(rows.map(({ id }) => id))
}

/** A whole row of the log. What its place in its stream decides is there once it is linked. */
interface LogRow extends ChainedRow {
  readonly id: EventId
  readonly stream_id: StreamId
  readonly tenant_id: string | null
  readonly group_name: string | null
  readonly hash: Buffer
  readonly row_salt: Buffer
  personal_digest: Buffer
  stream_seq: number
  received_at: Date
  canonical_at: Date
  prev_hash: Buffer
  chain_hash: Buffer
  search_text: string
}

/** A row without its place. */
function rowOf(event: NewAuditEvent): LogRow {
  const id = event.id ?? newEventId()
  const { actor, group, target } = event
  const row: LogRow = {
    id,
    stream_id: streamOfEvent(event),
    stream_seq: 0,
    received_at: never,
    canonical_at: event.created_at ?? never,
    created_at: event.created_at ?? null,
    tenant_id: event.tenant_id,
    product: event.product,
    environment: event.environment,
    action: event.action,
    crud: event.crud,
    group_id: group?.id ?? null,
    group_name: group?.name ?? null,
    actor_id: actor?.id ?? null,
    actor_name: actor?.name ?? null,
    actor_href: actor?.href ?? null,
    actor_fields: mapText(actor?.fields),
    target_id: target?.id ?? null,
    target_name: target?.name ?? null,
    target_href: target?.href ?? null,
    target_type: target?.type ?? null,
    target_fields: mapText(target?.fields),
    source_ip: event.source_ip ?? null,
    description: event.description ?? null,
    component: event.component ?? null,
    version: event.version ?? null,
    external_id: event.external_id ?? null,
    is_anonymous: event.is_anonymous ?? null,
    is_failure: event.is_failure ?? null,
    fields: mapText(event.fields),
    metadata: mapText(event.metadata),
    hash: event.hash ?? hashOfEvent(id, event),
    row_salt: newRowSalt(),
    personal_digest: genesisHash,
    prev_hash: genesisHash,
    chain_hash: genesisHash,
    search_text: '',
  }
  row.search_text = searchText(
    searchedColumns.map((name) => row[name]),
    [actor?.fields, target?.fields, event.fields, event.metadata],
  )
  row.personal_digest = personalDigest(row.row_salt, row)
  return row
}

/** Stands for a moment that is not known yet: writing it fails. */
const never = new Date(Number.NaN)

/** Gives a row the place after the last of its stream. */
function link({ last_seq, last_hash, received_at }: Head, row: LogRow): void {
  row.stream_seq = last_seq + 1
  row.received_at = received_at
  row.canonical_at = row.created_at ?? received_at
  row.prev_hash = last_hash
  row.chain_hash = chainHash(last_hash, row.personal_digest, row)
}

/** Retraced's hash of an event, as its clients compute it. */
export const hashOfEvent = (
  id: EventId,
  { action, source_ip, is_failure, is_anonymous, fields, external_id, metadata, ...event }: HashedParts,
): Buffer =>
  retracedHash({
    id: id.replaceAll('-', ''),
    action,
    source_ip,
    is_failure,
    is_anonymous,
    fields,
    external_id,
    metadata,
    target_id: event.target?.id,
    actor_id: event.actor?.id,
    group_id: event.group?.id,
  })

type HashedParts = Partial<
  Pick<
    NewAuditEvent,
    'source_ip' | 'is_failure' | 'is_anonymous' | 'fields' | 'external_id' | 'metadata' | 'target' | 'actor' | 'group'
  >
> &
  Pick<NewAuditEvent, 'action'>

const mapText = (map: EventMap | undefined) => (map === undefined ? null : encodeEventMap(map))

/** The columns that go in as they are, with their types. */
const ownColumns = {
  id: 'uuid',
  stream_id: 'uuid',
  created_at: 'timestamptz',
  tenant_id: 'uuid',
  product: 'text',
  environment: 'text',
  action: 'text',
  crud: 'text',
  group_id: 'text',
  group_name: 'text',
  actor_id: 'text',
  actor_name: 'text',
  actor_href: 'text',
  actor_fields: 'json',
  target_id: 'text',
  target_name: 'text',
  target_href: 'text',
  target_type: 'text',
  target_fields: 'json',
  source_ip: 'text',
  description: 'text',
  component: 'text',
  version: 'text',
  external_id: 'text',
  is_anonymous: 'boolean',
  is_failure: 'boolean',
  fields: 'json',
  metadata: 'json',
  hash: 'bytea',
  row_salt: 'bytea',
  personal_digest: 'bytea',
} as const

/** Those that the place of a row decides. */
const placeColumns = {
  stream_seq: 'bigint',
  received_at: 'timestamptz',
  canonical_at: 'timestamptz',
  prev_hash: 'bytea',
  chain_hash: 'bytea',
} as const

const headColumns = { stream_id: 'uuid', last_seq: 'bigint', last_hash: 'bytea', received_at: 'timestamptz' } as const

const namesOf = (columns: object) => sql.raw(Object.keys(columns).join(', '))
const [ownNames, placeNames] = [namesOf(ownColumns), namesOf(placeColumns)]

/**
 * One statement whatever the number of rows: its text never changes, and the heads move with the rows.
 * @param arrays of their own columns, of the texts that their words are in, and of the columns of their places
 */
function inserting(arrays: readonly RawBuilder<unknown>[], heads: readonly Head[]): RawBuilder<unknown> {
  // As a table function, `unnest` puts each array down before it is read: a fifth more for each row.
  const elements = sql.join(arrays.map((array) => sql`unnest(${array})`))
  return sql`
    with moved as (
      update registry.audit_streams as head
      set last_seq = moving.last_seq, last_hash = moving.last_hash, last_received_at = moving.received_at
      from unnest(${sql.join(columnArrays(headColumns, heads))}) as moving (stream_id, last_seq, last_hash, received_at)
      where head.stream_id = moving.stream_id
    )
    insert into audit_log (${ownNames}, ${placeNames}, chain_version, search)
    select ${ownNames}, ${placeNames}, ${sql.lit(chainVersion)},
      ${vectorOf(sql`search_text`)}
    from (select ${elements}) as event (${ownNames}, search_text, ${placeNames})`
}
