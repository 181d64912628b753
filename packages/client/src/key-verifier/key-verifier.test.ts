import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { aKey, refused, says, verified } from '../../test/api-key.ts'
import { breakConnection, deadUrl, json, problem, startPeer, type Step } from '../../test/scripted-peer.ts'
import { rejectionOf } from '../../test/tenant.ts'
import { fakeRegistry } from '../fake/index.ts'
import { ForbiddenError, TenantClient, UnexpectedAnswerError } from '../index.ts'
import { createKeyVerifier, KeyVerificationUnavailableError, type KeyVerifierOptions } from './index.ts'

const key = aKey()
const reading = { scopes: ['reports:read'] }
const valid = says(verified())

// Only the clocks: requests and timers are real.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.parse('2026-03-01T12:00:00Z') }))
afterEach(() => void vi.useRealTimers())
const later = (ms: number) => void vi.advanceTimersByTime(ms)

/** A verifier of a peer that answers as it is told. Nothing is followed. */
async function aVerifier(steps: Step[], options: Partial<KeyVerifierOptions> = {}) {
  const peer = await startPeer(...steps)
  const client = new TenantClient({ baseUrl: peer.url, retries: 0 })
  const verifier = createKeyVerifier({ client, follow: false, ...options })
  return Object.assign(peer, { verifier, asked: () => peer.arrivals.length })
}

describe('what can be no key', () => {
  it.each([
    ['nothing', ''],
    ['another token', 'eyJhbGciOiJSUzI1NiJ9.e30.x'],
    ['a key with a typo', key.replace('_aaa', '_aab')],
    ['a key with a space', `${key} `],
    ['a key with a line below', `${key}\n`],
    ['the public part', key.slice(0, 21)],
  ])('%s is NOT_FOUND, and nobody is asked', async (_, text) => {
    await using peer = await aVerifier([valid])
    expect(await peer.verifier.verify(text, reading)).toMatchObject({
      valid: false,
      code: 'NOT_FOUND',
      tenant_id: null,
    })
    expect(peer.asked()).toBe(0)
  })

  it('is a mistake when it is no text', async () => {
    await using peer = await aVerifier([valid])
    expect(await rejectionOf(peer.verifier.verify(undefined as never))).toBeInstanceOf(TypeError)
  })
})

describe('an answer', () => {
  it('is what the registry said, and the question what it was asked', async () => {
    await using peer = await aVerifier([valid])
    const question = { ...reading, environment: 'live', client_ip: '203.0.113.7' } as const
    expect(await peer.verifier.verify(key, question)).toEqual({
      valid: true,
      code: 'VALID',
      api_key_id: '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e10',
      tenant_id: '00000000-0000-7000-8000-000000000001',
      project_id: null,
      environment: 'live',
      scopes: ['reports:read'],
      expires_at: null,
      stale: false,
    })
    expect(JSON.parse(peer.arrivals[0]?.body ?? '')).toEqual({ key, ...question })
  })

  it('counts for its max_age and not a millisecond longer, however often it is used', async () => {
    await using peer = await aVerifier([valid])
    for (const [ms, asked] of [
      [0, 1],
      [2_000, 1],
      [2_999, 1],
      [1, 2],
      [4_999, 2],
      [1, 3],
    ] as const) {
      later(ms)
      await peer.verifier.verify(key, reading)
      expect(peer.asked()).toBe(asked)
    }
  })

  it('counts from when it was asked for, not from when it came', async () => {
    const slow: Step = (response, request) => {
      later(3_000)
      valid(response)
      void request
    }
    await using peer = await aVerifier([slow, valid])
    await peer.verifier.verify(key, reading)
    later(1_999)
    await peer.verifier.verify(key, reading)
    expect(peer.asked()).toBe(1)
    later(1)
    await peer.verifier.verify(key, reading)
    expect(peer.asked()).toBe(2)
  })

  it('is not prolonged by a clock that is set back', async () => {
    await using peer = await aVerifier([valid])
    await peer.verifier.verify(key, reading)
    vi.setSystemTime(0)
    later(5_000)
    await peer.verifier.verify(key, reading)
    expect(peer.asked()).toBe(2)
  })

  it('that may not be relied on is not', async () => {
    await using peer = await aVerifier([says(verified({ max_age: 0 }))])
    await peer.verifier.verify(key, reading)
    await peer.verifier.verify(key, reading)
    expect(peer.asked()).toBe(2)
  })

  it('that says no counts as well', async () => {
    await using peer = await aVerifier([says(refused('REVOKED'))])
    expect(await peer.verifier.verify(key, reading)).toMatchObject({ valid: false, code: 'REVOKED', stale: false })
    await peer.verifier.verify(key, reading)
    expect(peer.asked()).toBe(1)
  })

  it('that says what nobody knows yet says no', async () => {
    await using peer = await aVerifier([says(verified({ valid: false, code: 'ON_STRIKE' }))])
    expect(await peer.verifier.verify(key)).toMatchObject({ valid: false, code: 'ON_STRIKE' })
  })

  it('is to one key and one question', async () => {
    await using peer = await aVerifier([valid])
    const questions = [
      {},
      reading,
      { scopes: { any: ['reports:read'] } },
      { ...reading, environment: 'test' },
      { ...reading, client_ip: '203.0.113.7' },
      { ...reading, client_ip: '203.0.113.8' },
    ] as const
    for (const question of [...questions, ...questions]) await peer.verifier.verify(key, question)
    expect(peer.asked()).toBe(questions.length)
    await peer.verifier.verify(aKey('b'), reading)
    expect(peer.asked()).toBe(questions.length + 1)
  })

  it('cannot be changed by whoever got it', async () => {
    await using peer = await aVerifier([valid])
    const answer = await peer.verifier.verify(key)
    expect(() => (answer.scopes as string[]).push('reports:write')).toThrow(TypeError)
    expect(() => Object.assign(answer, { valid: true })).toThrow(TypeError)
  })

  it('is asked for once by all who ask at the same time', async () => {
    await using peer = await aVerifier([valid])
    const answers = await Promise.all(Array.from({ length: 20 }, () => peer.verifier.verify(key, reading)))
    expect(new Set(answers).size).toBe(1)
    expect(peer.asked()).toBe(1)
  })

  it('is kept as long as there is room, and what was invented takes none of it', async () => {
    const answer: Step = (response, request) => {
      void request
      says(peer.asked() <= 2 ? verified() : refused('NOT_FOUND'))(response)
    }
    await using peer = await aVerifier([answer], { cacheMax: 2 })
    await peer.verifier.verify(key)
    await peer.verifier.verify(aKey('b'))
    for (const letter of 'cdefgh') await peer.verifier.verify(aKey(letter))
    expect(peer.asked()).toBe(8)
    await peer.verifier.verify(key)
    await peer.verifier.verify(aKey('h'))
    expect(peer.asked()).toBe(8)
    await peer.verifier.verify(aKey('c'))
    expect(peer.asked()).toBe(9)
  })
})

describe('a question that the registry would call malformed', () => {
  it('about a project is about one that nobody has, and an address that is none is no address', async () => {
    await using peer = await aVerifier([says(refused('PROJECT_MISMATCH'))])
    await peer.verifier.verify(key, { project_id: '../x', client_ip: 'x'.repeat(65) })
    expect(JSON.parse(peer.arrivals[0]?.body ?? '')).toEqual({
      key,
      project_id: '00000000-0000-0000-0000-000000000000',
    })
  })
})

describe('while the registry cannot be asked', () => {
  const outages: [string, Step, status: 429 | 503][] = [
    ['unavailable', problem(503, 'database.unavailable'), 503],
    ['broken', problem(500, 'service.internal_error'), 503],
    ['behind a proxy that has lost it', json('<html>', { status: 502 }), 503],
    ['asking for less', problem(429, 'request.rate_limited', { 'retry-after': '7' }), 429],
    ['breaking off', breakConnection, 503],
    ['something else', json({ hello: 'world' }), 503],
  ]

  it.each(outages)('%s: a key that was valid is, and says that this is stale', async (_, outage) => {
    const errors: unknown[] = []
    await using peer = await aVerifier([valid, outage], { onError: (error) => void errors.push(error) })
    expect(await peer.verifier.verify(key, reading)).toMatchObject({ valid: true, stale: false })
    later(5_000)
    expect(await peer.verifier.verify(key, reading)).toMatchObject({ valid: true, code: 'VALID', stale: true })
    expect(errors).toHaveLength(1)
  })

  it.each(outages)('%s: of another key, or for another question, nothing can be said', async (_, outage, status) => {
    await using peer = await aVerifier([valid, outage])
    await peer.verifier.verify(key, reading)
    // One after the other: what nobody waits for yet may be refused by then.
    for (const ask of [() => peer.verifier.verify(aKey('b'), reading), () => peer.verifier.verify(key)]) {
      const error = await rejectionOf(ask())
      if (!(error instanceof KeyVerificationUnavailableError)) throw error
      expect([error.status, error.retryAfterSeconds]).toEqual([status, status === 429 ? 7 : undefined])
      expect(error.cause).toBeInstanceOf(Error)
    }
  })

  it('a key is valid for staleIfErrorMs, since it was last asked about', async () => {
    await using peer = await aVerifier([valid, valid, problem(503, 'database.unavailable')], { staleIfErrorMs: 10_000 })
    await peer.verifier.verify(key)
    later(5_000)
    await peer.verifier.verify(key)
    later(9_999)
    expect(await peer.verifier.verify(key)).toMatchObject({ valid: true, stale: true })
    later(1)
    expect(await rejectionOf(peer.verifier.verify(key))).toBeInstanceOf(KeyVerificationUnavailableError)
  })

  it('a key is valid until its end at most', async () => {
    const expires_at = '2026-03-01T12:00:20.000Z'
    await using peer = await aVerifier([says(verified({ expires_at })), problem(503, 'database.unavailable')])
    await peer.verifier.verify(key)
    later(19_999)
    expect(await peer.verifier.verify(key)).toMatchObject({ valid: true, stale: true })
    later(1)
    expect(await rejectionOf(peer.verifier.verify(key))).toBeInstanceOf(KeyVerificationUnavailableError)
  })

  it.each(['REVOKED', 'EXPIRED', 'DISABLED', 'NOT_FOUND', 'TENANT_INACTIVE', 'PRODUCT_NOT_ASSIGNED', 'ON_STRIKE'])(
    'a key that was %s for any question is valid for none',
    async (code) => {
      await using peer = await aVerifier([valid, says(refused(code)), problem(503, 'database.unavailable')])
      await peer.verifier.verify(key, reading)
      await peer.verifier.verify(key, { scopes: ['reports:write'] })
      later(5_000)
      expect(await rejectionOf(peer.verifier.verify(key, reading))).toBeInstanceOf(KeyVerificationUnavailableError)
    },
  )

  it('an answer from before it was seen to be revoked does not count, when it comes late', async () => {
    let answer = () => {}
    const slow: Step = (response) => void (answer = () => valid(response))
    const steps = [slow, says(refused('REVOKED')), problem(503, 'database.unavailable')]
    await using peer = await aVerifier(steps)
    const early = peer.verifier.verify(key, reading)
    await vi.waitFor(() => expect(peer.asked()).toBe(1))
    expect(await peer.verifier.verify(key, { scopes: ['reports:write'] })).toMatchObject({ code: 'REVOKED' })
    answer()
    expect(await early).toMatchObject({ valid: true })
    expect(await rejectionOf(peer.verifier.verify(key, reading))).toBeInstanceOf(KeyVerificationUnavailableError)
  })

  it('a key that may not do one thing may still do another', async () => {
    const no = says(refused('INSUFFICIENT_SCOPE'))
    await using peer = await aVerifier([valid, no, problem(503, 'database.unavailable')])
    await peer.verifier.verify(key, reading)
    await peer.verifier.verify(key, { scopes: ['reports:write'] })
    later(5_000)
    expect(await peer.verifier.verify(key, reading)).toMatchObject({ valid: true, stale: true })
    const other = peer.verifier.verify(key, { scopes: ['reports:write'] })
    expect(await rejectionOf(other)).toBeInstanceOf(KeyVerificationUnavailableError)
  })

  it('no key is valid with `deny`', async () => {
    await using peer = await aVerifier([valid, problem(503, 'database.unavailable')], { onUnavailable: 'deny' })
    await peer.verifier.verify(key)
    later(5_000)
    expect(await rejectionOf(peer.verifier.verify(key))).toBeInstanceOf(KeyVerificationUnavailableError)
  })

  it('because nobody listens, or no token can be had, it is the same', async () => {
    let token = 'token'
    await using peer = await aVerifier([valid])
    const getToken = () => token || Promise.reject(new Error('no token today'))
    const client = new TenantClient({ baseUrl: peer.url, getToken })
    const verifier = createKeyVerifier({ client, follow: false })
    await verifier.verify(key)
    later(5_000)
    token = ''
    expect(await verifier.verify(key)).toMatchObject({ stale: true })
    const nowhere = createKeyVerifier({
      client: new TenantClient({ baseUrl: await deadUrl(), retries: 0 }),
      follow: false,
    })
    expect(await rejectionOf(nowhere.verify(key))).toMatchObject({ status: 503, attempts: 1 })
  })

  it('because it refuses who asks, no key is valid', async () => {
    await using peer = await aVerifier([valid, problem(403, 'auth.permission_denied')])
    await peer.verifier.verify(key)
    later(5_000)
    for (let count = 0; count < 2; count += 1) {
      const error = await rejectionOf(peer.verifier.verify(key))
      if (!(error instanceof KeyVerificationUnavailableError)) throw error
      expect([error.status, error.code, error.cause]).toEqual([
        503,
        'auth.permission_denied',
        expect.any(ForbiddenError),
      ])
    }
  })

  it('because it is slow, whoever was valid does not wait for it, and hears what it said the next time', async () => {
    let answer = () => {}
    const slow: Step = (response) => void (answer = () => says(refused('REVOKED'))(response))
    await using peer = await aVerifier([valid, slow], { staleAfterMs: 20 })
    await peer.verifier.verify(key)
    later(5_000)
    expect(await peer.verifier.verify(key)).toMatchObject({ stale: true })
    answer()
    await vi.waitFor(async () => expect(await peer.verifier.verify(key)).toMatchObject({ code: 'REVOKED' }))
    expect(peer.asked()).toBe(2)
  })

  it('whoever can do without leaves it alone for a second, or for what it asks for', async () => {
    const busy = problem(503, 'database.busy', { 'retry-after': '3' })
    await using peer = await aVerifier([valid, problem(503, 'database.unavailable'), busy, valid])
    await peer.verifier.verify(key)
    later(5_000)
    for (const [ms, asked, stale] of [
      [0, 2, true],
      [999, 2, true],
      [1, 3, true],
      [2_999, 3, true],
      [1, 4, false],
      [0, 4, false],
    ] as const) {
      later(ms)
      expect(await peer.verifier.verify(key)).toMatchObject({ valid: true, stale })
      expect(peer.asked()).toBe(asked)
    }
  })
})

describe('a key whose turn does not come', () => {
  it('is asked about again, as often as the client tries', async () => {
    const full = problem(503, 'api_key.lane_full', { 'retry-after': '0' })
    await using peer = await aVerifier([full, valid])
    const client = new TenantClient({ baseUrl: peer.url, retries: 1 })
    const verifier = createKeyVerifier({ client, follow: false })
    expect(await verifier.verify(key)).toMatchObject({ valid: true })
    expect(peer.asked()).toBe(2)
  })

  it('is no key that is refused', async () => {
    const retry = says(refused('RETRY', { max_age: 0 }))
    await using peer = await aVerifier([retry, valid, retry])
    expect(await peer.verifier.verify(key)).toMatchObject({ valid: true })
    const error = await rejectionOf(peer.verifier.verify(aKey('b')))
    if (!(error instanceof KeyVerificationUnavailableError)) throw error
    expect(error.cause).toBeInstanceOf(UnexpectedAnswerError)
    expect(peer.asked()).toBe(5)
  })
})

describe('what changes', () => {
  /** A registry with a key, and a verifier that hears of its changes. */
  async function aScene(options: Partial<KeyVerifierOptions> = {}) {
    const registry = fakeRegistry({ products: ['reports'] })
    const tenant = registry.tenant()
    registry.entitle(tenant, 'reports')
    const issued = registry.apiKeys.issue({ tenant_id: tenant.id, ...reading })
    const verifier = createKeyVerifier({ client: registry.client({ retries: 0 }), ...options })
    const asked = (operation = 'verifyApiKey') =>
      registry.requests.filter((each) => each.operation === operation).length
    await verifier.verify(issued.key, reading)
    // It waits for changes from here on.
    await vi.waitFor(() => expect(asked('listChanges')).toBe(2))
    expect(await verifier.verify(issued.key, reading)).toMatchObject({ valid: true })
    const before = asked()
    const again = async () => [(await verifier.verify(issued.key, reading)).code, asked() - before]
    return { registry, tenant, issued, verifier, asked, again, [Symbol.dispose]: () => verifier.close() }
  }

  it('of a key is heard at once: it is revoked, disabled, expired, or may do less', async () => {
    for (const [act, code] of [
      [({ registry, issued }) => registry.apiKeys.revoke(issued), 'REVOKED'],
      [({ registry, issued }) => registry.apiKeys.change(issued, { enabled: false }), 'DISABLED'],
      [({ registry, issued }) => registry.apiKeys.expire(issued), 'EXPIRED'],
      [({ registry, issued }) => registry.apiKeys.change(issued, { scopes: ['reports:write'] }), 'INSUFFICIENT_SCOPE'],
      [({ registry, tenant }) => registry.freeze(tenant), 'TENANT_INACTIVE'],
      [({ registry, tenant }) => registry.disentitle(tenant, 'reports'), 'PRODUCT_NOT_ASSIGNED'],
    ] as [act: (scene: Awaited<ReturnType<typeof aScene>>) => unknown, code: string][]) {
      using scene = await aScene()
      expect(await scene.again()).toEqual(['VALID', 0])
      act(scene)
      await vi.waitFor(async () => expect(await scene.again()).toEqual([code, 1]))
    }
  })

  it('of a key that was refused is heard as well', async () => {
    using scene = await aScene()
    const { registry, issued, again } = scene
    registry.apiKeys.change(issued, { enabled: false })
    await vi.waitFor(async () => expect(await again()).toEqual(['DISABLED', 1]))
    registry.apiKeys.change(issued, { enabled: true })
    await vi.waitFor(async () => expect(await again()).toEqual(['VALID', 2]))
  })

  it('of another key or tenant leaves everything as it is', async () => {
    using scene = await aScene()
    const { registry, tenant, asked, again } = scene
    registry.apiKeys.issue({ tenant_id: tenant.id, ...reading })
    registry.tenant()
    await vi.waitFor(() => expect(asked('listChanges')).toBe(3))
    expect(await again()).toEqual(['VALID', 0])
  })

  it('and was missed lets nothing count any more', async () => {
    using scene = await aScene()
    scene.registry.forgetChanges()
    await vi.waitFor(async () => expect(await scene.again()).toEqual(['VALID', 1]))
  })

  it('while a question is under way is not in its answer, which does not count; who asks afterwards asks anew', async () => {
    using scene = await aScene()
    const { registry, issued, verifier, asked } = scene
    const { key } = issued
    let answer = () => {}
    const before = verified({ api_key_id: issued.id, tenant_id: issued.tenant_id })
    registry.answer('verifyApiKey', () => new Promise((resolve) => (answer = () => resolve(before))))
    const question = { scopes: ['reports:read', 'reports:read'] }
    const earlier = asked()
    const early = verifier.verify(key, question)
    await vi.waitFor(() => expect(asked()).toBe(earlier + 1))
    const answerEarly = answer
    const heard = asked('listChanges')
    registry.apiKeys.revoke(issued)
    await vi.waitFor(() => expect(asked('listChanges')).toBe(heard + 1))

    registry.answer('verifyApiKey', () => refused('REVOKED', { api_key_id: issued.id, tenant_id: issued.tenant_id }))
    expect(await verifier.verify(key, question)).toMatchObject({ code: 'REVOKED' })
    answerEarly()
    expect(await early).toMatchObject({ code: 'VALID' })
    expect(await verifier.verify(key, question)).toMatchObject({ code: 'REVOKED' })
    registry.goDown()
    later(5_000)
    expect(await rejectionOf(verifier.verify(key, question))).toBeInstanceOf(KeyVerificationUnavailableError)
  })

  it.each([true, false])(
    'while a question is under way lets its answer count only if it is another one: %j',
    async (own) => {
      using scene = await aScene()
      const { registry, tenant, issued, verifier, asked } = scene
      let answer = () => {}
      const before = verified({ api_key_id: issued.id, tenant_id: tenant.id })
      registry.answer('verifyApiKey', () => new Promise((resolve) => (answer = () => resolve(before))))
      const earlier = asked()
      const early = verifier.verify(issued.key)
      await vi.waitFor(() => expect(asked()).toBe(earlier + 1))
      const heard = asked('listChanges')
      registry.apiKeys.change(own ? issued : registry.apiKeys.issue({ tenant_id: tenant.id, ...reading }), {})
      await vi.waitFor(() => expect(asked('listChanges')).toBe(heard + 1))
      answer()
      await early
      registry.answer('verifyApiKey', () => before)
      await verifier.verify(issued.key)
      expect(asked()).toBe(earlier + (own ? 2 : 1))
    },
  )

  it('is not forgotten when the registry is gone: what was changed is not the last known', async () => {
    using scene = await aScene()
    const { registry, issued, verifier, asked } = scene
    const heard = asked('listChanges')
    registry.apiKeys.revoke(issued)
    await vi.waitFor(() => expect(asked('listChanges')).toBe(heard + 1))
    registry.goDown('unreachable')
    expect(await rejectionOf(verifier.verify(issued.key, reading))).toBeInstanceOf(KeyVerificationUnavailableError)
  })

  it('is not followed before the first question, nor after the end, nor when it should not be', async () => {
    const registry = fakeRegistry()
    const verifier = createKeyVerifier({ client: registry.client(), follow: false })
    const idle = createKeyVerifier({ client: registry.client() })
    await verifier.verify(key)
    expect(registry.requests.map(({ operation }) => operation)).toEqual(['verifyApiKey'])
    idle.close()
    await idle.verify(key)
    expect(registry.requests.map(({ operation }) => operation)).toEqual(['verifyApiKey', 'verifyApiKey'])
  })

  it('cannot be followed by everybody: it is told, and answers count for their time', async () => {
    const registry = fakeRegistry()
    const errors: unknown[] = []
    registry.answer('listChanges', () => {
      throw new Error('not today')
    })
    const verifier = createKeyVerifier({
      client: registry.client({ retries: 0 }),
      onError: (error) => void errors.push(error),
    })
    expect(await verifier.verify(key)).toMatchObject({ code: 'NOT_FOUND' })
    await vi.waitFor(() => expect(errors).not.toEqual([]))
    verifier.close()
  })
})

describe('a request', () => {
  const request = (headers: Record<string, string>, query = '') =>
    new Request(`https://product.test/${query}`, { headers })

  it.each<[string, Record<string, string>]>([
    ['a bearer token', { Authorization: `Bearer ${key}` }],
    ['a bearer token, spelled otherwise', { authorization: `bearer  ${key}` }],
    ['a header of its own', { 'X-API-Key': key }],
    ['a header of its own beside another scheme', { Authorization: 'Basic YTpi', 'X-API-Key': key }],
    ['both, of which the first counts', { Authorization: `Bearer ${key}`, 'X-API-Key': aKey('b') }],
  ])('brings its key as %s', async (_, headers) => {
    await using peer = await aVerifier([valid])
    expect(await peer.verifier.verifyRequest(request(headers), reading)).toMatchObject({ valid: true })
    expect(JSON.parse(peer.arrivals[0]?.body ?? '')).toEqual({ key, ...reading })
  })

  it('without a key is told so, also when there is one in its address', async () => {
    await using peer = await aVerifier([valid])
    for (const headers of [{}, { Authorization: 'Basic YTpi' }, { Authorization: 'Bearer' }, { 'X-API-Key': ' ' }])
      expect(await peer.verifier.verifyRequest(request(headers as {}, `?api_key=${key}`))).toMatchObject({
        code: 'MISSING',
      })
    expect(peer.asked()).toBe(0)
  })
})

it.each([{ staleIfErrorMs: -1 }, { staleAfterMs: NaN }, { cacheMax: 0 }])('%j makes no sense', (options) => {
  const { client } = { client: fakeRegistry().client() }
  expect(() => createKeyVerifier({ client, ...options })).toThrow(TypeError)
})
