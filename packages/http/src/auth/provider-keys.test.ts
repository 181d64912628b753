import type { RequestListener } from 'node:http'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  aSigningKey,
  audience,
  signed,
  startProvider,
  type SigningKey,
  type TestProvider,
} from '../../test/oidc-provider.ts'
import { refusalOf } from '../../test/refusal-of.ts'
import { createTokenVerifier } from './token.ts'

const discovery = '/realms/test/.well-known/openid-configuration'
const jwks = '/realms/test/jwks'
const minuteMs = 60_000

let oldKey: SigningKey
let newKey: SigningKey
let provider: TestProvider
let clock: number
let warnings: string[]
let verify: ReturnType<typeof createTokenVerifier>

/** What the verifier has fetched since this was last asked. */
const fetched = () => provider.requests.splice(0).filter((path) => path === discovery || path === jwks)
const outcome = async (jwt: string) => (await refusalOf(() => verify(jwt))).code
const onWarning = (message: string) => void warnings.push(message)

beforeAll(async () => {
  oldKey = await aSigningKey('RS256', 'old')
  newKey = await aSigningKey('RS256', 'new')
})

beforeEach(async () => {
  provider = await startProvider([oldKey])
  // The provider's clock is the real one; so this one starts there, and only what is not about the token's end moves it.
  clock = Date.now()
  warnings = []
  verify = createTokenVerifier({ issuer: provider.issuer, audience, onWarning }, { now: () => clock })
})

afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  await provider.close()
})

describe('keys', () => {
  test('are fetched with the first token, once for all who wait', async () => {
    const jwts = await Promise.all([1, 2, 3, 4, 5].map(() => provider.accessToken()))
    expect(fetched()).toEqual([])
    await Promise.all(jwts.map(async (jwt) => verify(jwt)))
    expect(fetched()).toEqual([discovery, jwks])
    await verify(await provider.accessToken())
    expect(fetched()).toEqual([])
  })

  test('come from jwksUrl when it is given, without discovery', async () => {
    // As inside a cluster: the issuer has a name that only the outside knows.
    const jwksUrl = `http://localhost:${new URL(provider.issuer).port}${jwks}`
    verify = createTokenVerifier({ issuer: provider.issuer, audience, jwksUrl }, { now: () => clock })
    expect(await verify(await provider.accessToken())).toMatchObject({ subject: 'some-product' })
    expect(fetched()).toEqual([jwks])
  })

  test('are fetched again for an unknown key, but not more often than every 30 seconds', async () => {
    const before = await provider.accessToken()
    await verify(before)
    provider.rotate([newKey, oldKey])
    const jwts = await Promise.all([1, 2, 3].map(() => provider.accessToken()))
    fetched()
    clock += 29_999
    expect(await Promise.all(jwts.map(outcome))).toEqual(jwts.map(() => 'auth.token_invalid'))
    expect(fetched()).toEqual([])
    clock += 1
    await Promise.all(jwts.map(async (jwt) => verify(jwt)))
    expect(fetched()).toEqual([discovery, jwks])
    // The old key is still published, so what it signed is still good.
    expect(await verify(before)).toMatchObject({ subject: 'some-product' })
  })

  test('that were withdrawn open nothing after ten minutes', async () => {
    const [jwt, another] = [await provider.accessToken(), await provider.accessToken()]
    await verify(jwt)
    provider.rotate([newKey])
    clock += 10 * minuteMs - 1
    expect(await verify(another)).toMatchObject({ subject: 'some-product' })
    clock += 1
    expect(await outcome(jwt)).toBe('auth.token_invalid')
  })

  test('that changed empty the memory at once', async () => {
    const remembered = await provider.accessToken()
    await verify(remembered)
    expect(verify(remembered)).not.toBeInstanceOf(Promise)
    provider.rotate([newKey])
    clock += 30_000
    // Still remembered, until a token of the new key brings the new set.
    expect(verify(remembered)).not.toBeInstanceOf(Promise)
    await verify(await provider.accessToken())
    expect(await outcome(remembered)).toBe('auth.token_invalid')
  })

  test('that are the same as before leave the memory alone', async () => {
    const [first, second, third] = [
      await provider.accessToken(),
      await provider.accessToken(),
      await provider.accessToken(),
    ]
    await verify(first)
    clock += 10 * minuteMs - 1000
    await verify(second)
    clock += 1000
    fetched()
    await verify(third)
    expect(fetched()).toEqual([discovery, jwks])
    expect(verify(second)).not.toBeInstanceOf(Promise)
  })

  test('are fetched again when the clock was set back', async () => {
    const another = await provider.accessToken()
    clock += 5 * minuteMs
    await verify(await provider.accessToken())
    provider.rotate([newKey])
    clock -= 5 * minuteMs
    expect(await outcome(another)).toBe('auth.token_invalid')
    expect(await verify(await provider.accessToken())).toMatchObject({ subject: 'some-product' })
  })

  test('that change while a signature is being checked leave nothing in the memory', async () => {
    const jwt = await provider.accessToken()
    await verify(await provider.accessToken())
    provider.rotate([newKey])
    clock += 30_000
    const gate = Promise.withResolvers<void>()
    const check = crypto.subtle.verify.bind(crypto.subtle)
    vi.spyOn(crypto.subtle, 'verify').mockImplementationOnce(async (...args) => {
      await gate.promise
      return check(...args)
    })
    const slow = verify(jwt)
    await verify(await provider.accessToken())
    gate.resolve()
    // Found good with the key of its time; but not remembered beyond that.
    expect(await slow).toMatchObject({ subject: 'some-product' })
    expect(await outcome(jwt)).toBe('auth.token_invalid')
  })
})

describe('the memory', () => {
  test('spares the second check of a signature, and does not wait', async () => {
    const check = vi.spyOn(crypto.subtle, 'verify')
    const jwt = await provider.accessToken()
    const first = await verify(jwt)
    expect(verify(jwt)).toBe(first)
    expect(check).toHaveBeenCalledTimes(1)
    clock += minuteMs
    expect(await verify(jwt)).toEqual(first)
    expect(check).toHaveBeenCalledTimes(2)
  })

  test('holds no token that was refused', async () => {
    const check = vi.spyOn(crypto.subtle, 'verify')
    const jwt = await provider.accessToken({ resource: 'urn:other:RS256' })
    expect(await outcome(jwt)).toBe('auth.audience_missing')
    expect(await outcome(jwt)).toBe('auth.audience_missing')
    expect(check).toHaveBeenCalledTimes(2)
  })

  test('does not serve a token that has ended', async () => {
    const jwt = await provider.accessToken()
    const { expiresAt } = await verify(jwt)
    clock = (expiresAt - 1) * 1000
    await verify(jwt)
    const check = vi.spyOn(crypto.subtle, 'verify')
    clock = (expiresAt + 29) * 1000
    // Within the skew it is good, but checked each time.
    await verify(jwt)
    await verify(jwt)
    expect(check).toHaveBeenCalledTimes(2)
    clock = (expiresAt + 30) * 1000
    expect(await outcome(jwt)).toBe('auth.token_expired')
  })
})

describe('a provider that is down', () => {
  test('is a 503 that says when to come back, and is asked again after five seconds', async () => {
    const jwt = await provider.accessToken()
    provider.answerWith((_request, response) => response.writeHead(503).end())
    expect(await refusalOf(() => verify(jwt))).toMatchObject({
      code: 'auth.provider_unavailable',
      kind: 'unavailable',
      retryAfterSeconds: 5,
    })
    clock += 3500
    expect(await refusalOf(() => verify(jwt))).toMatchObject({ retryAfterSeconds: 2 })
    expect(fetched()).toEqual([discovery])
    expect(warnings).toEqual([
      `the keys of the identity provider cannot be fetched: GET ${provider.issuer}/.well-known/openid-configuration: status 503`,
    ])
    provider.rotate([oldKey])
    clock += 1500
    expect(await verify(jwt)).toMatchObject({ subject: 'some-product' })
  })

  test('does not matter for an hour to who has a token of a known key', async () => {
    // Not remembered tokens: each is checked with the keys of before.
    const jwts = await Promise.all([1, 2, 3].map(() => provider.accessToken()))
    const [first = '', second = '', third = ''] = jwts
    await verify(first)
    const unknown = await withRotation(() => provider.accessToken())
    provider.answerWith((_request, response) => response.writeHead(500).end())
    fetched()
    clock += 10 * minuteMs
    expect(await verify(second)).toMatchObject({ subject: 'some-product' })
    expect(fetched()).toEqual([discovery])
    // It may well be good: this is not the caller's mistake.
    expect(await outcome(unknown)).toBe('auth.provider_unavailable')
    expect(fetched()).toEqual([])
    clock += 50 * minuteMs
    expect(await outcome(third)).toBe('auth.provider_unavailable')
    expect(fetched()).toEqual([discovery])
  })

  async function withRotation<T>(during: () => Promise<T>): Promise<T> {
    provider.rotate([newKey])
    const result = await during()
    provider.rotate([oldKey])
    return result
  }

  test('that is gone altogether, too', async () => {
    const jwt = await provider.accessToken()
    await provider.close()
    expect(await outcome(jwt)).toBe('auth.provider_unavailable')
    expect(warnings.join()).toContain('ECONNREFUSED')
  })
})

describe('an answer that cannot be used is a 503 and a warning:', () => {
  const json =
    (body: unknown): RequestListener =>
    (_request, response) =>
      response.end(JSON.stringify(body))
  const document = (changes: object) =>
    json({ issuer: provider.issuer, jwks_uri: `${provider.issuer}/jwks`, ...changes })
  const keysAre =
    (listener: RequestListener): RequestListener =>
    (request, response) =>
      (request.url === jwks ? listener : document({}))(request, response)
  const redirect: RequestListener = (request, response) => {
    if (request.url === '/elsewhere') document({})(request, response)
    else response.writeHead(302, { location: '/elsewhere' }).end()
  }
  const endless: RequestListener = (_request, response) => {
    const timer = setInterval(() => response.write(' '.repeat(65_536)), 1)
    response.on('close', () => clearInterval(timer))
  }

  test.each<[string, () => RequestListener, string]>([
    ['none in time', () => () => undefined, 'timeout'],
    ['headers in time, and then nothing', () => (_, response) => void response.write('{'), 'timeout'],
    ['one without end', () => endless, 'answer longer than 262144 bytes'],
    ['no JSON', () => (_, response) => response.end('<html>'), 'not valid JSON'],
    ['a redirect', () => redirect, 'redirect'],
    ['null', () => json(null), 'not that of the issuer'],
    ['another issuer', () => document({ issuer: `${provider.issuer}/` }), 'not that of the issuer'],
    ['no jwks_uri', () => document({ jwks_uri: undefined }), 'jwks_uri is not a URL'],
    ['a relative jwks_uri', () => document({ jwks_uri: '/jwks' }), 'jwks_uri is not a URL'],
    ['a jwks_uri that is a file', () => document({ jwks_uri: 'file:///etc/passwd' }), 'file:///etc/passwd'],
    ['keys that are not found', () => keysAre((_, response) => response.writeHead(404).end()), 'status 404'],
    ['keys that are no key set', () => keysAre(json({ keys: 'none' })), 'not a key set'],
    ['keys that are null', () => keysAre(json(null)), 'not a key set'],
  ])('%s', async (_what, listener, why) => {
    const jwt = await provider.accessToken()
    provider.answerWith(listener())
    verify = createTokenVerifier({ issuer: provider.issuer, audience, onWarning }, { timeoutMs: 1000 })
    const error = await refusalOf(() => verify(jwt))
    expect(error.code).toBe('auth.provider_unavailable')
    expect(error.detail).not.toContain(why)
    expect(warnings).toEqual([expect.stringContaining(why)])
    expect(warnings.join()).not.toContain(jwt.slice(-20))
  })

  test('a jwks_uri without https, from an issuer with https', async () => {
    const issuer = 'https://login.example'
    const answer = { issuer, jwks_uri: 'http://login.example/jwks' }
    const requested = vi.fn<typeof fetch>(async () => Response.json(answer))
    vi.stubGlobal('fetch', requested)
    verify = createTokenVerifier({ issuer, audience, onWarning })
    expect(await outcome(await signed(oldKey, {}))).toBe('auth.provider_unavailable')
    expect(requested).toHaveBeenCalledTimes(1)
    expect(warnings).toEqual([expect.stringContaining('jwks_uri is not https')])
  })
})

test('a key set with a private or a broken key fails only the tokens that name it', async () => {
  const jwt = await provider.accessToken()
  const { kty, n, e, kid, alg } = oldKey
  const good = { kty, n, e, kid, alg, use: 'sig' }
  const keys = [good, { ...newKey, kid: 'private' }, { ...good, kid: 'broken', n: 'AQAB' }]
  provider.answerWith((_request, response) => void response.end(JSON.stringify({ keys })))
  const jwksUrl = `${provider.issuer}/jwks`
  verify = createTokenVerifier({ issuer: provider.issuer, audience, jwksUrl }, { now: () => clock })
  expect(await verify(jwt)).toMatchObject({ subject: 'some-product' })
  for (const name of ['private', 'broken']) {
    const [header = '', ...rest] = jwt.split('.')
    const renamed = { ...(JSON.parse(Buffer.from(header, 'base64url').toString()) as object), kid: name }
    const forged = [Buffer.from(JSON.stringify(renamed)).toString('base64url'), ...rest].join('.')
    expect(await refusalOf(() => verify(forged))).toMatchObject({
      code: 'auth.token_invalid',
      detail: 'The token cannot be checked with the key it names.',
    })
  }
})
