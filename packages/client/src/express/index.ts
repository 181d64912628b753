import type { TenantClient } from '../client.ts'
import { keyIn } from '../key-verifier/credentials.ts'
import { createKeyVerifier, type KeyVerifier } from '../key-verifier/index.ts'
import { scopesIn, type ScopeQuery } from '../key-verifier/scopes.ts'
import { KeyVerificationUnavailableError } from '../key-verifier/unavailable-error.ts'
import { type KeyQuestion, missing, type ValidKey } from '../key-verifier/verification.ts'
import { type Answer, refusalOf, unavailable } from './answers.ts'

export type { ValidKey } from '../key-verifier/verification.ts'

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- this is how Express lets itself be extended
  namespace Express {
    interface Request {
      /** The key that the request came with, once `requireApiKey` has let it through. */
      apiKey?: ValidKey
    }
  }
}

/** What is used of a request of Express, 4 or 5. */
export interface GuardedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly ip?: string | undefined
  apiKey?: ValidKey
}

/** What is used of a response of Express: what Node's own has. */
export interface GuardedResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/** Keeps out requests that come without a key which is good for this. */
export interface ApiKeyGuard<Request extends GuardedRequest = GuardedRequest> {
  (request: Request, response: GuardedResponse, next: (error?: unknown) => void): void
  /** What it asks; `close()` it at the end. */
  readonly verifier: KeyVerifier
}

/** What a request has to come with. */
export interface ApiKeyRequirements<Request extends GuardedRequest = GuardedRequest> {
  /** What the key has to be good for: all scopes of a list, or `all` of one and `any` of another. */
  readonly scopes: ScopeQuery
  /** What verifies keys. */
  readonly verifier?: KeyVerifier | undefined
  /** Or what to make a verifier with: one, that is shared by all who are given the same client. */
  readonly client?: TenantClient | undefined
  readonly environment?: 'live' | 'test' | undefined
  /** The project that a request is for. A key of another one is refused, and so is every key when it gives no id. */
  readonly projectId?: ((request: Request) => unknown) | undefined
}

const scopeShape = /^[a-z][\w-]*(?::[a-z][\w-]*)*:(?:[a-z][\w-]*|\*)$/
const verifiers = new WeakMap<TenantClient, KeyVerifier>()

/**
 * Lets requests through that come with a key which is good for this, and sets `req.apiKey`. The others are answered with
 * a problem (RFC 9457): 401 without a key that can be used, 403 for one that may not do this, and 429 or 503 when the
 * registry cannot say. Where the request comes from is `req.ip`: behind a proxy, set `trust proxy`.
 * @throws {TypeError} when a scope is malformed, or neither a verifier nor a client is given
 * @example
 *   const client = new TenantClient({ baseUrl, getToken })
 *   app.get('/reports', requireApiKey({ client, scopes: ['reports:read'] }), (req, res) => {
 *     res.json(reportsOf(req.apiKey?.tenant_id))
 *   })
 */
export function requireApiKey<Request extends GuardedRequest = GuardedRequest>(
  requirements: ApiKeyRequirements<Request>,
): ApiKeyGuard<Request> {
  const { scopes, environment, projectId } = requirements
  const odd = scopesIn(scopes).find((scope) => !scopeShape.test(scope))
  if (odd !== undefined) throw new TypeError(`${odd} is no scope: they look like area:verb`)
  const verifier = verifierOf(requirements)

  const questionOf = (request: Request): KeyQuestion => ({
    scopes,
    environment,
    client_ip: request.ip,
    ...(projectId && { project_id: String(projectId(request)) }),
  })
  async function judge(request: Request): Promise<Answer | undefined> {
    const key = keyIn((name) => String(request.headers[name] ?? ''))
    try {
      const verified = key === undefined ? missing : await verifier.verify(key, questionOf(request))
      if (!verified.valid) return refusalOf(verified, scopes)
      request.apiKey = verified
      return undefined
    } catch (error) {
      if (error instanceof KeyVerificationUnavailableError) return unavailable(error)
      throw error
    }
  }
  async function pass(request: Request, response: GuardedResponse, next: (error?: unknown) => void): Promise<void> {
    try {
      const answer = await judge(request)
      if (answer) return send(response, answer)
    } catch (error) {
      return next(error)
    }
    return next()
  }
  const guard = (request: Request, response: GuardedResponse, next: (error?: unknown) => void) => {
    void pass(request, response, next)
  }
  return Object.assign(guard, { verifier })
}

function verifierOf({ verifier, client }: Pick<ApiKeyRequirements, 'verifier' | 'client'>): KeyVerifier {
  if (verifier) return verifier
  if (!client) throw new TypeError('requireApiKey needs a verifier or a client')
  const made = verifiers.get(client) ?? createKeyVerifier({ client })
  verifiers.set(client, made)
  return made
}

function send(response: GuardedResponse, { status, headers, body }: Answer): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(JSON.stringify(body))
}
