import { scopesIn, type ScopeQuery } from '../key-verifier/scopes.ts'
import type { KeyVerificationUnavailableError } from '../key-verifier/unavailable-error.ts'
import type { RefusedKey } from '../key-verifier/verification.ts'

/** What is answered to a request that is not let through. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

/** Who brings one of these has no key that can be used, now or ever. */
const unusable = new Set<string>(['MISSING', 'NOT_FOUND', 'REVOKED', 'EXPIRED', 'DISABLED'])

/** Says why a request is refused. Of a key that was not proven, always the same. */
export function refusalOf({ code, api_key_id }: RefusedKey, scopes: ScopeQuery): Answer {
  if (code === 'MISSING') {
    const detail = 'Send "Authorization: Bearer <API key>".'
    return problem(401, 'auth.credentials_missing', 'Credentials are required', { detail }, challenge())
  }
  const invalid = challenge('error="invalid_token"')
  if (api_key_id === null) return problem(401, 'auth.api_key_invalid', 'The API key is not valid', {}, invalid)
  const because = { detail: `The key is good, and it cannot be used for this: ${code}.`, reason: code }
  if (unusable.has(code)) return problem(401, 'auth.api_key_refused', 'The API key cannot be used', because, invalid)
  const missing = challenge('error="insufficient_scope"', `scope="${scopesIn(scopes).join(' ')}"`)
  const headers = code === 'INSUFFICIENT_SCOPE' ? missing : {}
  return problem(403, 'auth.permission_denied', 'You may not do this', because, headers)
}

/** Says that it cannot be said just now whether the key is good. */
export function unavailable({ status, retryAfterSeconds }: KeyVerificationUnavailableError): Answer {
  const headers = { 'retry-after': String(Math.ceil(retryAfterSeconds ?? 1)) }
  return status === 429
    ? problem(429, 'request.rate_limited', 'Too many requests', {}, headers)
    : problem(503, 'auth.provider_unavailable', 'API keys cannot be verified just now', {}, headers)
}

function challenge(...words: string[]) {
  return { 'www-authenticate': ['Bearer', words.join(', ')].join(' ').trim() }
}

function problem(
  status: number,
  code: string,
  title: string,
  more: { readonly detail?: string; readonly reason?: string },
  headers: Readonly<Record<string, string>>,
): Answer {
  const type = `urn:tenant-registry:problem:${code}`
  return {
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', ...headers },
    body: { type, title, status, code, ...more },
  }
}
