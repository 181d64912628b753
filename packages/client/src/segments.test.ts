import { expect, it } from 'vitest'
import { json, startPeer } from '../test/scripted-peer.ts'
import { rejectionOf } from '../test/tenant.ts'
import { operations } from './generated/operations.gen.ts'
import { InvalidError, TenantClient } from './index.ts'

type Act = (client: TenantClient, id: string) => PromiseLike<unknown>
type Operations = typeof operations
type Guided = { [Id in keyof Operations]: Operations[Id]['path'] extends `${string}{${string}` ? Id : never }

/** Every operation that has parameters in its path, with the same value for each of them. */
const acts: Record<Guided[keyof Guided], Act> = {
  getTenant: ({ tenants }, id) => tenants.get(id),
  getTenantBySlug: ({ tenants }, id) => tenants.getBySlug(id),
  getTenantByErpId: ({ tenants }, id) => tenants.getByErpId(id),
  getTenantByStripeId: ({ tenants }, id) => tenants.getByStripeId(id),
  updateTenant: ({ tenants }, id) => tenants.update(id, {}),
  transitionTenant: ({ tenants }, id) => tenants.transition(id, { to: 'frozen', reason: 'abuse' }),
  purgeTenant: ({ tenants }, id) => tenants.purge(id, { slug: 'acme' }),
  getLegalHold: ({ tenants }, id) => tenants.legalHold.get(id),
  placeLegalHold: ({ tenants }, id) => tenants.legalHold.place(id, { reason: 'a case' }),
  liftLegalHold: ({ tenants }, id) => tenants.legalHold.lift(id),
  releaseSlug: ({ slugs }, id) => slugs.release(id, { reason: 'sold' }),
  exportTenant: ({ tenants }, id) => tenants.export(id),
  createProject: ({ projects }, id) => projects.create(id, { slug: 'one', name: 'One' }),
  listProjects: ({ projects }, id) => projects.list(id),
  getProject: ({ projects }, id) => projects.get(id, id),
  updateProject: ({ projects }, id) => projects.update(id, id, {}),
  archiveProject: ({ projects }, id) => projects.archive(id, id),
  restoreProject: ({ projects }, id) => projects.restore(id, id),
  getProduct: ({ products }, id) => products.get(id),
  listTenantProducts: ({ tenantProducts }, id) => tenantProducts.list(id),
  getTenantProduct: ({ tenantProducts }, id) => tenantProducts.get(id, id),
  putTenantProduct: ({ tenantProducts }, id) => tenantProducts.put(id, id, {}),
  updateTenantProduct: ({ tenantProducts }, id) => tenantProducts.update(id, id, {}),
  removeTenantProduct: ({ tenantProducts }, id) => tenantProducts.remove(id, id),
  getEntitlements: ({ entitlements }, id) => entitlements.get(id),
  issueApiKey: ({ apiKeys }, id) => apiKeys.issue(id, { name: 'Key', scopes: ['a:b'] }),
  listApiKeys: ({ apiKeys }, id) => apiKeys.list(id),
  getApiKey: ({ apiKeys }, id) => apiKeys.get(id, id),
  updateApiKey: ({ apiKeys }, id) => apiKeys.update(id, id, {}),
  rotateApiKey: ({ apiKeys }, id) => apiKeys.rotate(id, id),
  revokeApiKey: ({ apiKeys }, id) => apiKeys.revoke(id, id, { reason: 'leaked' }),
  revokeAllApiKeys: ({ apiKeys }, id) => apiKeys.revokeAll(id, { reason: 'leaked' }),
  listAuditStreamEvents: ({ audit }, id) => audit.streams.events(id),
  getAuditEvent: ({ audit }, id) => audit.getEvent(id),
  endAuditViewerToken: ({ audit }, id) => audit.endViewerToken(id),
}

const table = Object.entries(acts).map(([id, act]) => [id, act, operations[id as keyof typeof acts]] as const)

it.each(table)('%s keeps what it is given within its segments', async (_, act, { method, path }) => {
  for (const value of ['../x', 'a/b', '?q', '#f', '%2e', '%2e%2e', '%2F..%2F', '\\..\\x', '..;/x', ';']) {
    await using peer = await startPeer(json({}))
    await act(new TenantClient({ baseUrl: peer.url }), value)
    const [arrival] = peer.arrivals
    expect([arrival?.method, arrival?.path]).toEqual([
      method,
      path.replace(/\{\w+\}/g, () => encodeURIComponent(value)),
    ])
  }
})

it.each(table)('%s sends nothing when it is given what can be no segment', async (_, act) => {
  await using peer = await startPeer(json({}))
  const client = new TenantClient({ baseUrl: peer.url })
  for (const value of ['', '.', '..']) expect(await rejectionOf(act(client, value))).toBeInstanceOf(InvalidError)
  expect(peer.arrivals).toEqual([])
})
