import { type Expression, expressionBuilder, type Selectable, type SqlBool, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import { type EventId, StreamId, type TenantId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import type { RecordedEventQuery } from './recorded-event.ts'
import { retentionConditions } from './retention.repository.ts'
import { conditionOf } from './search-conditions.ts'
import type { SearchExpression } from './search-language.ts'
import { type Column, columns, shown, shows } from './shown-columns.ts'

/** A row of the log, as far as readers see it. Its maps are JSON texts. */
export type EventRow = Selectable<Pick<Schema['audit_log'], Column>>

const eb = expressionBuilder<Schema, 'audit_log'>()

const select = (db: Reader, sight: Sight) =>
  db
    .selectFrom('audit_log')
    .select(columns.map((name) => shown(sight, name).as(name)))
    .$castTo<EventRow>()

/** What of the log is in sight. A tenant's people see its log while they see the tenant, and nothing of legal holds. */
function inSight(sight: Sight, asked: { tenant?: TenantId | undefined; product?: string | undefined } = {}) {
  const product = sight.kind === 'product' ? sight.product : asked.product
  return [...retentionConditions(sight, { ...asked, product }), ...ofSight(sight)]
}

function ofSight(sight: Sight): Expression<SqlBool>[] {
  if (sight.kind === 'platform') return []
  if (sight.kind === 'product') {
    if (sight.environment === undefined) return [sql<SqlBool>`false`]
    return [eb('product', '=', sight.product), eb('environment', '=', sight.environment)]
  }
  return [
    sql<SqlBool>`stream_id in (
      select id from tenants where id = any(${sight.tenantIds}::uuid[]) and status <> 'archived' and purge_requested_at is null
    )`,
    sql<SqlBool>`not (product = 'tenant-registry' and (target_type = 'legal_hold' or action like 'tenant.purge%'))`,
  ]
}

export interface EventFilter extends Omit<RecordedEventQuery, 'limit' | 'cursor' | 'q'> {
  readonly search?: SearchExpression | undefined
}

/** What a filter asks of a row, and the sight of its reader: nothing is found that is not shown. */
export function conditionsOf(sight: Sight, filter: EventFilter): Expression<SqlBool>[] {
  const { tenant_id, product, action, crud, actor_id, target_id, created_after, created_before, search } = filter
  // Who sees one tenant alone asks about that one.
  const [only, ...others] = sight.kind === 'tenants' ? sight.tenantIds : []
  const tenant = tenant_id ?? (others.length === 0 ? only : undefined)
  const conditions = inSight(sight, { tenant, product })
  const isEqual = (name: Column, value: string | undefined) => {
    if (value !== undefined) conditions.push(shows(sight, name, value))
  }
  if (tenant !== undefined) conditions.push(eb('stream_id', '=', StreamId.parse(tenant)))
  isEqual('product', product)
  isEqual('action', action)
  isEqual('crud', crud)
  isEqual('actor_id', actor_id)
  isEqual('target_id', target_id)
  if (created_after) conditions.push(eb('canonical_at', '>=', created_after))
  if (created_before) conditions.push(eb('canonical_at', '<', created_before))
  if (search) conditions.push(conditionOf(sight, search, tenant))
  return conditions
}

/** Events, newest first, from the one after `after` on. */
export async function listEvents(
  db: Reader,
  sight: Sight,
  filter: EventFilter,
  limit: number,
  after?: Position,
): Promise<EventRow[]> {
  const conditions = conditionsOf(sight, filter)
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
