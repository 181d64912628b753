import { expect, it } from 'vitest'
import { breakConnection, json, type Step, startPeer, text } from '../test/scripted-peer.ts'
import { rejectionOf } from '../test/tenant.ts'
import { type ImportedTenant, TenantClient, UnexpectedAnswerError } from './index.ts'

const ndjson = 'application/x-ndjson'
const row = (n: number): ImportedTenant => ({ slug: `tenant-${n}`, name: `Tenant ${n}` })
const created = (line: number) => ({
  line,
  outcome: 'created',
  id: `id-${line}`,
  slug: `tenant-${line}`,
  code: null,
  detail: null,
  errors: [],
})
const answer = (count: number): Step =>
  text(Array.from({ length: count }, (_, index) => `${JSON.stringify(created(index + 1))}\n`).join(''), {
    'content-type': ndjson,
  })
const linesOf = (body: string) =>
  body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

it('rows of any kind are sent as lines, and each gets its result', async () => {
  async function* rows() {
    yield row(1)
    yield row(2)
  }
  for (const each of [[row(1), row(2)], new Set([row(1), row(2)]), rows()]) {
    await using peer = await startPeer(answer(2))
    expect(await new TenantClient({ baseUrl: peer.url }).tenants.import(each)).toEqual([created(1), created(2)])
    expect(linesOf(peer.arrivals[0]?.body ?? '')).toEqual([row(1), row(2)])
    expect(peer.arrivals[0]?.headers).toMatchObject({ 'content-type': ndjson, accept: ndjson })
  }
})

it('no rows are no request', async () => {
  await using peer = await startPeer(answer(1))
  expect(await new TenantClient({ baseUrl: peer.url }).tenants.import([])).toEqual([])
  expect(peer.arrivals).toEqual([])
})

it('many rows are several requests, each with a key of its own that follows from the caller’s; lines go on', async () => {
  await using peer = await startPeer(answer(1000), breakConnection, answer(2))
  const rows = Array.from({ length: 1002 }, (_, index) => row(index + 1))
  const results = await new TenantClient({ baseUrl: peer.url }).tenants.import(rows, { idempotencyKey: 'monday' })
  expect(results.map(({ line }) => line)).toEqual(rows.map((_, index) => index + 1))
  expect(peer.arrivals.map(({ body }) => linesOf(body).length)).toEqual([1000, 2, 2])
  const keys = peer.arrivals.map(({ headers }) => headers['idempotency-key'])
  expect(keys).toEqual(['monday-0', 'monday-1000', 'monday-1000'])
})

it('large rows are sent in requests that the registry takes', async () => {
  const large = { ...row(1), name: 'ü'.repeat(100_000) }
  await using peer = await startPeer(answer(5), answer(1))
  await new TenantClient({ baseUrl: peer.url }).tenants.import(Array.from({ length: 6 }, () => large))
  for (const { body } of peer.arrivals) expect(Buffer.byteLength(body)).toBeLessThan(2 * 1024 * 1024)
  expect(peer.arrivals.map(({ body }) => linesOf(body).length)).toEqual([5, 1])
})

it('an answer of another kind is no result', async () => {
  await using peer = await startPeer(json({}))
  const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.import([row(1)]))
  expect(error).toBeInstanceOf(UnexpectedAnswerError)
})
