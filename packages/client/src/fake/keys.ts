import type { IssuedApiKey, Verification, VerifiedKey } from '../generated/schemas.gen.ts'
import { hasScopes } from '../key-verifier/scopes.ts'
import { effective } from './lifecycle.ts'
import type { Store } from './store.ts'

/** A key as it is kept: what follows from the time is worked out when it is shown. */
export type KeptKey = Omit<IssuedApiKey, 'status'>

const maxAgeSeconds = 5

/** What the registry says of a key, asked by whoever the key opens. */
export function verifiedKey(store: Store, { key, ...question }: Verification): VerifiedKey {
  const found = store.keys.get(key)
  if (!found) return answer(undefined, 'NOT_FOUND')
  const code = judged(store, found, question)
  const tenant = store.tenants.get(found.tenant_id)
  const tenant_status = tenant && code === 'TENANT_INACTIVE' ? effective(tenant, store.now()).effective_status : null
  return {
    ...answer(found, code),
    tenant_status,
    max_age: code === 'VALID' ? secondsLeft(store, found) : maxAgeSeconds,
  }
}

/** The first thing that is wrong, in the registry's order. */
function judged(store: Store, key: KeptKey, question: Omit<Verification, 'key'>): VerifiedKey['code'] {
  const now = store.now()
  const tenant = store.tenants.get(key.tenant_id)
  if (!tenant) return 'NOT_FOUND'
  if (key.revoked_at !== null) return 'REVOKED'
  if (key.expires_at !== null && Date.parse(key.expires_at) <= now) return 'EXPIRED'
  if (!key.enabled) return 'DISABLED'
  if (['frozen', 'archived'].includes(effective(tenant, now).effective_status)) return 'TENANT_INACTIVE'
  if (!hasProduct(store, key, now)) return 'PRODUCT_NOT_ASSIGNED'
  const project = store.projects.get(key.project_id ?? question.project_id ?? '')
  if (key.project_id !== null && project?.status === 'archived') return 'PROJECT_INACTIVE'
  if (question.project_id !== undefined) {
    if (key.project_id === null) {
      if (project?.tenant_id !== tenant.id) return 'PROJECT_MISMATCH'
      if (project.status === 'archived') return 'PROJECT_INACTIVE'
    } else if (key.project_id !== question.project_id) return 'PROJECT_MISMATCH'
  }
  if (question.environment !== undefined && question.environment !== key.environment) return 'ENVIRONMENT_MISMATCH'
  if (key.ip_allow.length > 0 && !key.ip_allow.some((range) => isWithin(range, question.client_ip ?? '')))
    return 'IP_NOT_ALLOWED'
  if (question.scopes !== undefined && !hasScopes(key.scopes, question.scopes)) return 'INSUFFICIENT_SCOPE'
  return 'VALID'
}

function hasProduct(store: Store, { tenant_id, audience }: KeptKey, now: number): boolean {
  const given = store.given(tenant_id, audience)
  if (!given || given.access === 'none') return false
  return !given.valid_until || Date.parse(given.valid_until) > now
}

function secondsLeft(store: Store, { tenant_id, audience, expires_at }: KeptKey): number {
  const tenant = store.tenants.get(tenant_id)
  const trialEnd = tenant?.status === 'trial' ? tenant.trial_ends_at : null
  const ends = [expires_at, trialEnd, store.given(tenant_id, audience)?.valid_until ?? null]
  const left = ends.filter((each) => each !== null).map((each) => Math.floor((Date.parse(each) - store.now()) / 1_000))
  return Math.min(maxAgeSeconds, ...left)
}

function answer(key: KeptKey | undefined, code: VerifiedKey['code']): VerifiedKey {
  const known = code === 'NOT_FOUND' ? undefined : key
  return {
    valid: code === 'VALID',
    code,
    api_key_id: known?.id ?? null,
    tenant_id: known?.tenant_id ?? null,
    project_id: known?.project_id ?? null,
    environment: known?.environment ?? null,
    scopes: [...(known?.scopes ?? [])],
    expires_at: known?.expires_at ?? null,
    tenant_status: null,
    max_age: maxAgeSeconds,
  }
}

/** Networks of IPv4, and any address as it is spelled. */
function isWithin(range: string, address: string): boolean {
  const [network = '', bits = '32'] = range.split('/')
  const [one, other] = [valueOf(network), valueOf(address)]
  if (one === undefined || other === undefined) return network === address
  return Number(bits) === 0 || one >>> (32 - Number(bits)) === other >>> (32 - Number(bits))
}

function valueOf(address: string): number | undefined {
  const parts = address.replace(/^::ffff:(?=\d+\.)/i, '').split('.')
  return parts.length === 4 ? parts.reduce((value, part) => ((value << 8) | Number(part)) >>> 0, 0) : undefined
}
