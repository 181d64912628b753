import { type SqlBool, sql } from 'kysely'
import type { KeyEnvironment } from '../../api-keys/token.ts'
import type { Reader } from '../../db/handles.ts'
import type { StreamId, TenantId } from '../../id.ts'
import type { Catalogue } from '../../products/catalogue.ts'
import { findTenantsOfGroups, groupKey } from '../group.repository.ts'
import { streamOf } from '../stream.ts'

/** For whom something was done: what the product calls it, and the tenant that it is, if it is one. */
export interface AuditGroup {
  readonly id: string
  readonly tenant_id: TenantId | null
  /** Where what was recorded while it was a mere text is seen as well: the log that this is in. */
  readonly text_log?: StreamId | undefined
}

/**
 * What somebody sees who speaks Retraced's language: of one product and environment everything, or what belongs to one
 * group, or that as far as it was done to one target. Never anything of another product.
 */
export interface AuditScope {
  readonly product: string
  readonly environment: KeyEnvironment
  readonly group?: AuditGroup | undefined
  readonly target_id?: string | undefined
}

/** A scope that is one group's. */
export type GroupScope = AuditScope & { readonly group: AuditGroup }

/**
 * What the platform's people see of one tenant: all that is in its stream, whoever recorded it, the registry among them;
 * less where they ask for less. A type of its own, so that no scope of a product comes to be without one.
 */
export interface StreamScope {
  /** The stream of the tenant, whose id it has. */
  readonly stream_id: StreamId
  /** The one product whose events are seen; those of all where none is named. */
  readonly product?: string | undefined
  /** The one environment; both where none is named. */
  readonly environment?: KeyEnvironment | undefined
}

/** What of the log a search or an export is about. */
export type LogScope = AuditScope | StreamScope

/** Whether it is a tenant's whole log, for the platform's people alone. */
export const isStreamScope = (scope: LogScope): scope is StreamScope => 'stream_id' in scope

/** The group of a product that has this id, as it is now: a tenant that has or had the product, or a mere text. */
export async function resolveGroup(
  db: Reader,
  { products }: Catalogue,
  { product, id }: { readonly product: string; readonly id: string },
): Promise<AuditGroup> {
  const group = { product, id, bySlug: products.get(product)?.audit_group === 'slug' }
  const tenants = await findTenantsOfGroups(db, [group])
  return { id, tenant_id: tenants.get(groupKey(group)) ?? null }
}

/**
 * What a row of the log has to be to be in a scope: a group that is no tenant has a log of its own. A tenant's log is
 * looked into while the tenant can be seen: of one that is archived, or about to be purged, there is nothing but for the
 * platform's people.
 */
export function inScope(scope: LogScope) {
  return isStreamScope(scope) ? inStream(scope) : ofProduct(scope)
}

function inStream({ stream_id, product, environment }: StreamScope) {
  return [
    sql<SqlBool>`stream_id = ${stream_id}`,
    ...(product === undefined ? [] : [sql<SqlBool>`product = ${product}`]),
    ...(environment === undefined ? [] : [sql<SqlBool>`environment = ${environment}`]),
  ]
}

function ofProduct({ product, environment, group, target_id }: AuditScope) {
  return [
    sql<SqlBool>`product = ${product}`,
    sql<SqlBool>`environment = ${environment}`,
    ...(group ? [ofGroup({ product, environment, group })] : []),
    ...(target_id === undefined ? [] : [sql<SqlBool>`target_id = ${target_id}`]),
  ]
}

/** The log that a group's events are in. */
export const streamOfScope = ({ product, environment, group }: GroupScope): StreamId =>
  streamOf({ tenant_id: group.tenant_id, product, environment, group_id: group.id })

/** The logs that a scope is of: of a whole product none is named. */
export function logsOfScope(scope: LogScope): readonly StreamId[] {
  if (isStreamScope(scope)) return [scope.stream_id]
  const { product, environment, group } = scope
  if (!group) return []
  return [streamOfScope({ product, environment, group }), ...(group.text_log === undefined ? [] : [group.text_log])]
}

function ofGroup(scope: GroupScope) {
  const { tenant_id, text_log } = scope.group
  const own = sql<SqlBool>`stream_id = ${streamOfScope(scope)}`
  if (tenant_id === null) return own
  const ofTenant = sql<SqlBool>`${own} and exists (
    select from tenants where id = ${tenant_id} and status <> 'archived' and purge_requested_at is null
  )`
  return text_log === undefined ? ofTenant : sql<SqlBool>`(${ofTenant} or stream_id = ${text_log})`
}
