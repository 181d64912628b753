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

/** The tenant in whose log the registry says what was done about a group; null for a group that is none. */
export async function tenantOfGroup(db: Reader, { tenant_id }: AuditGroup) {
  const tenant = tenant_id === null ? undefined : await findTenant(db, everything, tenant_id)
  return tenant ? { id: tenant.id, name: tenant.name } : null
}
