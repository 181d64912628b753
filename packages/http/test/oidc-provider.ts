import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactSign, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { Provider, type Adapter, type Configuration } from 'oidc-provider'

export type SigningAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'

/** What a token says, beside or instead of what a provider would write by itself. */
export type Claims = Readonly<Record<string, unknown>>

/** A private key as a provider keeps it. */
export type SigningKey = JWK & { readonly kid: string; readonly alg: SigningAlgorithm }

export const audience = 'tenant-registry'
const client = { client_id: 'some-product', client_secret: 'not-a-secret-in-a-test' }

/** Makes a key that a provider could sign with. */
export async function aSigningKey(alg: SigningAlgorithm, kid: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' }
}

/** A certified provider on the loopback interface, and means to make it misbehave. */
export interface TestProvider extends AsyncDisposable {
  readonly issuer: string
  /** The paths it was asked for, in order. */
  readonly requests: string[]
  /** Replaces its keys, as a rotation does. */
  rotate(keys: readonly SigningKey[]): void
  /** Lets something else answer at its address, until the next rotation. */
  answerWith(listener: RequestListener): void
  /**
   * An access token that it issues for client credentials; `resource` is the audience. `claims` are issued in addition,
   * or instead: whatever a mapper of Keycloak could write.
   */
  accessToken(options?: { alg?: SigningAlgorithm; claims?: Claims; resource?: string }): Promise<string>
  /** An ID or back-channel logout token that it issues. */
  otherToken(use: 'idtoken' | 'logout'): Promise<string>
  close(): Promise<void>
}

/** Starts a provider with these keys. */
export async function startProvider(keys: readonly SigningKey[]): Promise<TestProvider> {
  const requests: string[] = []
  let listener: RequestListener = (_request, response) => response.end()
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/test`
  let provider: Provider

  const rotate = (next: readonly SigningKey[]) => {
    provider = new Provider(issuer, configuration(next))
    const callback = provider.callback()
    listener = (request, response) => {
      // Mounted below a path, as Keycloak's realms are.
      request.url = (request.url ?? '').replace(/^\/realms\/test/, '')
      Object.assign(request, { originalUrl: `/realms/test${request.url}` })
      void callback(request, response)
    }
  }
  rotate(keys)

  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    issuer,
    requests,
    rotate,
    answerWith: (next) => {
      listener = next
    },
    async accessToken({ alg = 'RS256', claims = {}, resource = resourceFor(alg, claims) } = {}) {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', resource, ...client }),
      })
      const body = (await response.json()) as { access_token?: string }
      if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`)
      return body.access_token
    },
    async otherToken(use) {
      const found = await provider.Client.find(client.client_id)
      if (found === undefined) throw new Error('the provider has lost its client')
      const token = new provider.IdToken({ sub: 'alice' }, { client: found, ctx: undefined as never })
      if (use === 'logout') token.set('events', { 'http://schemas.openid.net/event/backchannel-logout': {} })
      return token.issue({ use })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Its tokens carry everything in themselves, so there is nothing to keep. */
const nothingKept: Adapter = {
  upsert: async () => {},
  find: async () => undefined,
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  consume: async () => {},
  destroy: async () => {},
  revokeByGrantId: async () => {},
}

// The one thing of a request for a token that is ours to choose, so it carries what the token has to say.
const resourceFor = (alg: SigningAlgorithm, claims: Claims) =>
  `urn:${audience}:${alg}:${Buffer.from(JSON.stringify(claims)).toString('base64url')}`

function claimsIn(resource: unknown): Claims {
  const [, , , claims] = typeof resource === 'string' ? resource.split(':') : []
  return claims === undefined ? {} : (JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims)
}

function configuration(keys: readonly SigningKey[]): Configuration {
  return {
    adapter: () => nothingKept,
    ttl: { ClientCredentials: 3600, IdToken: 3600 },
    jwks: { keys: [...keys] as never },
    clients: [
      {
        ...client,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    clientAuthMethods: ['client_secret_post'],
    clientDefaults: { id_token_signed_response_alg: keys[0]?.alg ?? 'RS256' },
    formats: {
      customizers: {
        jwt(ctx, _token, jwt) {
          Object.assign(jwt.payload, claimsIn(ctx.oidc.params?.['resource']))
        },
      },
    },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: '',
          audience: resource.startsWith(`urn:${audience}:`) ? audience : resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: (resource.split(':')[2] ?? 'RS256') as SigningAlgorithm } },
        }),
      },
    },
  }
}

/** Signs whatever a test wants with a provider's key: what a provider would not issue, but a verifier has to survive. */
export async function signed(
  key: SigningKey,
  claims: Claims | string,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const payload = Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims))
  const crit = Array.isArray(header['crit'])
    ? Object.fromEntries(header['crit'].map((name) => [name, true]))
    : undefined
  return new CompactSign(payload)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
    .sign(await importJWK(key, key.alg), crit === undefined ? {} : { crit })
}
