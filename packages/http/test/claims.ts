import type { PlatformRole, TenantRole } from '../src/auth/principal.ts'
import type { Claims } from './oidc-provider.ts'

/** Claims of people and services, as the mappers of the realm that ships write them (docs/keycloak/realm.json). */

/** Someone who runs the platform. */
export function operatorClaims(...roles: readonly PlatformRole[]): Claims {
  const sub = `someone-${roles.join('-')}`
  return { sub, name: roles.join(' and '), azp: 'registry-cli', resource_access: { 'tenant-registry': { roles } } }
}

/** Someone of these tenants: the name of each organization, the tenant that it is, and the role there. */
export function memberClaims(
  memberships: Readonly<Record<string, readonly [tenantId: string, role: TenantRole]>>,
): Claims {
  const entries = Object.entries(memberships).map(([alias, [tenantId, role]]) => [
    alias,
    { id: `organization-${alias}`, tenant_id: [tenantId], groups: [`/${role}`] },
  ])
  const sub = `someone-of-${Object.keys(memberships).join('-and-')}`
  return { sub, name: sub, azp: 'registry-cli', organization: Object.fromEntries(entries) as unknown }
}

/** A product that got a token for itself. */
export function productClaims(client: string): Claims {
  const resource_access = { 'tenant-registry': { roles: ['product-service'] } }
  return { sub: `service-account-${client}`, azp: client, client_id: client, resource_access }
}
