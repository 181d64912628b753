import type { ErrorCode, RegistryError } from '@breakpilot/tenant-core'

const realm = 'Bearer realm="tenant-registry"'

/** Where `error` is not `invalid_token`. Who sent nothing made no mistake that it could name (section 3.1). */
const errorParameters: ReadonlyMap<ErrorCode, 'none' | 'invalid_request'> = new Map([
  ['auth.credentials_missing', 'none'],
  ['auth.scheme_unsupported', 'none'],
  ['auth.credentials_malformed', 'invalid_request'],
])

/**
 * The `WWW-Authenticate` header (RFC 6750) that goes with an error, or nothing if it needs none. Only titles are
 * repeated here: they are ours, short, and free of the quotes that a header could not carry.
 */
export function challengeFor(error: RegistryError): string | undefined {
  if (error.kind !== 'unauthenticated') return undefined
  const kind = errorParameters.get(error.code) ?? 'invalid_token'
  return kind === 'none' ? realm : `${realm}, error="${kind}", error_description="${error.title}"`
}
