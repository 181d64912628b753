import {
  coveredBy,
  platformTenant,
  type ProjectId,
  RegistryError,
  type Sight,
  type TenantId,
} from '@breakpilot/tenant-core'
import type { Principal } from './auth/index.ts'
import {
  fieldsOf,
  type Permission,
  permissionsOf,
  type Role,
  scopeOfKey,
  scopesOfProductKey,
} from './auth/permissions.ts'
import { platformRoles, tenantRoles } from './auth/principal.ts'

export type { Permission } from './auth/permissions.ts'

/** What a route asks of its caller. `public` asks nothing, not even who it is; `self` asks that and nothing more. */
export type Scope = 'public' | 'self' | Permission

/** Whether a route asks for a permission. */
export function asksForMore(scope: Scope): scope is Permission {
  return scope !== 'public' && scope !== 'self'
}

/**
 * Lets a caller through, or not.
 * @param tenantId the tenant that the request is about, where its path names one
 * @throws {RegistryError} `auth.permission_denied`; `tenant.not_found` for a tenant that the caller is not of, before
 *   anything else is said: whether it exists is none of its business
 */
export function authorize(
  principal: Principal,
  permission: Permission,
  tenantId?: TenantId,
  projectId?: ProjectId,
): void {
  if (tenantId !== undefined && isStranger(principal, tenantId)) throw new RegistryError('tenant.not_found')
  if (principal.kind === 'api-key' || principal.kind === 'product-key') {
    assertKeyMay(principal, permission, projectId)
    return
  }
  if (rolesIn(principal, tenantId).some((role) => permissionsOf[role].has(permission))) return
  throw new RegistryError('auth.permission_denied', {
    detail:
      principal.kind === 'unassigned'
        ? 'Your token is good, but it carries no role here.'
        : `Your role does not include ${permission}.`,
  })
}

function isStranger(principal: Principal, tenantId: TenantId): boolean {
  if (principal.kind === 'tenant-user') return !principal.memberships.has(tenantId)
  if (principal.kind === 'api-key') return principal.key.tenant_id !== tenantId
  // The platform's own tenant is there for its people alone.
  return tenantId === platformTenant && principal.kind !== 'operator'
}

/** @throws {RegistryError} `auth.permission_denied`; `project.not_found` for a project that the key is not bound to */
function assertKeyMay(
  { kind, key }: Extract<Principal, { readonly key: unknown }>,
  permission: Permission,
  projectId: ProjectId | undefined,
): void {
  const one = kind === 'api-key' ? scopeOfKey[permission] : undefined
  const wanted = kind === 'api-key' ? (one === undefined ? [] : [one]) : (scopesOfProductKey[permission] ?? [])
  if (!wanted.some((scope) => coveredBy(key.scopes, scope))) {
    throw new RegistryError('auth.permission_denied', {
      detail: wanted.length > 0 ? `The key does not have ${wanted.join(' or ')}.` : 'No key may do this.',
    })
  }
  if (key.project_id === null || !ofProjects.has(permission)) return
  if (projectId === key.project_id) return
  if (projectId !== undefined) throw new RegistryError('project.not_found')
  throw new RegistryError('auth.permission_denied', {
    detail: 'The key is bound to a project, and this is not about it.',
  })
}

/** What a key that is bound to a project may do there and nowhere else. */
const ofProjects: ReadonlySet<Permission> = new Set(['projects:read', 'projects:write', 'audit:read'])

/** The roles with which somebody acts on a tenant, or anywhere when none is named. */
function rolesIn(principal: Principal, tenantId: TenantId | undefined): readonly Role[] {
  if (principal.kind === 'operator') return principal.roles
  if (principal.kind === 'product') return ['product']
  if (principal.kind === 'unassigned' || principal.kind === 'api-key' || principal.kind === 'product-key') return []
  if (tenantId === undefined) return [...principal.memberships.values()]
  const role = principal.memberships.get(tenantId)
  return role === undefined ? [] : [role]
}

/** Which tenants somebody sees who asks for this: a member of two may do more in the one than in the other. */
export function sightOf(principal: Principal, permission: Permission): Sight {
  if (principal.kind === 'operator') return principal.roles.includes('platform-owner') ? owners : platform
  if (principal.kind === 'product') return { kind: 'product', product: principal.product }
  if (principal.kind === 'product-key') {
    return { kind: 'product', product: principal.product, environment: principal.key.environment }
  }
  if (principal.kind === 'api-key') return { kind: 'tenants', tenantIds: [principal.key.tenant_id] }
  if (principal.kind === 'unassigned') return { kind: 'tenants', tenantIds: [] }
  const allowed = [...principal.memberships].filter(([, role]) => permissionsOf[role].has(permission))
  return { kind: 'tenants', tenantIds: allowed.map(([id]) => id) }
}

const owners: Sight = { kind: 'platform', owner: true }
const platform: Sight = { kind: 'platform', owner: false }

/** The authority that the audit log names: the strongest of several, of those that count for this tenant. */
export function roleOf(principal: Principal, tenantId: TenantId | undefined): string {
  if (principal.kind === 'api-key' || principal.kind === 'product-key') return principal.kind
  const roles: readonly string[] = rolesIn(principal, tenantId)
  return [...platformRoles, ...tenantRoles, 'product'].find((role) => roles.includes(role)) ?? 'none'
}

/** What of this tenant somebody may change by a patch. */
export function fieldsPatchable(principal: Principal, tenantId: TenantId): 'all' | ReadonlySet<string> {
  const roles = rolesIn(principal, tenantId).filter((role) => permissionsOf[role].has('tenants:update'))
  if (roles.some((role) => fieldsOf[role] === undefined)) return 'all'
  return new Set(roles.flatMap((role) => [...(fieldsOf[role] ?? [])]))
}
