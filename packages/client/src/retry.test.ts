import { describe, expect, it } from 'vitest'
import {
  breakConnection,
  breakInTheMiddle,
  deadUrl,
  json,
  problem,
  type Step,
  silence,
  startPeer,
  text,
} from '../test/scripted-peer.ts'
import { aTenant, rejectionOf } from '../test/tenant.ts'
import { ConnectionError, RateLimitedError, TenantClient, TimeoutError, UnavailableError } from './index.ts'
import { problemError } from './problem-error.ts'
import { delayMs, retryAfterSeconds } from './retry.ts'

const ok = json(aTenant())
const unavailable = problem(503, 'database.unavailable')
const newTenant = { slug: 'acme', name: 'Acme Inc.' }

describe('what only reads', () => {
  it.each<[what: string, step: Step]>([
    ['429', problem(429, 'rate.limited')],
    ['502 of a proxy', text('<h1>Bad Gateway</h1>', { status: 502 })],
    ['503', unavailable],
    ['504 of a proxy', text('', { status: 504 })],
    ['a connection that breaks', breakConnection],
    ['an answer that breaks off', breakInTheMiddle],
  ])('is sent again after %s', async (_, step) => {
    await using peer = await startPeer(step, ok)
    const { data, attempts } = await new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme').withResponse()
    expect(data).toEqual(aTenant())
    expect([attempts, peer.arrivals.length]).toEqual([2, 2])
  })

  it('is sent again after an attempt without an answer', async () => {
    await using peer = await startPeer(silence, ok)
    const client = new TenantClient({ baseUrl: peer.url, timeoutMs: 400 })
    expect(await client.tenants.getBySlug('acme')).toEqual(aTenant())
  })

  it.each([400, 401, 403, 404, 409, 412, 422, 500, 501])('is not sent again after %i', async (status) => {
    await using peer = await startPeer(problem(status, 'some.code'))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme'))
    expect(error).toMatchObject({ status, attempts: 1 })
    expect(peer.arrivals).toHaveLength(1)
  })

  it('is given up after two retries, with the last answer', async () => {
    await using peer = await startPeer(breakConnection, unavailable, problem(503, 'auth.provider_unavailable'))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(UnavailableError)
    expect(error).toMatchObject({ code: 'auth.provider_unavailable', attempts: 3 })
    expect(peer.arrivals).toHaveLength(3)
  })

  it('is sent as often as the caller says, or else the client', async () => {
    await using peer = await startPeer(unavailable)
    const client = new TenantClient({ baseUrl: peer.url, retries: 1 })
    expect(await rejectionOf(client.tenants.getBySlug('acme'))).toMatchObject({ attempts: 2 })
    expect(await rejectionOf(client.tenants.getBySlug('acme', { retries: 0 }))).toMatchObject({ attempts: 1 })
  })
})

/** What may have been done, although nobody said so. */
const uncertain: [what: string, step: Step][] = [
  ['a 503 that may have come after a commit', unavailable],
  ['a 503 of who knows whom', text('', { status: 503 })],
  ['502', text('', { status: 502 })],
  ['504', text('', { status: 504 })],
  ['a connection that breaks', breakConnection],
  ['an answer that breaks off', breakInTheMiddle],
  ['an attempt without an answer', silence],
]

/** What has not been done, for certain. */
const undone: [what: string, step: Step][] = [
  ['429', problem(429, 'request.rate_limited')],
  ['503 from before anything was done', problem(503, 'auth.provider_unavailable')],
  ['503 of a database that is busy', problem(503, 'database.busy')],
]

describe('a creation', () => {
  it.each([...undone, ...uncertain])('is sent again after %s, with its key', async (_, step) => {
    await using peer = await startPeer(step, json(aTenant(), { status: 201 }))
    const client = new TenantClient({ baseUrl: peer.url, timeoutMs: 600 })
    expect(await client.tenants.create(newTenant)).toEqual(aTenant())
    expect(peer.arrivals.map(({ body }) => JSON.parse(body) as unknown)).toEqual([newTenant, newTenant])
    expect(new Set(peer.arrivals.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  })

  it('is sent again while the one before is still being carried out; the answer says that it is that one’s', async () => {
    const inFlight = problem(409, 'idempotency.in_flight', { 'retry-after': '1' })
    const replay = json(aTenant(), { status: 201, 'idempotency-replayed': 'true', etag: '"1-abc"' })
    await using peer = await startPeer(breakConnection, inFlight, replay)
    const answered = await new TenantClient({ baseUrl: peer.url }).tenants.create(newTenant).withResponse()
    expect(answered).toMatchObject({ data: aTenant(), status: 201, replayed: true, etag: '"1-abc"', attempts: 3 })
  })

  it.each([400, 401, 403, 404, 409, 412, 422, 500])('is not sent again after %i', async (status) => {
    await using peer = await startPeer(problem(status, 'some.code'))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.create(newTenant))
    expect(error).toMatchObject({ status, attempts: 1 })
  })
})

describe('a change without a key', () => {
  const client = (url: string) => new TenantClient({ baseUrl: url, timeoutMs: 600 })
  type Act = (client: TenantClient) => PromiseLike<unknown>
  const patch: Act = ({ tenants }) => tenants.update('7', { name: 'Acme' })
  const put: Act = ({ tenantProducts }) => tenantProducts.put('7', 'certifai', {})
  const remove: Act = ({ tenantProducts }) => tenantProducts.remove('7', 'certifai')
  const lift: Act = ({ tenants }) => tenants.legalHold.lift('7')
  const unconditional: [what: string, act: Act][] = [
    ['of fields', patch],
    ['of all', put],
    ['that takes something away', remove],
    ['that lifts a hold', lift],
  ]
  const repeatable: [what: string, act: Act][] = [
    ['of fields that names a version', ({ tenants }) => tenants.update('7', { name: 'Acme' }, { ifMatch: 3 })],
    ['of all that names a version', ({ tenantProducts }) => tenantProducts.put('7', 'certifai', {}, { ifMatch: 3 })],
    ['that gives', ({ tenantProducts }) => tenantProducts.put('7', 'certifai', {}, { ifNoneMatch: '*' })],
    ['that takes away a version', ({ tenantProducts }) => tenantProducts.remove('7', 'certifai', { ifMatch: 3 })],
  ]

  it.each(unconditional)('%s is sent again when certainly nothing was done', async (_, act) => {
    for (const [, step] of undone) {
      await using peer = await startPeer(step, ok)
      await act(client(peer.url))
      expect(peer.arrivals).toHaveLength(2)
    }
  })

  it.each(unconditional)('%s is not sent again when it may undo what somebody else did', async (_, act) => {
    for (const [, step] of uncertain) {
      await using peer = await startPeer(step)
      expect(await rejectionOf(act(client(peer.url)))).toMatchObject({ attempts: 1 })
      expect(peer.arrivals).toHaveLength(1)
    }
  })

  it.each(repeatable)('%s is sent again whatever happened to it', async (_, act) => {
    for (const [, step] of uncertain) {
      await using peer = await startPeer(step, ok)
      await act(client(peer.url))
      expect(peer.arrivals).toHaveLength(2)
    }
  })
})

describe('what changes something', () => {
  it('is sent again when nobody listened', async () => {
    const client = new TenantClient({ baseUrl: await deadUrl() })
    const error = await rejectionOf(client.tenants.create(newTenant))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ attempts: 3, unsent: true, status: undefined, code: undefined })
  })

  it('has one Idempotency-Key over all attempts, and another for the next time', async () => {
    const busy = problem(429, 'rate.limited')
    await using peer = await startPeer(busy, busy, ok, ok)
    const client = new TenantClient({ baseUrl: peer.url })
    await client.tenants.create(newTenant)
    await client.tenants.create(newTenant)
    const [first, second, third, next] = peer.arrivals.map(({ headers }) => headers['idempotency-key'])
    expect(first).toMatch(/^[0-9a-f]{32}$/)
    expect([second, third]).toEqual([first, first])
    expect(next).not.toBe(first)
  })

  it('has the Idempotency-Key that the caller chose; what only reads has none', async () => {
    await using peer = await startPeer(ok)
    const client = new TenantClient({ baseUrl: peer.url })
    await client.tenants.create(newTenant, { idempotencyKey: 'order-77' })
    await client.tenants.getBySlug('acme')
    await client.tenants.create(newTenant, { headers: { 'Idempotency-Key': 'order-78' } })
    const keys = peer.arrivals.map(({ headers }) => headers['idempotency-key'])
    expect(keys).toEqual(['order-77', undefined, 'order-78'])
  })
})

describe('Retry-After', () => {
  it('is waited for', async () => {
    await using peer = await startPeer(problem(503, 'database.unavailable', { 'retry-after': '1' }), ok)
    await new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme')
    const [first, second] = peer.arrivals
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(995)
  })

  it('is told to the caller when it is too long to wait for', async () => {
    await using peer = await startPeer(problem(429, 'rate.limited', { 'retry-after': '31' }))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(RateLimitedError)
    expect(error).toMatchObject({ attempts: 1, retryAfterSeconds: 31 })
  })

  it('is seconds or a date, and anything else is nothing', () => {
    expect(retryAfterSeconds('30')).toBe(30)
    expect(retryAfterSeconds(new Date(Date.now() + 20_000).toUTCString())).toBeCloseTo(20, -1)
    expect(retryAfterSeconds('Mon, 01 Jan 2001 00:00:00 GMT')).toBe(0)
    expect(retryAfterSeconds('soon')).toBeUndefined()
    expect(retryAfterSeconds(null)).toBeUndefined()
  })
})

describe('the deadline', () => {
  it.each([
    ['the first attempt, which would still have had time', 30_000, 1],
    ['the second attempt, which would still have had time', 1000, 2],
  ])('ends %s', async (_, timeoutMs, attempts) => {
    await using peer = await startPeer(silence)
    // The pause between the two is a quarter of a second at most.
    const client = new TenantClient({ baseUrl: peer.url, timeoutMs, deadlineMs: 1900, retries: 100 })
    const startedAt = performance.now()
    const error = await rejectionOf(client.tenants.getBySlug('acme'))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ attempts })
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  it('is not waited for when there would be no time left after the pause', async () => {
    await using peer = await startPeer(problem(503, 'database.unavailable', { 'retry-after': '20' }))
    const client = new TenantClient({ baseUrl: peer.url, deadlineMs: 5000 })
    const startedAt = performance.now()
    expect(await rejectionOf(client.tenants.getBySlug('acme'))).toBeInstanceOf(UnavailableError)
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })
})

describe('the pause before the next attempt', () => {
  const pauses = (attempts: number, retryAfterSeconds?: number) =>
    Array.from({ length: 500 }, () => {
      return delayMs(attempts, problemError('getTenant', { status: 503, attempts, retryAfterSeconds })) ?? -1
    })

  it.each([
    [1, 250],
    [2, 500],
    [5, 4000],
    [6, 5000],
    [60, 5000],
  ])('after attempt %i is anything up to %i ms', (attempts, most) => {
    const all = pauses(attempts)
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0)
    expect(Math.min(...all)).toBeLessThan(most * 0.1)
    expect(Math.max(...all)).toBeGreaterThan(most * 0.9)
    expect(Math.max(...all)).toBeLessThanOrEqual(most)
  })

  it('begins when Retry-After is over, for up to 30 seconds', () => {
    expect(Math.min(...pauses(1, 30))).toBeGreaterThanOrEqual(30_000)
    expect(Math.max(...pauses(1, 30))).toBeLessThanOrEqual(30_250)
    expect(delayMs(1, problemError('getTenant', { status: 503, attempts: 1, retryAfterSeconds: 30.5 }))).toBeUndefined()
  })
})
