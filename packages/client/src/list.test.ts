import { describe, expect, it } from 'vitest'
import { json, problem, startPeer } from '../test/scripted-peer.ts'
import { aTenant, rejectionOf } from '../test/tenant.ts'
import { type Tenant, TenantClient, UnexpectedAnswerError } from './index.ts'

const [one, two, three, four, five] = ['one', 'two', 'three', 'four', 'five'].map((slug) => aTenant({ slug }))
const page = (data: (Tenant | undefined)[], next_cursor: string | null) => {
  return json({ data, has_more: next_cursor !== null, next_cursor })
}
const threePages = [page([one, two], 'c/1'), page([three, four], 'c2'), page([five], null)] as const
const askedFor = ({ arrivals }: { arrivals: readonly { path: string }[] }) => {
  return arrivals.map(({ path }) => new URL(path, 'http://registry.test').search)
}

describe('a list', () => {
  it('gives every item of every page, with the same filters', async () => {
    await using peer = await startPeer(...threePages)
    const slugs: string[] = []
    for await (const tenant of new TenantClient({ baseUrl: peer.url }).tenants.list({ status: 'active', limit: 2 })) {
      slugs.push(tenant.slug)
    }
    expect(slugs).toEqual(['one', 'two', 'three', 'four', 'five'])
    expect(askedFor(peer)).toEqual([
      '?status=active&limit=2',
      '?status=active&limit=2&cursor=c%2F1',
      '?status=active&limit=2&cursor=c2',
    ])
  })

  it('gives its pages', async () => {
    await using peer = await startPeer(...threePages)
    const sizes: number[] = []
    for await (const { data } of new TenantClient({ baseUrl: peer.url }).tenants.list().pages()) sizes.push(data.length)
    expect(sizes).toEqual([2, 2, 1])
    expect(askedFor(peer)[0]).toBe('')
  })

  it('begins where the caller left off', async () => {
    await using peer = await startPeer(page([three], null))
    await new TenantClient({ baseUrl: peer.url }).tenants.list({ cursor: 'c/1' }).toArray({ max: 10 })
    expect(askedFor(peer)).toEqual(['?cursor=c%2F1'])
  })

  it('asks for nothing before it has to', async () => {
    await using peer = await startPeer(...threePages)
    const list = new TenantClient({ baseUrl: peer.url }).tenants.list()
    expect(peer.arrivals).toHaveLength(0)
    for await (const tenant of list) if (tenant.slug === 'two') break
    expect(peer.arrivals).toHaveLength(1)
  })

  it.each([
    [0, [], 0],
    [1, ['one'], 1],
    [2, ['one', 'two'], 1],
    [3, ['one', 'two', 'three'], 2],
    [100, ['one', 'two', 'three', 'four', 'five'], 3],
  ])('as an array of at most %i has %j, from %i pages', async (max, slugs, pages) => {
    await using peer = await startPeer(...threePages)
    const tenants = await new TenantClient({ baseUrl: peer.url }).tenants.list().toArray({ max })
    expect(tenants.map(({ slug }) => slug)).toEqual(slugs)
    expect(peer.arrivals).toHaveLength(pages)
  })

  it('as an array needs to know how long it may get', async () => {
    await using peer = await startPeer(...threePages)
    const { tenants } = new TenantClient({ baseUrl: peer.url })
    expect(await rejectionOf(tenants.list().toArray({ max: Number.NaN }))).toBeInstanceOf(TypeError)
    expect(peer.arrivals).toEqual([])
  })

  it('awaited is its first page', async () => {
    await using peer = await startPeer(...threePages)
    const { data, has_more, next_cursor } = await new TenantClient({ baseUrl: peer.url }).tenants.list()
    expect({ data, has_more, next_cursor }).toEqual({ data: [one, two], has_more: true, next_cursor: 'c/1' })
  })

  it('says what its first page came in', async () => {
    await using peer = await startPeer(page([one], null))
    const { data, response } = await new TenantClient({ baseUrl: peer.url }).tenants.list().withResponse()
    expect([data.data, response.status]).toEqual([[one], 200])
  })

  it('throws where a page cannot be had, after the items of those before', async () => {
    await using peer = await startPeer(threePages[0], problem(403, 'auth.permission_denied'))
    const slugs: string[] = []
    const reading = (async () => {
      for await (const { slug } of new TenantClient({ baseUrl: peer.url }).tenants.list()) slugs.push(slug)
    })()
    expect(await rejectionOf(reading)).toMatchObject({ code: 'auth.permission_denied' })
    expect(slugs).toEqual(['one', 'two'])
  })

  it.each([
    {},
    { data: null, next_cursor: null },
    { data: { 0: one }, next_cursor: null },
    { data: 'abc', next_cursor: null },
    { data: [one] },
    { data: [one], next_cursor: 7 },
  ])('throws at %j, which is not a page', async (body) => {
    await using peer = await startPeer(threePages[0], json(body, { 'x-request-id': 'req-of-header' }))
    const slugs: string[] = []
    const reading = (async () => {
      for await (const { slug } of new TenantClient({ baseUrl: peer.url }).tenants.list()) slugs.push(slug)
    })()
    const error = await rejectionOf(reading)
    expect(error).toBeInstanceOf(UnexpectedAnswerError)
    expect(error).toMatchObject({ status: 200, requestId: 'req-of-header', attempts: 1 })
    expect(slugs).toEqual(['one', 'two'])
  })

  it.each([
    ['the first page', undefined, ['one', 'two'], 2],
    ['the page where the caller left off', 'c/1', [], 1],
  ])('is not read without end when the answer to every cursor is %s', async (_, cursor, slugs, asked) => {
    await using peer = await startPeer(threePages[0])
    const { tenants } = new TenantClient({ baseUrl: peer.url })
    const read: string[] = []
    const reading = (async () => {
      for await (const { slug } of tenants.list(cursor === undefined ? {} : { cursor })) read.push(slug)
    })()
    const error = await rejectionOf(reading)
    expect(error).toBeInstanceOf(UnexpectedAnswerError)
    expect(String(error)).toContain('listTenants: the answer leads back to itself')
    expect(read).toEqual(slugs)
    expect(peer.arrivals).toHaveLength(asked)
  })

  it('sends a page again that did not come', async () => {
    await using peer = await startPeer(threePages[0], problem(503, 'database.unavailable'), page([three], null))
    expect(await new TenantClient({ baseUrl: peer.url }).tenants.list().toArray({ max: 9 })).toEqual([one, two, three])
  })
})
