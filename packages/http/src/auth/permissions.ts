import type { platformScopes, registryScopes } from '@breakpilot/tenant-core'
import type { PlatformRole, TenantRole } from './principal.ts'

/** What somebody may be allowed to do. Every operation asks for one of these. */
export const permissions = [
  'tenants:read',
  'tenants:lookup',
  'tenants:create',
  'tenants:update',
  'tenants:transition',
  'tenants:purge',
  'tenants:hold',
  'tenants:export',
  'slugs:release',
  'overrides',
  'projects:read',
  'projects:write',
  'products:read',
  'products:write',
  'entitlements:read',
  'catalogue:read',
  'changes:read',
  'audit:read',
  'audit:follow',
  'audit:publish',
  'audit:verify',
  'audit:view',
  'api_keys:read',
  'api_keys:find',
  'api_keys:write',
  'api_keys:revoke',
  'api_keys:verify',
] as const
export type Permission = (typeof permissions)[number]

/** Whose authority is asked about: a role of the platform, one in a tenant, or a product. */
export type Role = PlatformRole | TenantRole | 'product'

const reads = [
  'tenants:read',
  'tenants:lookup',
  'tenants:export',
  'projects:read',
  'products:read',
  'entitlements:read',
  'catalogue:read',
  'changes:read',
  'audit:read',
  'audit:verify',
  'audit:view',
  'audit:follow',
  'api_keys:read',
  'api_keys:find',
] as const satisfies readonly Permission[]

/** What only a key of a product may: it says which product speaks, and of what environment. */
const keysAlone: ReadonlySet<Permission> = new Set(['audit:publish'])

const ownersAlone: ReadonlySet<Permission> = new Set(['tenants:purge', 'tenants:hold', 'slugs:release', 'overrides'])

/** What each role may do. */
export const permissionsOf: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  'platform-owner': new Set(permissions.filter((permission) => !keysAlone.has(permission))),
  'platform-operator': new Set(
    permissions.filter((permission) => !ownersAlone.has(permission) && !keysAlone.has(permission)),
  ),
  'platform-billing': new Set([
    'tenants:read',
    'tenants:lookup',
    'tenants:update',
    'products:read',
    'products:write',
    'entitlements:read',
    'catalogue:read',
    'changes:read',
  ]),
  'platform-support': new Set([...reads, 'api_keys:revoke']),
  'platform-auditor': new Set(reads),
  'tenant-admin': new Set([
    'tenants:read',
    'tenants:update',
    'tenants:export',
    'projects:read',
    'projects:write',
    'products:read',
    'entitlements:read',
    'catalogue:read',
    'audit:read',
    'api_keys:read',
    'api_keys:write',
    'api_keys:revoke',
  ]),
  'tenant-viewer': new Set([
    'tenants:read',
    'tenants:export',
    'projects:read',
    'products:read',
    'entitlements:read',
    'catalogue:read',
    'audit:read',
  ]),
  product: new Set([
    'tenants:read',
    'projects:read',
    'products:read',
    'entitlements:read',
    'catalogue:read',
    'changes:read',
    'api_keys:verify',
  ]),
}

/** The scope that a tenant's key has to have for each permission; what is not here no such key may do. */
export const scopeOfKey: Partial<Readonly<Record<Permission, (typeof registryScopes)[number]>>> = {
  'tenants:read': 'tenant:read',
  'products:read': 'tenant:read',
  'entitlements:read': 'tenant:read',
  'catalogue:read': 'tenant:read',
  'projects:read': 'projects:read',
  'projects:write': 'projects:write',
  'api_keys:read': 'api_keys:read',
  'api_keys:write': 'api_keys:write',
  'api_keys:revoke': 'api_keys:revoke',
  'audit:read': 'audit:read',
}

/** The scopes of which a product's key has to have one for each permission. Who keeps answers has to hear of changes. */
export const scopesOfProductKey: Partial<Readonly<Record<Permission, readonly (typeof platformScopes)[number][]>>> = {
  'audit:publish': ['audit:publish'],
  'audit:read': ['audit:read'],
  'audit:follow': ['audit:read'],
  'entitlements:read': ['entitlements:read'],
  'api_keys:verify': ['api_keys:verify'],
  'changes:read': ['entitlements:read', 'api_keys:verify'],
}

/** What of a tenant each role may change by a patch; every field where nothing is said. */
export const fieldsOf: Partial<Readonly<Record<Role, ReadonlySet<string>>>> = {
  'platform-billing': new Set([
    'plan',
    'trial_ends_at',
    'contract_starts_at',
    'contract_ends_at',
    'erp_id',
    'stripe_id',
  ]),
  'tenant-admin': new Set(['name']),
}
