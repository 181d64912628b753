import { expect, it } from 'vitest'
import { json, startPeer, text } from '../test/scripted-peer.ts'
import { type Operation, operations } from './generated/operations.gen.ts'
import { TenantClient } from './index.ts'

type Act = (client: TenantClient) => PromiseLike<unknown>

const terms = { limits: { projects: 3 } }
const newKey = { name: 'Deployment', scopes: ['certifai:read'] }
const leak = { reason: 'compromised' }
const brought = { key: 'bpk_x', scopes: ['certifai:read'], client_ip: '203.0.113.7' }
const frozen = { to: 'frozen', reason: 'abuse' } as const

/** Every operation of the API, and how it is called. Who adds a route adds its method to the client, and a line here. */
const methods: Record<
  Exclude<keyof typeof operations, 'exportAuditEvents'>,
  [act: Act, request: string, body?: unknown]
> = {
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
  updateTenant: [({ tenants }) => tenants.update('7', { plan: null }), 'PATCH /v1/tenants/7', { plan: null }],
  transitionTenant: [({ tenants }) => tenants.transition('7', frozen), 'POST /v1/tenants/7/transitions', frozen],
  purgeTenant: [({ tenants }) => tenants.purge('7', { slug: 'acme' }), 'POST /v1/tenants/7/purge', { slug: 'acme' }],
  getLegalHold: [({ tenants }) => tenants.legalHold.get('7'), 'GET /v1/tenants/7/legal-hold'],
  placeLegalHold: [
    ({ tenants }) => tenants.legalHold.place('7', { reason: 'a case' }),
    'PUT /v1/tenants/7/legal-hold',
    { reason: 'a case' },
  ],
  liftLegalHold: [({ tenants }) => tenants.legalHold.lift('7'), 'DELETE /v1/tenants/7/legal-hold'],
  releaseSlug: [
    ({ slugs }) => slugs.release('old', { reason: 'sold' }),
    'POST /v1/slugs/old/release',
    { reason: 'sold' },
  ],
  exportTenant: [({ tenants }) => tenants.export('7'), 'GET /v1/tenants/7/export'],
  importTenants: [
    ({ tenants }) => tenants.import([{ slug: 'acme', name: 'Acme' }]),
    'POST /v1/tenants/import',
    { slug: 'acme', name: 'Acme' },
  ],
  createProject: [
    ({ projects }) => projects.create('7', { slug: 'one', name: 'One' }),
    'POST /v1/tenants/7/projects',
    { slug: 'one', name: 'One' },
  ],
  listProjects: [({ projects }) => projects.list('7', { limit: 2 }), 'GET /v1/tenants/7/projects?limit=2'],
  getProject: [({ projects }) => projects.get('7', '8'), 'GET /v1/tenants/7/projects/8'],
  updateProject: [
    ({ projects }) => projects.update('7', '8', { name: 'Two' }),
    'PATCH /v1/tenants/7/projects/8',
    { name: 'Two' },
  ],
  archiveProject: [({ projects }) => projects.archive('7', '8'), 'POST /v1/tenants/7/projects/8/archive'],
  restoreProject: [({ projects }) => projects.restore('7', '8'), 'POST /v1/tenants/7/projects/8/restore'],
  listProducts: [({ products }) => products.list(), 'GET /v1/products'],
  getProduct: [({ products }) => products.get('certifai'), 'GET /v1/products/certifai'],
  listTenantProducts: [({ tenantProducts }) => tenantProducts.list('7'), 'GET /v1/tenants/7/products'],
  getTenantProduct: [({ tenantProducts }) => tenantProducts.get('7', 'a'), 'GET /v1/tenants/7/products/a'],
  putTenantProduct: [
    ({ tenantProducts }) => tenantProducts.put('7', 'a', terms),
    'PUT /v1/tenants/7/products/a',
    terms,
  ],
  updateTenantProduct: [
    ({ tenantProducts }) => tenantProducts.update('7', 'a', terms),
    'PATCH /v1/tenants/7/products/a',
    terms,
  ],
  removeTenantProduct: [({ tenantProducts }) => tenantProducts.remove('7', 'a'), 'DELETE /v1/tenants/7/products/a'],
  getEntitlements: [
    ({ entitlements }) => entitlements.get('7', { product: 'certifai' }),
    'GET /v1/tenants/7/entitlements?product=certifai',
  ],
  evaluateEntitlements: [
    ({ entitlements }) => entitlements.evaluate([{ tenant_id: '7' }]),
    'POST /v1/entitlements/evaluate',
    { items: [{ tenant_id: '7' }] },
  ],
  issueApiKey: [({ apiKeys }) => apiKeys.issue('7', newKey), 'POST /v1/tenants/7/api-keys', newKey],
  listApiKeys: [({ apiKeys }) => apiKeys.list('7', { status: 'active' }), 'GET /v1/tenants/7/api-keys?status=active'],
  getApiKey: [({ apiKeys }) => apiKeys.get('7', '8'), 'GET /v1/tenants/7/api-keys/8'],
  updateApiKey: [
    ({ apiKeys }) => apiKeys.update('7', '8', { enabled: false }),
    'PATCH /v1/tenants/7/api-keys/8',
    { enabled: false },
  ],
  rotateApiKey: [({ apiKeys }) => apiKeys.rotate('7', '8'), 'POST /v1/tenants/7/api-keys/8/rotate', {}],
  revokeApiKey: [({ apiKeys }) => apiKeys.revoke('7', '8', leak), 'POST /v1/tenants/7/api-keys/8/revoke', leak],
  revokeAllApiKeys: [({ apiKeys }) => apiKeys.revokeAll('7', leak), 'POST /v1/tenants/7/api-keys/revoke-all', leak],
  findApiKeys: [
    ({ apiKeys }) => apiKeys.find('bpk_live_7Xk2mQ9vT4bN'),
    'GET /v1/api-keys?prefix=bpk_live_7Xk2mQ9vT4bN',
  ],
  revokeLeakedApiKey: [({ apiKeys }) => apiKeys.revokeLeaked('bpk_x'), 'POST /v1/api-keys/revoke', { key: 'bpk_x' }],
  verifyApiKey: [({ apiKeys }) => apiKeys.verify(brought), 'POST /v1/api-keys/verify', brought],
  verifyApiKeys: [
    ({ apiKeys }) => apiKeys.verifyMany([brought]),
    'POST /v1/api-keys/verify-batch',
    { items: [brought] },
  ],
  getMe: [(client) => client.me(), 'GET /v1/me'],
  listChanges: [({ changes }) => changes.list({ after: 5 }), 'GET /v1/changes?after=5'],
  publishAuditEvents: [
    ({ audit }) => audit.publishEvents({ events: [{ action: 'a.b', crud: 'c', is_anonymous: true }] }),
    'POST /v1/audit/events',
    { events: [{ action: 'a.b', crud: 'c', is_anonymous: true }] },
  ],
  listAuditEvents: [
    ({ audit }) => audit.listEvents({ action: 'report.*', crud: ['c', 'd'], is_failure: false, total: true }),
    'GET /v1/audit/events?action=report.*&crud=c%2Cd&is_failure=false&total=true',
  ],
  verifyAuditStream: [
    ({ audit }) => audit.verifyStream('7', { limit: 10 }),
    'POST /v1/audit/verify',
    { stream_id: '7', limit: 10 },
  ],
  issueAuditViewerToken: [
    ({ audit }) => audit.issueViewerToken({ tenant_id: '7', product: 'certifai' }),
    'POST /v1/audit/viewer-tokens',
    { tenant_id: '7', product: 'certifai' },
  ],
  endAuditViewerToken: [({ audit }) => audit.endViewerToken('9'), 'DELETE /v1/audit/viewer-tokens/9'],
  listAuditCheckpoints: [({ audit }) => audit.listCheckpoints({ limit: 5 }), 'GET /v1/audit/checkpoints?limit=5'],
  listAuditSigningKeys: [({ audit }) => audit.listSigningKeys(), 'GET /v1/audit/signing-keys'],
  listAuditStreams: [({ audit }) => audit.streams.list({ limit: 5 }), 'GET /v1/audit/streams?limit=5'],
  listAuditStreamEvents: [
    ({ audit }) => audit.streams.events('9', { after: 3 }),
    'GET /v1/audit/streams/9/events?after=3',
  ],
  getAuditEvent: [({ audit }) => audit.getEvent('9'), 'GET /v1/audit/events/9'],
}

const previews: [method: string, act: Act, request: string, body?: unknown][] = [
  [
    'previewRevokeAll',
    ({ apiKeys }) => apiKeys.previewRevokeAll('7', leak),
    'POST /v1/tenants/7/api-keys/revoke-all?dry_run=true',
    leak,
  ],
  [
    'previewTransition',
    ({ tenants }) => tenants.previewTransition('7', frozen),
    'POST /v1/tenants/7/transitions?dry_run=true',
    frozen,
  ],
  [
    'previewPut',
    ({ tenantProducts }) => tenantProducts.previewPut('7', 'a', terms),
    'PUT /v1/tenants/7/products/a?dry_run=true',
    terms,
  ],
  [
    'previewUpdate',
    ({ tenantProducts }) => tenantProducts.previewUpdate('7', 'a', terms),
    'PATCH /v1/tenants/7/products/a?dry_run=true',
    terms,
  ],
  [
    'previewRemove',
    ({ tenantProducts }) => tenantProducts.previewRemove('7', 'a'),
    'DELETE /v1/tenants/7/products/a?dry_run=true',
  ],
]

async function arrivalOf(act: Act, lines = false) {
  await using peer = await startPeer(lines ? text('', { 'content-type': 'application/x-ndjson' }) : json({}))
  await act(new TenantClient({ baseUrl: peer.url }))
  const [arrival] = peer.arrivals
  return { ...arrival, request: `${arrival?.method} ${arrival?.path}` }
}

it.each(Object.entries(methods))('%s is sent as the API has it', async (id, [act, request, body]) => {
  const { idempotent, lines }: Operation = operations[id as keyof typeof operations]
  const media = lines ? 'application/x-ndjson' : 'application/json'
  const arrival = await arrivalOf(act, lines)
  expect(arrival.request).toBe(request)
  expect(arrival.body).toBe(body === undefined ? '' : `${JSON.stringify(body)}${lines ? '\n' : ''}`)
  expect(arrival.headers?.['content-type']).toBe(body === undefined ? undefined : media)
  expect(arrival.headers?.accept).toBe(media)
  expect(typeof arrival.headers?.['idempotency-key']).toBe(idempotent ? 'string' : 'undefined')
})

it.each(previews)('%s asks what would follow', async (_, act, request, body) => {
  const arrival = await arrivalOf(act)
  expect(arrival.request).toBe(request)
  expect(arrival.body).toBe(body === undefined ? '' : JSON.stringify(body))
})

it('previewImport asks what would follow', async () => {
  const arrival = await arrivalOf(({ tenants }) => tenants.previewImport([{ slug: 'acme', name: 'Acme' }]), true)
  expect(arrival.request).toBe('POST /v1/tenants/import?dry_run=true')
})

it('exportAuditEvents is sent as the API has it', async () => {
  const arrival = await arrivalOf(
    async ({ audit }) => await audit.export({ crud: 'd' })[Symbol.asyncIterator]().next(),
    true,
  )
  expect(arrival.request).toBe('GET /v1/audit/export?crud=d&format=ndjson')
  expect(arrival.headers?.accept).toBe('application/x-ndjson')
})

it('every operation has a method', () => {
  expect([...Object.keys(methods), 'exportAuditEvents'].sort()).toEqual(Object.keys(operations).sort())
})
