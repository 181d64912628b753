import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Reader } from '../../db/handles.ts'
import type { TenantId } from '../../id.ts'
import { everything } from '../../sight.ts'
import { findTenant } from '../../tenants/tenant.repository.ts'
import type { AuditGroup, GroupScope } from './scope.ts'

/** The columns that say whose log something is about. */
export interface GroupColumns {
  readonly product: string
  readonly environment: string
  readonly group_id: string
  readonly tenant_id: string | null
  readonly target_id?: string | null
}

export const columnsOf = ({ product, environment, group, target_id }: GroupScope) => ({
  product,
  environment,
  group_id: group.id,
  tenant_id: group.tenant_id,
  ...(target_id !== undefined && { target_id }),
})

export function scopeOfColumns(row: GroupColumns): GroupScope {
  const { product, environment, group_id, tenant_id, target_id } = row
  return {
    product,
    environment: environment as GroupScope['environment'],
    group: { id: group_id, tenant_id: tenant_id as TenantId | null },
    ...(typeof target_id === 'string' && { target_id }),
  }
}

/**
 * What was made for a group: for its tenant, by whatever name that was called then, or for the text where it was none.
 * @param table what the statement calls the table
 */
export function madeFor({ id, tenant_id }: AuditGroup, table: string): RawBuilder<SqlBool> {
  const [tenant, text] = [sql.ref(`${table}.tenant_id`), sql.ref(`${table}.group_id`)]
  const ofText = sql<SqlBool>`(${tenant} is null and ${text} = ${id})`
  return tenant_id === null ? ofText : sql`(${tenant} = ${tenant_id} or ${ofText})`
}

/** The tenant in whose log the registry says what was done about a group; null for a group that is none. */
export async function tenantOfGroup(db: Reader, { tenant_id }: AuditGroup) {
  const tenant = tenant_id === null ? undefined : await findTenant(db, everything, tenant_id)
  return tenant ? { id: tenant.id, name: tenant.name } : null
}
