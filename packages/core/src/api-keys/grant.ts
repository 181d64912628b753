import { isDeepStrictEqual } from 'node:util'
import type { Actor } from '../audit/actor.ts'
import { invalidAt, RegistryError } from '../errors.ts'
import { type ApiKeyId, platformTenant, type ProjectId, type TenantId } from '../id.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { rangesWithin } from './ip-range.ts'
import type { KeyPolicy } from './key-policy.ts'
import { audiencesOf, coveredBy, covers, platformScopes, registryAudience } from './scope.ts'
import type { KeyEnvironment } from './token.ts'

/** What a key has that acts for somebody: the most that it can hand on. */
export interface KeyAuthority {
  readonly id: ApiKeyId
  readonly tenant_id: TenantId
  readonly project_id: ProjectId | null
  readonly environment: KeyEnvironment
  readonly audience: string
  readonly scopes: readonly string[]
  readonly ip_allow: readonly string[]
  readonly expires_at: Date | null
}

/** What a key would be allowed, as far as it is a matter of who asks. */
export type Granted = Omit<KeyAuthority, 'id'>

/**
 * The audience that follows from scopes: the one that knows every one of them.
 * @throws {RegistryError} `api_key.scope_unknown`, `api_key.mixed_audience`
 */
export function audienceOf(catalogue: Catalogue, scopes: readonly string[]): string {
  const audiences = scopes.map((scope, index) => {
    const known = audiencesOf(catalogue, scope)
    if (known.length === 0) throw scopeUnknown(scope, index, 'neither a product nor the registry')
    return known
  })
  const [audience, ...others] = [...new Set(audiences.flat())]
  if (audience !== undefined && others.length === 0) return audience
  throw new RegistryError('api_key.mixed_audience', {
    detail: `The scopes open ${[audience, ...others].join(', ')}. Make a key for each: what leaks at one opens no other.`,
    facts: { allowed: [audience ?? '', ...others] },
  })
}

/** Refuses scopes that a key of the platform's own cannot have. */
export function assertPlatformScopes(catalogue: Catalogue, product: string, scopes: readonly string[]): void {
  if (catalogue.products.get(product)?.status !== 'active') throw new RegistryError('product.unknown')
  for (const [index, scope] of scopes.entries()) {
    if (!platformScopes.some((each) => covers(scope, each)))
      throw scopeUnknown(scope, index, "no key of the platform's")
  }
}

function scopeUnknown(scope: string, index: number, who: string): RegistryError {
  return new RegistryError('api_key.scope_unknown', {
    violations: [{ pointer: `/scopes/${index}`, code: 'unknown', message: `${who} knows ${scope}` }],
  })
}

/**
 * Refuses what whoever asks cannot hand on: the platform everything but what is its owner's alone; a tenant's people
 * what opens the products that the tenant has, or the registry; a key no more than it has itself.
 * @param hasProduct whether the tenant has a product now; asked where it matters
 * @throws {RegistryError} `api_key.grant_exceeded`
 */
export async function assertMayGrant(
  actor: Actor,
  granted: Granted,
  hasProduct: (product: string) => Promise<boolean>,
): Promise<void> {
  if (granted.tenant_id === platformTenant) {
    if (actor.sight.kind === 'platform' && actor.sight.owner) return
    throw exceeded("Keys of the platform's own are the owner's to make.")
  }
  if (actor.key) {
    assertWithin(actor.key, granted)
    return
  }
  if (actor.sight.kind === 'platform' || granted.audience === registryAudience) return
  if (!(await hasProduct(granted.audience))) throw exceeded(`The tenant does not have ${granted.audience}.`)
}

/** @throws {RegistryError} `api_key.grant_exceeded` */
function assertWithin(own: KeyAuthority, granted: Granted): void {
  const scope = granted.scopes.find((each) => !coveredBy(own.scopes, each))
  if (scope !== undefined) throw exceeded(`The key that asks does not have ${scope}.`)
  for (const field of ['tenant_id', 'project_id', 'environment', 'audience'] as const) {
    if (own[field] !== granted[field]) throw exceeded(`The key that asks has another ${field}.`)
  }
  if (!rangesWithin(granted.ip_allow, own.ip_allow))
    throw exceeded('The key that asks may be used from fewer addresses.')
  if (own.expires_at && (!granted.expires_at || granted.expires_at > own.expires_at)) {
    throw exceeded(`The key that asks ends at ${own.expires_at.toISOString()}.`)
  }
}

const exceeded = (detail: string) => new RegistryError('api_key.grant_exceeded', { detail })

/** How many days a key of the platform's own may live. */
const platformDaysMax = 400
const dayMs = 86_400_000

/** The policy for keys of a tenant: its own, or that of the platform's own keys. */
export function policyFor(tenantId: TenantId, policy: KeyPolicy): KeyPolicy {
  return tenantId === platformTenant ? { max_days: platformDaysMax, expiry_required: true } : policy
}

/**
 * Refuses an end that the policy of the tenant does not allow, and one that is over.
 * @param madeAt when the key was made, from where its days are counted; now, for one that is made now
 * @param mayBeOver for an end that stays as it was
 * @throws {RegistryError} `request.invalid`, `api_key.policy_violated`
 */
export function assertEnd(
  expiresAt: Date | null,
  { max_days, expiry_required }: KeyPolicy,
  at: Date,
  { madeAt = at, mayBeOver = false }: { readonly madeAt?: Date; readonly mayBeOver?: boolean } = {},
): void {
  if (expiresAt === null) {
    if (expiry_required === true || max_days !== undefined) throw violated('A key of this tenant has to have an end.')
    return
  }
  if (expiresAt <= at && !mayBeOver) throw invalidAt('/expires_at', 'must be in the future')
  if (max_days !== undefined && expiresAt.getTime() > madeAt.getTime() + max_days * dayMs) {
    throw violated(`A key of this tenant lives ${max_days} days at most.`)
  }
}

const violated = (detail: string) => new RegistryError('api_key.policy_violated', { detail })

/** Whether what a key is allowed differs. */
export function isOtherGrant(one: Granted, other: Granted): boolean {
  const limits = ({ scopes, ip_allow, expires_at }: Granted) => ({ scopes, ip_allow, expires_at })
  return !isDeepStrictEqual(limits(one), limits(other))
}
