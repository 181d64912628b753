import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import { type EventId, StreamId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
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

const eb = expressionBuilder<Schema, 'audit_log'>()

const select = (db: Reader) => db.selectFrom('audit_log').select(columns)

/** A row of the log, as far as readers see it. Its maps are JSON texts. */
export type EventRow = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]

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
  if (tenant_id !== undefined) conditions.push(eb('stream_id', '=', StreamId.parse(tenant_id)))
  if (product !== undefined) conditions.push(eb('product', '=', product))
  if (action !== undefined) conditions.push(eb('action', '=', action))
  if (crud !== undefined) conditions.push(eb('crud', '=', crud))
  if (actor_id !== undefined) conditions.push(eb('actor_id', '=', actor_id))
  if (target_id !== undefined) conditions.push(eb('target_id', '=', target_id))
  if (created_after) conditions.push(eb('canonical_at', '>=', created_after))
  if (created_before) conditions.push(eb('canonical_at', '<', created_before))
  if (after) conditions.push(sql<SqlBool>`(canonical_at, id) < (${after.key}::timestamptz, ${after.id}::uuid)`)
  return await select(db)
    .where(eb.and(conditions))
    .orderBy('canonical_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

export async function findEvent(db: Reader, sight: Sight, id: EventId): Promise<EventRow | undefined> {
  return await select(db)
    .where('id', '=', id)
    .where(() => eb.and(inSight(sight)))
    .executeTakeFirst()
}
