import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { RegistryError, type ErrorCode } from '@breakpilot/tenant-core'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  aSigningKey,
  audience,
  signed,
  startProvider,
  type SigningKey,
  type TestProvider,
} from '../../test/oidc-provider.ts'
import { refusalOf } from '../../test/refusal-of.ts'
import { createAuthenticator, type Authenticate } from './authenticate.ts'
import type { RequestHead } from './request-head.ts'

let provider: TestProvider
let key: SigningKey
let oidc: Authenticate
let off: Authenticate

beforeAll(async () => {
  key = await aSigningKey('ES256', 'ec-1')
  provider = await startProvider([key])
  oidc = createAuthenticator({ mode: 'oidc', issuer: provider.issuer, audience })
  off = createAuthenticator({ mode: 'off', issuer: provider.issuer, audience })
})

afterAll(async () => {
  await provider.close()
})

/** A request as `curl http://localhost:8090` makes it, with these headers in addition. */
function aRequest(headers: readonly string[] = [], remoteAddress = '127.0.0.1'): RequestHead {
  return { socket: { remoteAddress }, rawHeaders: ['Host', 'localhost:8090', ...headers] }
}

const bearing = async () => ['Authorization', `Bearer ${await provider.accessToken({ alg: 'ES256' })}`]
const codeOf = async (attempt: () => unknown): Promise<ErrorCode> => (await refusalOf(attempt)).code

const developer = { kind: 'operator', roles: ['platform-owner'], actor: { id: 'dev', name: 'dev' } }
const product = {
  kind: 'unassigned',
  actor: { id: 'some-product', name: 'some-product' },
}

describe('with authentication', () => {
  test('a request without credentials is refused, wherever it comes from', async () => {
    expect(await codeOf(() => oidc(aRequest()))).toBe('auth.credentials_missing')
    expect(await codeOf(() => oidc(aRequest([], '10.0.0.1')))).toBe('auth.credentials_missing')
  })

  test('a good token without roles is somebody without authority', async () => {
    expect(await oidc(aRequest(await bearing(), '10.0.0.1'))).toEqual(product)
  })

  test('a token that was just seen is judged without waiting', async () => {
    const request = aRequest(await bearing())
    await oidc(request)
    expect(oidc(request)).toEqual(product)
  })

  test('a relayed request is welcome', async () => {
    const headers = ['X-Forwarded-For', '10.0.0.1', 'Via', '1.1 proxy', ...(await bearing())]
    expect(await oidc(aRequest(headers))).toEqual(product)
  })
})

describe('without authentication', () => {
  test('a local request acts as the platform owner, without waiting', () => {
    expect(off(aRequest())).toEqual(developer)
  })

  test('a request that is not local is refused, good token or not', async () => {
    expect(await codeOf(() => off(aRequest([], '10.0.0.1')))).toBe('auth.request_not_local')
    expect(await codeOf(async () => off(aRequest(await bearing(), '10.0.0.1')))).toBe('auth.request_not_local')
    expect(await codeOf(async () => off(aRequest(['Via', '1.1 x', ...(await bearing())])))).toBe(
      'auth.request_not_local',
    )
  })

  test('credentials count: a good token is its bearer, not the owner', async () => {
    expect(await off(aRequest(await bearing()))).toEqual(product)
  })

  test.each<[string, ErrorCode]>([
    ['Bearer nonsense', 'auth.token_invalid'],
    ['Basic ZGV2OmRldg==', 'auth.scheme_unsupported'],
    ['Bearer', 'auth.credentials_malformed'],
    ['', 'auth.credentials_malformed'],
  ])('credentials count: %j is refused, although nothing would do', async (value, code) => {
    expect(await codeOf(() => off(aRequest(['Authorization', value])))).toBe(code)
  })
})

describe('over a real connection, without authentication', () => {
  const server = createServer((request: IncomingMessage, response) => {
    new Promise((resolve) => resolve(off(request))).then(
      () => response.end('welcome'),
      (error: unknown) => response.end(error instanceof RegistryError ? error.code : 'crashed'),
    )
  })

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => void server.close())

  async function answer(head: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.end(`${head}\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    return text.slice(text.indexOf('\r\n\r\n') + 4).replaceAll(/^[\da-f]+\r\n|\r\n0\r\n\r\n$/g, '')
  }

  const start = 'GET / HTTP/1.1\r\nConnection: close\r\n'

  test.each([
    ['the usual', `${start}Host: localhost:8090`, 'welcome'],
    ['no Host, as HTTP/1.0 allows', 'GET / HTTP/1.0', 'auth.request_not_local'],
    ['a Host that somebody points here', `${start}Host: rebound.example:8090`, 'auth.request_not_local'],
    ['a second Host', `${start}Host: localhost\r\nHost: rebound.example`, 'auth.request_not_local'],
    ['an empty X-Forwarded-For', `${start}Host: localhost\r\nX-Forwarded-For:`, 'auth.request_not_local'],
    ['a bad token', `${start}Host: localhost\r\nAuthorization: Bearer x.y.z`, 'auth.token_invalid'],
    ['empty credentials', `${start}Host: localhost\r\nAuthorization:`, 'auth.credentials_malformed'],
  ])('%s', async (_what, head, body) => {
    expect(await answer(head)).toBe(body)
  })
})

describe('the warning', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('comes at once and every minute while authentication is off', () => {
    vi.useFakeTimers()
    const warnings: string[] = []
    createAuthenticator({ mode: 'off', issuer: provider.issuer, audience, onWarning: (text) => warnings.push(text) })
    const warning = 'AUTH_MODE=off: every request from this machine acts as platform-owner'
    expect(warnings).toEqual([warning])
    vi.advanceTimersByTime(59_999)
    expect(warnings).toHaveLength(1)
    vi.advanceTimersByTime(60_001)
    expect(warnings).toEqual([warning, warning, warning])
  })

  test('does not come with authentication', () => {
    vi.useFakeTimers()
    const warnings: string[] = []
    createAuthenticator({ mode: 'oidc', issuer: provider.issuer, audience, onWarning: (text) => warnings.push(text) })
    vi.advanceTimersByTime(120_000)
    expect(warnings).toEqual([])
  })
})

test.each(['', 'localhost:8080', 'file:///etc', 'https:/x y', 'not a url'])(
  'an issuer of %j stops the boot',
  (issuer) => {
    expect(() => createAuthenticator({ mode: 'oidc', issuer, audience })).toThrow(
      'issuer has to be an http or https URL',
    )
    const jwksUrl = issuer
    expect(() => createAuthenticator({ mode: 'off', issuer: 'http://localhost/realm', audience, jwksUrl })).toThrow(
      'jwksUrl has to be an http or https URL',
    )
  },
)

test('no header crashes the authenticator: it names a principal or refuses with a published error', async () => {
  const claims = { iss: provider.issuer, aud: audience, sub: 'alice', iat: 0, exp: 4_000_000_000 }
  const good = await signed(key, claims)
  const base64url = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
  const json = fc.json().map((text) => Buffer.from(text).toString('base64url'))
  const header = fc
    .record(
      {
        alg: fc.oneof(fc.constantFrom('ES256', 'none', 'HS256', 'RS256', 'EdDSA', '__proto__'), fc.jsonValue()),
        kid: fc.oneof(fc.constantFrom('ec-1', 'constructor'), fc.jsonValue()),
        typ: fc.oneof(fc.constantFrom('at+jwt', 'JWT'), fc.jsonValue()),
        crit: fc.jsonValue(),
        b64: fc.jsonValue(),
        jwk: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'))
  const piece = fc.oneof(fc.constantFrom(...good.split('.'), ''), header, json, base64url, fc.string())
  const jwt = fc.oneof(
    fc.constant(good),
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('.')),
  )
  const scheme = fc.constantFrom('Bearer ', 'bearer  ', 'Basic ', 'Bearer', '')
  const credentials = fc.oneof(
    fc.tuple(scheme, jwt).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  )
  const name = fc.constantFrom(
    'Authorization',
    'authorization',
    'Host',
    'Sec-Fetch-Site',
    'X-Forwarded-For',
    '__proto__',
  )
  const headers = fc.array(fc.oneof(fc.tuple(name, credentials), fc.tuple(fc.string(), fc.string())), { maxLength: 3 })

  const outcomes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(headers, fc.constantFrom(oidc, off), async (extra, authenticate) => {
      try {
        outcomes.add((await authenticate(aRequest(extra.flat()))).kind)
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error
        outcomes.add(error.code)
      }
    }),
    { numRuns: 3000 },
  )
  // Else the property would hold because it never got anywhere.
  expect([...outcomes].toSorted()).toEqual(
    expect.arrayContaining(['auth.credentials_malformed', 'auth.token_invalid', 'operator', 'unassigned']),
  )
})

test('signed claims of any shape are a principal or a published error', async () => {
  const base = { iss: provider.issuer, aud: audience, sub: 'alice', iat: 0, exp: 4_000_000_000, typ: 'Bearer' }
  const names = [...Object.keys(base), 'nbf', 'name', 'azp', 'preferred_username']
  const changes = fc.dictionary(fc.constantFrom(...names), fc.jsonValue(), { maxKeys: 3 })
  await fc.assert(
    fc.asyncProperty(fc.oneof(changes, fc.jsonValue()), async (change) => {
      const mixed = typeof change === 'object' && !Array.isArray(change) ? { ...base, ...change } : change
      const request = aRequest(['Authorization', `Bearer ${await signed(key, JSON.stringify(mixed))}`])
      try {
        expect(await oidc(request)).toEqual({
          kind: 'unassigned',
          actor: { id: expect.stringMatching(/./), name: expect.stringMatching(/./) },
        })
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error
      }
    }),
    { numRuns: 300 },
  )
})
