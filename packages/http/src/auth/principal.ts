import type { KeyIdentity, TenantId } from '@breakpilot/tenant-core'

/** Who an audit event names as its author. */
export interface Actor {
  readonly id: string
  readonly name: string
}

/** The roles of those who run the platform, the strongest first. */
export const platformRoles = [
  'platform-owner',
  'platform-operator',
  'platform-billing',
  'platform-support',
  'platform-auditor',
] as const
export type PlatformRole = (typeof platformRoles)[number]

/** The roles of a tenant's own people, the strongest first. */
export const tenantRoles = ['tenant-admin', 'tenant-viewer'] as const
export type TenantRole = (typeof tenantRoles)[number]

/** Someone who runs the platform: every tenant, as far as the roles go. */
export interface Operator {
  readonly kind: 'operator'
  /** At least one, the strongest first. */
  readonly roles: readonly PlatformRole[]
  readonly actor: Actor
}

/** Someone of one or more tenants: in each of them by the role that they have there, and nowhere else. */
export interface TenantUser {
  readonly kind: 'tenant-user'
  /** At least one. */
  readonly memberships: ReadonlyMap<TenantId, TenantRole>
  readonly actor: Actor
}

/** A product that speaks for itself: the tenants that have it, as far as it is concerned. */
export interface ProductService {
  readonly kind: 'product'
  readonly product: string
  readonly actor: Actor
}

/** A key of a tenant: its tenant, and its project if it is bound to one, as far as its scopes go. */
export interface ApiKeyPrincipal {
  readonly kind: 'api-key'
  readonly key: KeyIdentity
  readonly actor: Actor
}

/** A key of the platform's own that speaks for a product, as far as its scopes go. */
export interface ProductKey {
  readonly kind: 'product-key'
  readonly product: string
  readonly key: KeyIdentity
  readonly actor: Actor
}

/** The bearer of a good token which gives no authority here. Every operation answers it `auth.permission_denied`. */
export interface Unassigned {
  readonly kind: 'unassigned'
  readonly actor: Actor
}

/**
 * Who makes a request. Authority hangs on `kind`, so a `switch` over it stops compiling when a kind is added.
 */
export type Principal = Operator | TenantUser | ProductService | ApiKeyPrincipal | ProductKey | Unassigned

/** Who every local request is while authentication is off. */
export const developer: Operator = Object.freeze({
  kind: 'operator',
  roles: Object.freeze(['platform-owner'] as const),
  actor: Object.freeze({ id: 'dev', name: 'dev' }),
})
