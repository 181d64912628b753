import { expect, it } from 'vitest'
import { breakConnection, json, problem, silence, startPeer, text } from '../test/scripted-peer.ts'
import { rejectionOf } from '../test/tenant.ts'
import {
  AbortError,
  ChangesExpiredError,
  ForbiddenError,
  GoneError,
  type RegistryChange,
  TenantClient,
  type TenantClientOptions,
} from './index.ts'

const change = (n: number): RegistryChange => ({
  n,
  at: '2026-03-01T12:00:00.000Z',
  kind: 'tenant',
  tenant_id: '00000000-0000-0000-0000-000000000001',
  ref_id: '00000000-0000-0000-0000-000000000001',
})
const page = (numbers: number[], next_after: number) =>
  json({ data: numbers.map(change), has_more: false, next_after, head: next_after })
const expired = problem(410, 'changes.expired')

async function followed(url: string, after?: number, options: Partial<TenantClientOptions> = {}) {
  const seen: number[] = []
  const delays: unknown[] = []
  const feed = new TenantClient({ ...options, baseUrl: url }).changes.follow({
    after,
    onDelay: (error) => delays.push(error),
  })
  const error = await rejectionOf(
    (async () => {
      for await (const { n } of feed) seen.push(n)
    })(),
  )
  return { seen, delays, error }
}

it('changes are followed from answer to answer, also past those that are not for the caller', async () => {
  await using peer = await startPeer(page([3, 4], 4), page([], 9), page([10], 10), expired)
  const { seen, error } = await followed(peer.url, 2)
  expect(seen).toEqual([3, 4, 10])
  expect(peer.arrivals.map(({ path }) => path)).toEqual([
    '/v1/changes?wait=25&after=2',
    '/v1/changes?wait=25&after=4',
    '/v1/changes?wait=25&after=9',
    '/v1/changes?wait=25&after=10',
  ])
  expect(error).toBeInstanceOf(ChangesExpiredError)
  expect(error).toBeInstanceOf(GoneError)
  expect(error).toMatchObject({ name: 'ChangesExpiredError', status: 410, code: 'changes.expired' })
})

it('without a place they begin as far back as is kept', async () => {
  await using peer = await startPeer(expired)
  await followed(peer.url)
  expect(peer.arrivals[0]?.path).toBe('/v1/changes?wait=25')
})

it('an outage only delays, and is told', async () => {
  const busy = problem(503, 'changes.too_many_waiters')
  await using peer = await startPeer(
    breakConnection,
    busy,
    problem(500, 'service.internal_error'),
    page([3], 3),
    expired,
  )
  const { seen, delays } = await followed(peer.url, 2)
  expect(seen).toEqual([3])
  expect(delays.map((error) => (error as Error).name)).toEqual(['ConnectionError', 'UnavailableError', 'InternalError'])
})

it('neither does it end with a token that is over, a proxy that is astray, or what gives tokens', async () => {
  const steps = [
    problem(401, 'auth.token_expired'),
    problem(408, 'request.timeout'),
    text('<h1>Maintenance</h1>'),
    page([3], 3),
    expired,
  ]
  await using peer = await startPeer(...steps)
  let asked = 0
  const getToken = () => {
    asked += 1
    if (asked === 1) throw new TypeError('the provider cannot be reached')
    return 'token'
  }
  const { seen, delays, error } = await followed(peer.url, 2, { getToken })
  expect(delays.map((delay) => (delay as Error).name)).toEqual([
    'TypeError',
    'UnauthenticatedError',
    'ProblemError',
    'UnexpectedAnswerError',
  ])
  expect([seen, (error as Error).name]).toEqual([[3], 'ChangesExpiredError'])
})

it('is not asked for again and again by who does not wait', async () => {
  await using peer = await startPeer(page([], 2), page([3], 3), expired)
  const feed = new TenantClient({ baseUrl: peer.url }).changes.follow({ after: 2, wait: 0 })
  await rejectionOf(
    (async () => {
      for await (const _ of feed.pages());
    })(),
  )
  const [first, second, third] = peer.arrivals.map(({ at }) => at)
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(950)
  expect((third ?? 0) - (second ?? 0)).toBeLessThan(900)
})

it('a time to wait that is none is a mistake, and no delay', async () => {
  await using peer = await startPeer(expired)
  const feed = new TenantClient({ baseUrl: peer.url }).changes.follow({ wait: Number.NaN })
  expect(await rejectionOf(feed.pages().next())).toBeInstanceOf(TypeError)
  expect(peer.arrivals).toEqual([])
})

it('what the caller may not do ends it', async () => {
  await using peer = await startPeer(problem(403, 'auth.permission_denied'))
  expect((await followed(peer.url)).error).toBeInstanceOf(ForbiddenError)
})

it('a signal ends it, whether it waits or works', async () => {
  await using peer = await startPeer(page([1], 1), silence)
  const waiting = new AbortController()
  const feed = new TenantClient({ baseUrl: peer.url }).changes.follow({ signal: waiting.signal })
  const error = await rejectionOf(
    (async () => {
      for await (const _ of feed) setImmediate(() => waiting.abort())
    })(),
  )
  expect(error).toBeInstanceOf(AbortError)
})

it('the time that the registry waits is not time that it is late', async () => {
  await using peer = await startPeer((response) => {
    setTimeout(() => page([], 1)(response), 300)
  })
  const client = new TenantClient({ baseUrl: peer.url, timeoutMs: 100, retries: 0 })
  expect(await client.changes.list({ wait: 1 })).toMatchObject({ next_after: 1 })
  const unset = { timeoutMs: undefined, deadlineMs: undefined }
  expect(await client.changes.list({ wait: 1 }, unset)).toMatchObject({ next_after: 1 })
  expect(await rejectionOf(client.changes.list({ wait: 1 }, { timeoutMs: 100 }))).toMatchObject({
    name: 'TimeoutError',
  })
})
