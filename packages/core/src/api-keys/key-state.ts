import { judgeProduct, granted as judgedGood } from '../entitlements/gates.ts'
import { platformTenant } from '../id.ts'
import type { Catalogue } from '../products/catalogue.ts'
import type { ProjectStatus } from '../projects/project.ts'
import { effectiveOf } from '../tenants/lifecycle.ts'
import type { TenantStatus } from '../tenants/status.ts'
import type { KeyAuthority } from './grant.ts'
import { type IpRanges, isWithin, rangesOf } from './ip-range.ts'
import type { KeyStateRow } from './key-state.repository.ts'
import { registryAudience, satisfies } from './scope.ts'
import { maxAgeSeconds, type Verification, type VerificationCode, type VerifiedKey } from './verification.ts'

/** A key as it was at the moment of one read, made ready to be judged again and again. */
export interface KeyState extends KeyStateRow {
  readonly ranges: IpRanges | undefined
  /** The answer that is given as long as nothing is near its end: the same object each time. */
  valid?: VerifiedKey
}

export function stateOf(row: KeyStateRow): KeyState {
  return { ...row, ranges: rangesOf(row.ip_allow) }
}

/** Who asks about a key. */
export type Asker =
  /** Who runs the platform may ask about any key. */
  | { readonly kind: 'platform' }
  /** A product knows none but those that open it. */
  | { readonly kind: 'product'; readonly product: string }
  /** The registry's own API, about who makes a request. */
  | { readonly kind: 'registry' }

/** What a key is brought for. */
export type Question = Omit<Verification, 'key'>

/** A key that was proven, and what is said of it. */
export interface Judged {
  readonly code: Exclude<VerificationCode, 'RETRY'>
  /** What the tenant is in, when that is why. */
  readonly tenantStatus?: TenantStatus
}

const judged = (code: Judged['code']): Judged => Object.freeze({ code })
const valid = judged('VALID')
const notFound = judged('NOT_FOUND')
const revoked = judged('REVOKED')
const expired = judged('EXPIRED')
const disabled = judged('DISABLED')
const frozen: Judged = Object.freeze({ code: 'TENANT_INACTIVE', tenantStatus: 'frozen' })
const archived: Judged = Object.freeze({ code: 'TENANT_INACTIVE', tenantStatus: 'archived' })
const notAssigned = judged('PRODUCT_NOT_ASSIGNED')
const projectInactive = judged('PROJECT_INACTIVE')
const projectMismatch = judged('PROJECT_MISMATCH')
const environmentMismatch = judged('ENVIRONMENT_MISMATCH')
const ipNotAllowed = judged('IP_NOT_ALLOWED')
const insufficientScope = judged('INSUFFICIENT_SCOPE')

/**
 * Judges a key that was proven, in an order that callers may rely on: the first thing that is wrong is what they hear.
 * @param projectAsked what the project that is asked about is in, where the key itself is bound to none; undefined when
 *   the tenant has no such project
 */
export function judge(
  state: KeyState,
  question: Question,
  asker: Asker,
  catalogue: Catalogue,
  now: number,
  projectAsked: ProjectStatus | undefined,
): Judged {
  if (!opensTo(state, asker)) return notFound
  if (state.revoked) return revoked
  if (state.expires_at !== null && state.expires_at.getTime() <= now) return expired
  if (!state.enabled) return disabled
  const { status } = effectiveOf(state, new Date(now))
  if (status === 'archived') return archived
  if (status === 'frozen') return frozen
  if (!hasProduct(state, asker, catalogue, now)) return notAssigned
  if (state.project_status === 'archived') return projectInactive
  if (question.project_id !== undefined) {
    if (state.project_id === null) {
      if (projectAsked === undefined) return projectMismatch
      if (projectAsked === 'archived') return projectInactive
    } else if (state.project_id !== question.project_id) return projectMismatch
  }
  if (question.environment !== undefined && question.environment !== state.environment) return environmentMismatch
  if (state.ranges && !isWithin(state.ranges, question.client_ip)) return ipNotAllowed
  if (question.scopes !== undefined && !satisfies(state.scopes, question.scopes)) return insufficientScope
  return valid
}

/** Whether there is a key at all, as far as somebody is concerned. */
export function opensTo({ audience, tenant_id }: KeyState, asker: Asker): boolean {
  if (asker.kind === 'platform') return true
  if (asker.kind === 'product') return audience === asker.product
  return audience === registryAudience || tenant_id === platformTenant
}

/**
 * Whether the tenant has the product that the key opens, now. The platform's own tenant has none: its keys speak for a
 * product that there is, to the registry; a product that is shown one hears that whoever brought it has no product.
 */
function hasProduct(state: KeyState, asker: Asker, { products }: Catalogue, now: number): boolean {
  if (state.audience === registryAudience) return true
  const manifest = products.get(state.audience)
  if (state.tenant_id === platformTenant) return asker.kind !== 'product' && manifest?.status === 'active'
  const { assigned_enabled: enabled, assigned_from: valid_from, assigned_until: valid_until } = state
  const assignment = enabled === null ? undefined : { enabled, valid_from, valid_until }
  return judgeProduct(manifest, assignment, undefined, now) === judgedGood
}

/** What is answered for everything that was not proven, and for what is meant for another audience. */
export const unknownKey: VerifiedKey = Object.freeze(answer(undefined, notFound, maxAgeSeconds))
/** What is answered in a batch for a key whose turn did not come. */
export const askAgain: VerifiedKey = Object.freeze({ ...unknownKey, code: 'RETRY', max_age: 0 })

/** Puts into words what is said of a key. */
export function answerOf(state: KeyState, { code, tenantStatus }: Judged, now: number): VerifiedKey {
  if (code === 'NOT_FOUND') return unknownKey
  const maxAge = code === 'VALID' ? secondsLeft(state, now) : maxAgeSeconds
  if (code !== 'VALID' || maxAge < maxAgeSeconds)
    return answer(state, { code, ...(tenantStatus && { tenantStatus }) }, maxAge)
  return (state.valid ??= answer(state, valid, maxAgeSeconds))
}

/** For how many whole seconds nothing ends by itself: the key, the trial, the assignment. */
function secondsLeft({ expires_at, status, trial_ends_at, assigned_until }: KeyState, now: number): number {
  let until = now + maxAgeSeconds * 1000
  if (expires_at !== null) until = Math.min(until, expires_at.getTime())
  if (status === 'trial' && trial_ends_at !== null) until = Math.min(until, trial_ends_at.getTime())
  if (assigned_until !== null) until = Math.min(until, assigned_until.getTime())
  return Math.floor((until - now) / 1000)
}

function answer(state: KeyState | undefined, { code, tenantStatus }: Judged, maxAge: number): VerifiedKey {
  return {
    valid: code === 'VALID',
    code,
    api_key_id: state?.id ?? null,
    tenant_id: state?.tenant_id ?? null,
    project_id: state?.project_id ?? null,
    environment: state?.environment ?? null,
    scopes: state?.scopes ?? [],
    expires_at: state?.expires_at?.toISOString() ?? null,
    tenant_status: tenantStatus ?? null,
    max_age: maxAge,
  }
}

/** What a key can hand on, and what it may do here. */
export function authorityOf(state: KeyState): KeyAuthority & Pick<KeyState, 'name' | 'family_id'> {
  const { id, family_id, name, tenant_id, project_id, environment, audience, scopes, ip_allow, expires_at } = state
  return { id, family_id, name, tenant_id, project_id, environment, audience, scopes, ip_allow, expires_at }
}
