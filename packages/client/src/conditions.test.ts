import { expect, it } from 'vitest'
import { json, problem, startPeer, text } from '../test/scripted-peer.ts'
import { aTenant, rejectionOf } from '../test/tenant.ts'
import {
  ForbiddenError,
  type NotModified,
  notModified,
  StaleError,
  type Tenant,
  TenantClient,
  type TenantView,
  UnexpectedAnswerError,
} from './index.ts'

it.each([
  [3, '"3"'],
  ['"3-k3f9qa"', '"3-k3f9qa"'],
  ['*', '*'],
  [undefined, undefined],
])('ifMatch %j is sent as %s', async (ifMatch, sent) => {
  await using peer = await startPeer(json(aTenant()))
  await new TenantClient({ baseUrl: peer.url }).tenants.update('7', {}, { ifMatch })
  expect(peer.arrivals[0]?.headers['if-match']).toBe(sent)
})

it('a change of what has changed meanwhile is a StaleError, which says what version it has now', async () => {
  await using peer = await startPeer(json({ ...staleProblem, current_version: 8 }, { status: 412 }))
  const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.update('7', {}, { ifMatch: 3 }))
  expect(error).toBeInstanceOf(StaleError)
  expect(error).toMatchObject({ code: 'resource.version_stale', problem: { current_version: 8 }, attempts: 1 })
})

const staleProblem = {
  type: 'urn:x',
  title: 'Stale',
  status: 412,
  instance: '/',
  code: 'resource.version_stale',
  request_id: 'r',
}

it('what the caller has already is notModified', async () => {
  const known = text('', { status: 304, etag: '"1-abc"', 'x-request-id': 'req-11112222' })
  await using peer = await startPeer(json(aTenant(), { etag: '"1-abc"' }), known)
  const { tenants } = new TenantClient({ baseUrl: peer.url })
  const first = await tenants.getBySlug('acme').withResponse()
  const again = await tenants.getBySlug('acme', { ifNoneMatch: first.etag }).withResponse()
  expect(peer.arrivals.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1-abc"'])
  expect(again).toMatchObject({ data: notModified, status: 304, etag: '"1-abc"', requestId: 'req-11112222' })
})

it('only who asks with ifNoneMatch has to look for notModified', async () => {
  await using peer = await startPeer(json(aTenant()))
  const { tenants } = new TenantClient({ baseUrl: peer.url })
  // These are for the type-checker.
  const plain: TenantView = await tenants.get('7')
  const withHeaders: TenantView = await tenants.get('7', { headers: { 'x-other': '1' } })
  const conditional: TenantView | NotModified = await tenants.get('7', { ifNoneMatch: '"1"' })
  // @ts-expect-error it may be notModified
  const careless: TenantView = await tenants.get('7', { ifNoneMatch: '"1"' })
  expect([plain, withHeaders, conditional, careless]).toEqual(Array.from({ length: 4 }, () => aTenant()))
})

it('a 304 that nobody asked for is no answer', async () => {
  await using peer = await startPeer(text('', { status: 304 }))
  const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.get('7'))
  expect(error).toBeInstanceOf(UnexpectedAnswerError)
})

it('what is given only if it is not there yet is never notModified', async () => {
  await using peer = await startPeer(text('', { status: 304 }))
  const put = new TenantClient({ baseUrl: peer.url }).tenantProducts.put('7', 'certifai', {}, { ifNoneMatch: '*' })
  expect(await rejectionOf(put)).toBeInstanceOf(UnexpectedAnswerError)
  expect(peer.arrivals[0]?.headers['if-none-match']).toBe('*')
})

it('only who may see all of a tenant finds it by the ids of other systems', async () => {
  await using peer = await startPeer(json(aTenant()), json(aTenant()), problem(403, 'auth.permission_denied'))
  const { tenants } = new TenantClient({ baseUrl: peer.url })
  // These are for the type-checker.
  const found: Tenant[] = [await tenants.getByErpId('C-1'), await tenants.getByStripeId('cus_1')]
  expect(found).toEqual([aTenant(), aTenant()])
  expect(await rejectionOf(tenants.getByErpId('C-1'))).toBeInstanceOf(ForbiddenError)
})

it('an answer without a body gives nothing', async () => {
  await using peer = await startPeer((response) => void response.writeHead(204).end())
  expect(await new TenantClient({ baseUrl: peer.url }).tenants.legalHold.lift('7')).toBeUndefined()
})

it('an answer says where the thing is at home, when that is elsewhere', async () => {
  await using peer = await startPeer(json(aTenant(), { 'content-location': '/v1/tenants/by-slug/acme' }))
  const { contentLocation, replayed } = await new TenantClient({ baseUrl: peer.url }).tenants
    .getBySlug('acme-of-before')
    .withResponse()
  expect([contentLocation, replayed]).toEqual(['/v1/tenants/by-slug/acme', false])
})

it('a key that was used for something else is an error that nobody repeats', async () => {
  await using peer = await startPeer(problem(422, 'idempotency.key_reused'))
  const { tenants } = new TenantClient({ baseUrl: peer.url })
  const error = await rejectionOf(tenants.create({ slug: 'acme', name: 'Acme' }, { idempotencyKey: 'k' }))
  expect(error).toMatchObject({ name: 'UnprocessableError', code: 'idempotency.key_reused', attempts: 1 })
})
