import type { Verification, VerifiedKey } from '../generated/schemas.gen.ts'
import { isUuid } from '../uuid.ts'
import type { ScopeQuery } from './scopes.ts'

/** What a key is brought for. */
export interface KeyQuestion {
  /** What it takes: all scopes of a list, or `all` of one and `any` of another. */
  readonly scopes?: ScopeQuery | undefined
  /** The project that the key is used in. A text that can be nobody's id is a project that the tenant does not have. */
  readonly project_id?: string | undefined
  /** The environment that the key is used in. */
  readonly environment?: 'live' | 'test' | undefined
  /** The address of who brought it. Without one, a key that is bound to networks is not valid. */
  readonly client_ip?: string | undefined
}

/** A key that is good for what it was brought for. */
export interface ValidKey {
  readonly valid: true
  readonly code: 'VALID'
  readonly api_key_id: string
  /** Whose key it is. */
  readonly tenant_id: string
  /** The project that the key is bound to, if it is. */
  readonly project_id: string | null
  readonly environment: NonNullable<VerifiedKey['environment']>
  /** What the key may be used for; `hasScopes` reads them. */
  readonly scopes: readonly string[]
  readonly expires_at: string | null
  /** Whether the registry cannot be asked just now, and this is what it said not long ago. */
  readonly stale: boolean
}

/** A key that is not; or no key. What it is the key of is known only if whoever brought it has proven it. */
export interface RefusedKey {
  readonly valid: false
  /** Why. `NOT_FOUND` is whatever was not proven; `MISSING` that a request came without a key. A new code means no. */
  readonly code: Exclude<VerifiedKey['code'], 'VALID' | 'RETRY'> | 'MISSING'
  readonly api_key_id: string | null
  readonly tenant_id: string | null
  readonly project_id: string | null
  readonly environment: VerifiedKey['environment']
  readonly scopes: readonly string[]
  readonly expires_at: string | null
  /** What the tenant is in, when that is why. */
  readonly tenant_status: string | null
  readonly stale: false
}

/** What is said of a key. */
export type KeyVerification = ValidKey | RefusedKey

/** No tenant has a project with this id. */
const nobodys = '00000000-0000-0000-0000-000000000000'
const addressLengthMax = 64

/** A question as it is asked: spelled the same way each time, and nothing in it that the registry would call malformed. */
export function askedOf({ scopes, project_id, environment, client_ip }: KeyQuestion): Omit<Verification, 'key'> {
  return {
    ...(scopes !== undefined && { scopes: scopes as NonNullable<Verification['scopes']> }),
    ...(project_id !== undefined && { project_id: isUuid(project_id) ? project_id : nobodys }),
    ...(environment !== undefined && { environment }),
    // What is no address is in no network, and neither is who has none.
    ...(client_ip !== undefined && client_ip.length <= addressLengthMax && { client_ip }),
  }
}

/** What is said of a request without a key, and of what can be none. */
export const missing = refused('MISSING')
export const notFound = refused('NOT_FOUND')

function refused(code: RefusedKey['code']): RefusedKey {
  return Object.freeze({
    valid: false,
    code,
    api_key_id: null,
    tenant_id: null,
    project_id: null,
    environment: null,
    scopes: Object.freeze([]),
    expires_at: null,
    tenant_status: null,
    stale: false,
  })
}

/** What the registry's answer says; undefined when it is not one of the registry. */
export function verificationOf(answer: VerifiedKey): KeyVerification | undefined {
  const { valid, code, api_key_id, tenant_id, project_id, environment, scopes, expires_at, tenant_status } = answer
  if (typeof valid !== 'boolean' || typeof code !== 'string' || !Array.isArray(scopes)) return undefined
  const facts = { project_id, scopes: Object.freeze([...scopes]), expires_at }
  if (!valid)
    return Object.freeze({
      valid: false,
      code,
      api_key_id,
      tenant_id,
      ...facts,
      environment,
      tenant_status,
      stale: false,
    })
  if (code !== 'VALID' || typeof api_key_id !== 'string' || typeof tenant_id !== 'string' || environment === null)
    return undefined
  return Object.freeze({ valid, code: 'VALID', api_key_id, tenant_id, ...facts, environment, stale: false })
}
