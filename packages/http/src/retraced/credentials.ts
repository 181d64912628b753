import { coveredBy, type KeyIdentity, platformTenant } from '@breakpilot/tenant-core'
import type { Request, Response } from 'express'
import type { Services } from '../route.ts'
import { unauthorized, WireError } from './wire-error.ts'

/** What a publisher's key may be allowed. */
export type PublisherScope = 'audit:publish' | 'audit:read' | 'audit:delegate'

const publisherScopes: readonly PublisherScope[] = ['audit:publish', 'audit:read', 'audit:delegate']

/** Proves a key. */
export type Prove = (key: string, request: Request, response: Response) => Promise<KeyIdentity>

/**
 * Makes the function that proves keys of the platform's own, which are all that this wire knows.
 * @throws {WireError} (the function made) 401
 */
export function proverOf({ apiKeys }: Pick<Services, 'apiKeys'>, signalOf: (response: Response) => AbortSignal): Prove {
  return async (text, request, response) => {
    const identified = await apiKeys.identify(text, request.ip, {
      caller: request.ip ?? '',
      left: () => signalOf(response),
    })
    if (!identified.ok) {
      // What was not proven hears nothing of what is there.
      if (identified.code === 'NOT_FOUND') throw unauthorized('The token is not valid')
      throw unauthorized(`The token is good, and it cannot be used now: ${identified.code}`)
    }
    if (identified.key.tenant_id !== platformTenant) throw unauthorized('The token is not valid')
    return identified.key
  }
}

/** The one value of a header: two parties that pick differently from several see two different callers. */
export function headerOf({ rawHeaders }: Pick<Request, 'rawHeaders'>, name: string): string | undefined {
  const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
  if (values.length > 1) throw unauthorized('There is more than one Authorization header')
  return values[0]?.trim()
}

/**
 * The token of a request: everything after the first `token=`, whatever scheme stands before it.
 * @throws {WireError} 401
 */
export function tokenOf(request: Pick<Request, 'rawHeaders'>): string {
  const header = headerOf(request, 'authorization')
  if (header === undefined || header === '') throw unauthorized('An Authorization header is required')
  const at = header.indexOf('token=')
  const token = at === -1 ? '' : header.slice(at + 'token='.length).trim()
  if (token === '') throw unauthorized('The Authorization header has to have token=<key> in it')
  return token
}

/**
 * Refuses a key that is no publisher's, is that of another product than the path is about, or may not do this.
 * @param project the product that the path names, if it names one
 * @throws {WireError} 401; 403 for a key that lacks this scope alone
 */
export function assertPublisher(key: KeyIdentity, scope: PublisherScope, project: string | undefined): void {
  const isPublisher = publisherScopes.some((each) => coveredBy(key.scopes, each))
  if (!isPublisher || (project !== undefined && project !== key.audience)) throw unauthorized('The token is not valid')
  if (!coveredBy(key.scopes, scope)) throw new WireError(403, `The key does not have ${scope}`)
}
