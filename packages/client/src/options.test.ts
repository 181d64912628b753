import { describe, expect, it } from 'vitest'
import { breakConnection, json, neverEnding, problem, silence, startPeer } from '../test/scripted-peer.ts'
import { aTenant, rejectionOf } from '../test/tenant.ts'
import { AbortError, TenantClient, type TenantClientOptions, TimeoutError } from './index.ts'

const ok = json(aTenant())

describe('a token', () => {
  it('is sent with every attempt, and asked for before each', async () => {
    await using peer = await startPeer(breakConnection, problem(503, 'database.unavailable'), ok)
    let asked = 0
    const client = new TenantClient({ baseUrl: peer.url, getToken: async () => `token-${(asked += 1)}` })
    await client.tenants.getBySlug('acme')
    const sent = peer.arrivals.map(({ headers }) => headers.authorization)
    expect(sent).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-3'])
  })

  it('is not sent where none is needed, nor asked for', async () => {
    await using peer = await startPeer(json({ status: 'ok' }))
    let asked = 0
    const client = new TenantClient({ baseUrl: peer.url, getToken: () => `token-${(asked += 1)}` })
    await client.service.health()
    await client.service.readiness()
    expect(peer.arrivals.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    expect(asked).toBe(0)
  })

  it('is not sent when there is none', async () => {
    await using peer = await startPeer(ok)
    await new TenantClient({ baseUrl: peer.url, token: undefined }).tenants.getBySlug('acme')
    expect(peer.arrivals[0]?.headers).not.toHaveProperty('authorization')
  })

  it('may have a line break at its end, as files have', async () => {
    await using peer = await startPeer(ok)
    await new TenantClient({ baseUrl: peer.url, token: 'token\n' }).tenants.getBySlug('acme')
    expect(peer.arrivals[0]?.headers.authorization).toBe('Bearer token')
  })

  it.each(['', ' ', 'secret\nX-Evil: 1', 'secret secret', 'sëcret'])(
    'cannot be %j; the error does not say it',
    (token) => {
      const make = () => new TenantClient({ baseUrl: 'http://registry.test', token })
      expect(make).toThrow(TypeError)
      expect(make).not.toThrow(/s.cret/)
    },
  )

  it('that cannot be had is the caller’s own error, at once', async () => {
    await using peer = await startPeer(ok)
    const refused = new Error('the identity provider said no')
    const getToken = () => Promise.reject(refused)
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url, getToken }).tenants.getBySlug('acme'))
    expect(error).toBe(refused)
    expect(peer.arrivals).toEqual([])
  })

  it.each([undefined, null, 7, {}])('cannot be %j, as code without types may have it', async (got) => {
    await using peer = await startPeer(ok)
    const getToken = async () => got as string
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url, getToken }).tenants.getBySlug('acme'))
    expect(error).toEqual(new TypeError('getToken gave no token'))
    expect(peer.arrivals).toEqual([])
  })

  it('that does not come is a timeout; whoever fetches it learns that nobody waits any more', async () => {
    let heard: AbortSignal | undefined
    const getToken = ({ signal }: { signal: AbortSignal }) => {
      heard = signal
      return new Promise<string>(() => {})
    }
    const client = new TenantClient({ baseUrl: 'http://registry.test', getToken, timeoutMs: 50, retries: 0 })
    expect(await rejectionOf(client.tenants.getBySlug('acme'))).toBeInstanceOf(TimeoutError)
    expect(heard?.aborted).toBe(true)
  })
})

describe('a timeout', () => {
  it.each([
    ['no answer', silence],
    ['an answer without an end', neverEnding],
  ])('ends an attempt that gets %s, and its connection', async (_, step) => {
    await using peer = await startPeer(step)
    const client = new TenantClient({ baseUrl: peer.url, timeoutMs: 400, retries: 1 })
    const error = await rejectionOf(client.tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ name: 'TimeoutError', attempts: 2, status: undefined })
    expect(peer.arrivals).toHaveLength(2)
    await Promise.all(peer.arrivals.map(({ closed }) => closed))
  })

  it('of the call counts, not the client’s', async () => {
    await using peer = await startPeer(silence)
    const client = new TenantClient({ baseUrl: peer.url, retries: 0 })
    expect(await rejectionOf(client.tenants.getBySlug('acme', { timeoutMs: 400 }))).toBeInstanceOf(TimeoutError)
  })
})

describe('an AbortSignal', () => {
  it('that has said so already lets nothing be sent', async () => {
    await using peer = await startPeer(ok)
    const reason = new Error('the user left')
    const client = new TenantClient({ baseUrl: peer.url, getToken: () => expect.fail('asked for a token') })
    const error = await rejectionOf(client.tenants.getBySlug('acme', { signal: AbortSignal.abort(reason) }))
    expect(error).toBeInstanceOf(AbortError)
    expect(error).toMatchObject({ name: 'AbortError', attempts: 0, cause: reason })
    expect(peer.arrivals).toEqual([])
  })

  it('ends an attempt and its connection, and nothing is sent again', async () => {
    const controller = new AbortController()
    await using peer = await startPeer(() => controller.abort())
    const client = new TenantClient({ baseUrl: peer.url })
    const error = await rejectionOf(client.tenants.getBySlug('acme', { signal: controller.signal }))
    expect(error).toBeInstanceOf(AbortError)
    expect(error).toMatchObject({ attempts: 1 })
    await peer.arrivals[0]?.closed
    expect(peer.arrivals).toHaveLength(1)
  })

  it('ends the pause before the next attempt', async () => {
    await using peer = await startPeer(problem(503, 'database.unavailable', { 'retry-after': '20' }))
    const startedAt = performance.now()
    const client = new TenantClient({ baseUrl: peer.url })
    const error = await rejectionOf(client.tenants.getBySlug('acme', { signal: AbortSignal.timeout(200) }))
    expect(error).toBeInstanceOf(AbortError)
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  it('is let go of when the call is over', async () => {
    await using peer = await startPeer(problem(503, 'database.unavailable'), ok)
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1
      remove(...args)
    }
    await new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme', { signal })
    expect(listeners).toBe(0)
  })
})

it('headers of the caller are sent along, and do not replace ours', async () => {
  await using peer = await startPeer(ok)
  const client = new TenantClient({ baseUrl: peer.url, token: 'token' })
  const headers = { 'X-Request-Id': 'req-87654321', Authorization: 'Bearer other', Accept: 'text/html' }
  await client.tenants.getBySlug('acme', { headers })
  expect(peer.arrivals[0]?.headers).toMatchObject({
    'x-request-id': 'req-87654321',
    authorization: 'Bearer token',
    accept: 'application/json',
  })
})

it('fetch is the caller’s, if there is one', async () => {
  const asked: unknown[] = []
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(input)
    return Response.json(aTenant())
  }
  const client = new TenantClient({ baseUrl: 'http://registry.test/a/', fetch })
  expect(await client.tenants.getBySlug('acme')).toEqual(aTenant())
  expect(asked).toEqual(['http://registry.test/a/v1/tenants/by-slug/acme'])
})

it.each<[what: string, options: Partial<TenantClientOptions>]>([
  ['timeoutMs 0', { timeoutMs: 0 }],
  ['timeoutMs NaN', { timeoutMs: Number.NaN }],
  ['timeoutMs Infinity, which a timer takes for nothing', { timeoutMs: Infinity }],
  ['deadlineMs -1', { deadlineMs: -1 }],
  ['retries -1', { retries: -1 }],
  ['two sources of tokens', { token: 'token', getToken: () => 'token' }],
])('a client cannot be made with %s', (_, options) => {
  expect(() => new TenantClient({ baseUrl: 'http://registry.test', ...options })).toThrow(TypeError)
})
