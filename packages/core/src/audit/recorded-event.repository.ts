import { type Expression, expressionBuilder, type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import { type EventId, StreamId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { ownProduct } from './audit-event.ts'
import type { RecordedEventQuery } from './recorded-event.ts'

const columns = [
  'id',
  'tenant_id',
  'product',
  'environment',
  'action',
  'crud',
  'canonical_at',
  'created_at',
  'received_at',
  'group_id',
  'group_name',
  'actor_id',
  'actor_name',
  'actor_href',
  'actor_fields',
  'target_id',
  'target_name',
  'target_href',
  'target_type',
  'target_fields',
  'source_ip',
  'description',
  'component',
  'version',
  'external_id',
  'is_anonymous',
  'is_failure',
  'fields',
  'metadata',
] as const

type Column = (typeof columns)[number]

/** A row of the log, as far as readers see it. Its maps are JSON texts. */
export type EventRow = Selectable<Pick<Schema['audit_log'], Column>>

const eb = expressionBuilder<Schema, 'audit_log'>()

/** What a tenant's own people see of the registry's own events, in place of who did it and from where. */
const masks: Partial<Record<Column, string | null>> = {
  actor_id: 'platform',
  actor_name: null,
  actor_href: null,
  actor_fields: null,
  source_ip: null,
  metadata: null,
}

const own = sql.lit(ownProduct)
const maskOf = (sight: Sight, name: Column) => (sight.kind === 'platform' ? undefined : masks[name])

/** A column as this sight shows it. */
function shown(sight: Sight, name: Column): RawBuilder<unknown> {
  const mask = maskOf(sight, name)
  const column = sql.ref(name)
  return mask === undefined ? column : sql`case when product = ${own} then ${sql.lit(mask)} else ${column} end`
}

/** Whether a column shows this value: no filter finds what is not shown. Written so that the column's index is of use. */
function shows(sight: Sight, name: Column, value: string): RawBuilder<SqlBool> {
  const mask = maskOf(sight, name)
  const column = sql.ref(name)
  if (mask === undefined) return sql`${column} = ${value}`
  return mask === value
    ? sql`(product = ${own} or ${column} = ${value})`
    : sql`(product <> ${own} and ${column} = ${value})`
}

const select = (db: Reader, sight: Sight) =>
  db
    .selectFrom('audit_log')
    .select(columns.map((name) => shown(sight, name).as(name)))
    .$castTo<EventRow>()

/** What of the log is in sight. A tenant's people see its log while they see the tenant, and nothing of legal holds. */
function inSight(sight: Sight): Expression<SqlBool>[] {
  if (sight.kind === 'platform') return []
  if (sight.kind === 'product') return [sql<SqlBool>`false`]
  return [
    sql<SqlBool>`stream_id in (
      select id from tenants where id = any(${sight.tenantIds}::uuid[]) and status <> 'archived' and purge_requested_at is null
    )`,
    sql<SqlBool>`not (product = 'tenant-registry' and (target_type = 'legal_hold' or action like 'tenant.purge%'))`,
  ]
}

export type EventFilter = Omit<RecordedEventQuery, 'limit' | 'cursor'>

/** Events, newest first, from the one after `after` on. */
export async function listEvents(
  db: Reader,
  sight: Sight,
  filter: EventFilter,
  limit: number,
  after?: Position,
): Promise<EventRow[]> {
  const { tenant_id, product, action, crud, actor_id, target_id, created_after, created_before } = filter
  const conditions = inSight(sight)
  const isEqual = (name: Column, value: string | undefined) => {
    if (value !== undefined) conditions.push(shows(sight, name, value))
  }
  if (tenant_id !== undefined) conditions.push(eb('stream_id', '=', StreamId.parse(tenant_id)))
  isEqual('product', product)
  isEqual('action', action)
  isEqual('crud', crud)
  isEqual('actor_id', actor_id)
  isEqual('target_id', target_id)
  if (created_after) conditions.push(eb('canonical_at', '>=', created_after))
  if (created_before) conditions.push(eb('canonical_at', '<', created_before))
  if (after) conditions.push(sql<SqlBool>`(canonical_at, id) < (${after.key}::timestamptz, ${after.id}::uuid)`)
  return await select(db, sight)
    .where(eb.and(conditions))
    .orderBy('canonical_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

export async function findEvent(db: Reader, sight: Sight, id: EventId): Promise<EventRow | undefined> {
  return await select(db, sight)
    .where('id', '=', id)
    .where(() => eb.and(inSight(sight)))
    .executeTakeFirst()
}
