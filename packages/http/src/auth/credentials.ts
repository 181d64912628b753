import { RegistryError } from '@breakpilot/tenant-core'
import type { RequestHead } from './request-head.ts'

const credentialsLengthMax = 8192
const token68 = /^[A-Za-z\d\-._~+/]+=*$/

/**
 * Finds the bearer token of a request, or nothing if the request has no `Authorization` header at all. No error repeats
 * anything of the header: a caller who forgets the scheme has sent a secret in its place.
 * @throws {RegistryError} `auth.credentials_malformed`, `auth.scheme_unsupported`
 */
export function bearerToken(request: Pick<RequestHead, 'rawHeaders'>): string | undefined {
  const credentials = authorization(request.rawHeaders)
  if (credentials === undefined) return undefined
  if (credentials.length > credentialsLengthMax) {
    throw malformed(`The Authorization header is longer than ${credentialsLengthMax} bytes.`)
  }
  const space = credentials.indexOf(' ')
  const scheme = space === -1 ? credentials : credentials.slice(0, space)
  if (scheme === '') throw malformed('The Authorization header is empty.')
  if (scheme.toLowerCase() !== 'bearer') {
    throw new RegistryError('auth.scheme_unsupported', { detail: 'Send "Authorization: Bearer <access token>".' })
  }
  const token = space === -1 ? '' : credentials.slice(space).trim()
  if (!token68.test(token)) throw malformed('"Bearer" has to be followed by one token.')
  return token
}

/** Node's `headers` quietly keeps the first of several; two parties that pick differently see two different callers. */
function authorization(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== 'authorization'.length || name.toLowerCase() !== 'authorization') continue
    if (found !== undefined) throw malformed('There is more than one Authorization header.')
    found = rawHeaders[index + 1]?.trim() ?? ''
  }
  return found
}

function malformed(detail: string): RegistryError {
  return new RegistryError('auth.credentials_malformed', { detail })
}
