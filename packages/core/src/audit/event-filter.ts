import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import type { Planning } from '../db/bounded-read.ts'
import type { Schema } from '../db/schema.ts'
import { StreamId, type TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { actionBegins, prefixOf } from './action-pattern.ts'
import { isCrud } from './crud-condition.ts'
import type { RecordedEventQuery } from './recorded-event.ts'
import { type Asked, type Part, retentionConditions } from './retention.repository.ts'
import { conditionOf } from './search-conditions.ts'
import type { SearchExpression } from './search-language.ts'
import { type Column, own, shows } from './shown-columns.ts'
import { cameFrom } from './source-address.ts'

/** What of the log is asked for. */
export interface EventFilter extends Omit<RecordedEventQuery, 'limit' | 'cursor' | 'q' | 'total'> {
  readonly search?: SearchExpression | undefined
  /** Only of this part of it; all unless told. */
  readonly part?: Part | undefined
}

const eb = expressionBuilder<Schema, 'audit_log'>()

/** What of the log is in sight. A tenant's people see its log while they see the tenant, and nothing of legal holds. */
export function inSight(sight: Sight, asked: Asked = {}): Expression<SqlBool>[] {
  const product = sight.kind === 'product' ? sight.product : asked.product
  return [...retentionConditions(sight, { ...asked, product }), ...ofSight(sight)]
}

function ofSight(sight: Sight): Expression<SqlBool>[] {
  if (sight.kind === 'platform') return []
  if (sight.kind === 'product') {
    if (sight.environment === undefined) return [sql<SqlBool>`false`]
    return [sql<SqlBool>`product = ${sight.product}`, sql<SqlBool>`environment = ${sight.environment}`]
  }
  const [only, ...others] = sight.tenantIds
  // Asked once and not of every row, so that the events stay in the order in which the index has them.
  const seen = sql`select id from tenants
    where id = any(${sight.tenantIds}::uuid[]) and status <> 'archived' and purge_requested_at is null`
  const stream =
    only !== undefined && others.length === 0
      ? sql<SqlBool>`(stream_id = ${only} and exists (${seen}))`
      : sql<SqlBool>`stream_id = any(array(${seen}))`
  return [stream, sql<SqlBool>`not (product = ${own} and (target_type = 'legal_hold' or action like 'tenant.purge%'))`]
}

/** The tenant whose log it is that is read, where it is one alone. */
export function tenantOf(sight: Sight, filter: EventFilter): TenantId | undefined {
  const [only, ...others] = sight.kind === 'tenants' ? sight.tenantIds : []
  return filter.tenant_id ?? (others.length === 0 ? only : undefined)
}

/** What of the log a filter names. */
export const askedOf = (sight: Sight, filter: EventFilter): Asked => ({
  log: tenantOf(sight, filter),
  product: sight.kind === 'product' ? sight.product : filter.product,
  part: filter.part,
})

/**
 * What has to hold of an event that is in sight and matches the filter: no filter finds what is not shown.
 * @param planning of the statement that it is for
 */
export function conditionsOf(sight: Sight, filter: EventFilter, planning: Planning = 'freely'): Expression<SqlBool>[] {
  const { search, tenant_id } = filter
  const tenant = tenantOf(sight, filter)
  return [
    ...inSight(sight, askedOf(sight, filter)),
    ...(tenant_id === undefined ? [] : [eb('stream_id', '=', StreamId.parse(tenant_id))]),
    ...equalities.flatMap((name) => {
      const value = filter[name]
      return value === undefined ? [] : [shows(sight, name, value)]
    }),
    ...acted(filter),
    ...flags.flatMap((name) => {
      const value = filter[name]
      return value === undefined ? [] : [eb(name, '=', value)]
    }),
    ...(filter.source_ip === undefined ? [] : [cameFrom(sight, filter.source_ip)]),
    ...within('canonical_at', filter.created_after, filter.created_before),
    ...within('received_at', filter.received_after, filter.received_before),
    ...(search ? [conditionOf(sight, search, tenant && [tenant], planning)] : []),
  ]
}

/** What has to be exactly so. */
const equalities = [
  'product',
  'environment',
  'group_id',
  'actor_id',
  'target_id',
  'target_type',
  'external_id',
] as const satisfies readonly Column[]

const flags = ['is_failure', 'is_anonymous'] as const satisfies readonly Column[]

function acted({ action, crud }: EventFilter): Expression<SqlBool>[] {
  const prefix = action === undefined ? undefined : prefixOf(action)
  return [
    ...(action === undefined ? [] : [prefix === undefined ? eb('action', '=', action) : actionBegins(prefix)]),
    ...(crud === undefined ? [] : [isCrud(crud)]),
  ]
}

export function within(column: 'canonical_at' | 'received_at', from: Date | undefined, until: Date | undefined) {
  return [...(from ? [eb(column, '>=', from)] : []), ...(until ? [eb(column, '<', until)] : [])]
}
