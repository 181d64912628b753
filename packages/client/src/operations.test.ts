import { expect, it } from 'vitest'
import { json, startPeer } from '../test/scripted-peer.ts'
import { operations } from './generated/operations.gen.ts'
import { TenantClient } from './index.ts'

type Act = (client: TenantClient) => PromiseLike<unknown>

/** Every operation of the API, and how it is called. Who adds a route adds its method to the client, and a line here. */
const methods: Record<keyof typeof operations, [act: Act, request: string, body?: unknown]> = {
  getHealth: [({ service }) => service.health(), 'GET /healthz'],
  getReadiness: [({ service }) => service.readiness(), 'GET /readyz'],
  createTenant: [
    ({ tenants }) => tenants.create({ slug: 'acme', name: 'Acme' }),
    'POST /v1/tenants',
    { slug: 'acme', name: 'Acme' },
  ],
  listTenants: [({ tenants }) => tenants.list({ kind: 'demo' }), 'GET /v1/tenants?kind=demo'],
  getTenant: [({ tenants }) => tenants.get('7'), 'GET /v1/tenants/7'],
  getTenantBySlug: [({ tenants }) => tenants.getBySlug('acme'), 'GET /v1/tenants/by-slug/acme'],
  getTenantByErpId: [({ tenants }) => tenants.getByErpId('C-1/2'), 'GET /v1/tenants/by-erp-id/C-1%2F2'],
  getTenantByStripeId: [({ tenants }) => tenants.getByStripeId('cus_1'), 'GET /v1/tenants/by-stripe-id/cus_1'],
}

it.each(Object.entries(methods))('%s is sent as the API has it', async (_, [act, request, body]) => {
  await using peer = await startPeer(json({}))
  await act(new TenantClient({ baseUrl: peer.url }))
  const [arrival] = peer.arrivals
  expect(`${arrival?.method} ${arrival?.path}`).toBe(request)
  expect(arrival?.body).toBe(body === undefined ? '' : JSON.stringify(body))
  expect(arrival?.headers['content-type']).toBe(body === undefined ? undefined : 'application/json')
  expect(arrival?.headers.accept).toBe('application/json')
})

it('every operation has a method', () => {
  expect(Object.keys(methods).sort()).toEqual(Object.keys(operations).sort())
})
