import {
  appendEvents,
  createProject,
  housekeeping,
  issueSupportViewerToken,
  newKeyringText,
  parseKeyring,
  type Db,
  type IssuedApiKey,
  NewProject,
  NewTenant,
  createTenant,
  placeLegalHold,
  putTenantProduct,
  NewTenantProduct,
  type Tenant,
  TenantChanges,
  Transition,
  transitionTenant,
  updateTenant,
  archiveProject,
  type Project,
} from '@breakpilot/tenant-core'
import { aKey } from '../api-keys/keys.ts'
import { testActor, testCatalogue } from '../builders.ts'
import type { CallOptions } from '../server.ts'

/** A tenant with one of everything, as an operation needs it to be answered well. */
export interface Scene {
  readonly n: number
  readonly tenant: Tenant
  readonly apiKey: IssuedApiKey
  readonly project: Project
  readonly archivedProject: Project
  readonly formerSlug: string
  readonly eventId: string
  /** Of an event that CertifAI recorded. */
  readonly productEventId: string
  /** Of a viewer token for its log. */
  readonly viewerTokenId: string
}

/** What the platform alone sees of a tenant: none of it may be in anything that others are answered. */
export const platformOnly = /ERP-SECRET|cus_secret|sales-secret|metadata-secret|note-secret|hold-secret/

/** The keyring of the keys in scenes. */
export const sceneKeyringText = newKeyringText('scene')
const sceneKeyring = parseKeyring(sceneKeyringText)

let scenes = 0

/** Sets the scene for an operation: everything in it is fresh, so that whoever plays does so alone. */
export async function sceneFor(db: Db, operation: string): Promise<Scene> {
  scenes += 1
  const n = scenes
  const step = async (id: Tenant['id'], to: 'frozen' | 'active' | 'archived') =>
    await transitionTenant(
      db,
      testActor,
      testCatalogue,
      id,
      Transition.parse({ to, reason: 'migration', note: 'note-secret' }),
      { purgeAfterDays: 0 },
    )
  const made = await createTenant(
    db,
    testActor,
    testCatalogue,
    NewTenant.parse({
      slug: `former-${n}`,
      name: `Tenant ${n}`,
      status: 'active',
      plan: 'professional',
      erp_id: `ERP-SECRET-${n}`,
      stripe_id: `cus_secret_${n}`,
      sales_owner: 'sales-secret',
      metadata: { key: 'metadata-secret' },
    }),
  )
  const { id } = made
  const products = operation === 'putTenantProduct' ? ['certifai'] : ['certifai', 'compliance']
  for (const product of products) {
    await putTenantProduct(db, testActor, testCatalogue, id, product, NewTenantProduct.parse({}))
  }
  const project = async (slug: string) =>
    await createProject(db, testActor, testCatalogue, id, NewProject.parse({ slug, name: slug }))
  const website = await project('website')
  const shop = await project('old-shop')
  await archiveProject(db, testActor, id, shop.id)
  const apiKey = await aKey(db, sceneKeyring, id)
  await updateTenant(db, testActor, testCatalogue, id, TenantChanges.parse({ slug: `present-${n}` }))
  await step(id, 'frozen')
  let tenant = await step(id, 'active')
  if (['getLegalHold', 'liftLegalHold', 'exportTenant'].includes(operation)) {
    await placeLegalHold(db, testActor, id, { reason: 'hold-secret' })
  }
  if (operation === 'purgeTenant') {
    await step(id, 'frozen')
    tenant = await step(id, 'archived')
  }
  const event = await db
    .selectFrom('audit_log')
    .select('id')
    .where('tenant_id', '=', id)
    .where('action', '=', 'tenant.renamed')
    .executeTakeFirstOrThrow()
  const [published] = await housekeeping(db, async (tx) =>
    appendEvents(tx, [
      {
        tenant_id: id,
        product: 'certifai',
        environment: 'live',
        action: 'report.opened',
        crud: 'r',
        group: { id },
        actor: { id: 'jane', fields: [['role', 'editor']] },
        target: { id: 'report-1', fields: [['kind', 'yearly']] },
        fields: [['quality', 'good']],
        metadata: [['request_id', 'req-1']],
      },
    ]),
  )
  const viewer = await issueSupportViewerToken(db, testActor, { tenant_id: id }, { ttlSeconds: 300 })
  return {
    n,
    tenant,
    apiKey,
    project: website,
    archivedProject: shop,
    formerSlug: `former-${n}`,
    eventId: event.id,
    productEventId: published?.id ?? '',
    viewerTokenId: viewer.id,
  }
}

type Request = { readonly path: string } & CallOptions

/** One request for each operation that is answered well, by whoever may make it. A route without one fails the suite. */
const requests: Readonly<Record<string, (scene: Scene) => Request>> = {
  getHealth: () => ({ path: '/healthz' }),
  getReadiness: () => ({ path: '/readyz' }),
  createTenant: ({ n }) => ({ path: '/v1/tenants', json: { slug: `created-${n}`, name: 'Created' } }),
  listTenants: () => ({ path: '/v1/tenants?limit=200' }),
  getTenant: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}` }),
  // What every role that may change anything may change differs; see `patches`.
  updateTenant: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}`, json: { name: 'Renamed' } }),
  getTenantBySlug: ({ formerSlug }) => ({ path: `/v1/tenants/by-slug/${formerSlug}` }),
  getTenantByErpId: ({ n }) => ({ path: `/v1/tenants/by-erp-id/ERP-SECRET-${n}` }),
  getTenantByStripeId: ({ n }) => ({ path: `/v1/tenants/by-stripe-id/cus_secret_${n}` }),
  transitionTenant: ({ tenant }) => ({
    path: `/v1/tenants/${tenant.id}/transitions`,
    json: { to: 'frozen', reason: 'payment_overdue' },
  }),
  purgeTenant: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/purge`, json: { slug: tenant.slug } }),
  getLegalHold: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/legal-hold` }),
  placeLegalHold: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/legal-hold`, json: { reason: 'hold-secret' } }),
  liftLegalHold: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/legal-hold` }),
  releaseSlug: ({ formerSlug }) => ({ path: `/v1/slugs/${formerSlug}/release`, json: { reason: 'nobody uses it' } }),
  exportTenant: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/export` }),
  importTenants: ({ n }) => ({
    path: '/v1/tenants/import',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `{"slug":"imported-${n}","name":"Imported"}\n`,
  }),
  createProject: ({ tenant }) => ({
    path: `/v1/tenants/${tenant.id}/projects`,
    json: { slug: 'new-one', name: 'New' },
  }),
  listProjects: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/projects` }),
  getProject: ({ tenant, project }) => ({ path: `/v1/tenants/${tenant.id}/projects/${project.id}` }),
  updateProject: ({ tenant, project }) => ({
    path: `/v1/tenants/${tenant.id}/projects/${project.id}`,
    json: { name: 'New name' },
  }),
  archiveProject: ({ tenant, project }) => ({ path: `/v1/tenants/${tenant.id}/projects/${project.id}/archive` }),
  restoreProject: ({ tenant, archivedProject: { id } }) => ({
    path: `/v1/tenants/${tenant.id}/projects/${id}/restore`,
  }),
  listProducts: () => ({ path: '/v1/products' }),
  getProduct: () => ({ path: '/v1/products/certifai' }),
  listTenantProducts: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/products` }),
  getTenantProduct: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/products/certifai` }),
  putTenantProduct: ({ tenant }) => ({
    path: `/v1/tenants/${tenant.id}/products/compliance`,
    json: { config: { frameworks: ['soc2'] } },
  }),
  updateTenantProduct: ({ tenant }) => ({
    path: `/v1/tenants/${tenant.id}/products/compliance`,
    json: { limits: { audit_retention_days: 400 } },
  }),
  removeTenantProduct: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/products/compliance` }),
  getEntitlements: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/entitlements` }),
  evaluateEntitlements: ({ tenant }) => ({
    path: '/v1/entitlements/evaluate',
    json: { items: [{ tenant_id: tenant.id }] },
  }),
  issueApiKey: ({ tenant }) => ({
    path: `/v1/tenants/${tenant.id}/api-keys`,
    json: { name: 'New', scopes: ['certifai:read'] },
  }),
  listApiKeys: ({ tenant }) => ({ path: `/v1/tenants/${tenant.id}/api-keys` }),
  revokeAllApiKeys: ({ tenant }) => ({
    path: `/v1/tenants/${tenant.id}/api-keys/revoke-all`,
    json: { reason: 'compromised' },
  }),
  getApiKey: ({ tenant, apiKey }) => ({ path: `/v1/tenants/${tenant.id}/api-keys/${apiKey.id}` }),
  updateApiKey: ({ tenant, apiKey }) => ({
    path: `/v1/tenants/${tenant.id}/api-keys/${apiKey.id}`,
    json: { name: 'New name' },
  }),
  rotateApiKey: ({ tenant, apiKey }) => ({
    path: `/v1/tenants/${tenant.id}/api-keys/${apiKey.id}/rotate`,
    json: { overlap_seconds: 60 },
  }),
  revokeApiKey: ({ tenant, apiKey }) => ({
    path: `/v1/tenants/${tenant.id}/api-keys/${apiKey.id}/revoke`,
    json: { reason: 'no_longer_needed' },
  }),
  findApiKeys: ({ apiKey }) => ({ path: `/v1/api-keys?prefix=${apiKey.prefix}` }),
  revokeLeakedApiKey: ({ apiKey }) => ({ path: '/v1/api-keys/revoke', json: { key: apiKey.key } }),
  verifyApiKey: ({ apiKey }) => ({ path: '/v1/api-keys/verify', json: { key: apiKey.key } }),
  verifyApiKeys: ({ apiKey }) => ({ path: '/v1/api-keys/verify-batch', json: { items: [{ key: apiKey.key }] } }),
  getMe: () => ({ path: '/v1/me' }),
  listChanges: () => ({ path: '/v1/changes?limit=5' }),
  publishAuditEvents: ({ tenant }) => ({
    path: '/v1/audit/events',
    json: {
      events: [{ action: 'report.opened', crud: 'r', actor: { id: 'jane' }, group: { id: tenant.id } }],
    },
  }),
  listAuditEvents: ({ tenant }) => ({ path: `/v1/audit/events?tenant_id=${tenant.id}&total=true` }),
  verifyAuditStream: ({ tenant }) => ({ path: '/v1/audit/verify', json: { stream_id: tenant.id } }),
  listAuditCheckpoints: () => ({ path: '/v1/audit/checkpoints' }),
  listAuditSigningKeys: () => ({ path: '/v1/audit/signing-keys' }),
  exportAuditEvents: ({ tenant }) => ({ path: `/v1/audit/export?format=ndjson&tenant_id=${tenant.id}` }),
  issueAuditViewerToken: ({ tenant }) => ({ path: '/v1/audit/viewer-tokens', json: { tenant_id: tenant.id } }),
  endAuditViewerToken: ({ viewerTokenId }) => ({ path: `/v1/audit/viewer-tokens/${viewerTokenId}` }),
  listAuditStreams: () => ({ path: '/v1/audit/streams?limit=1000' }),
  listAuditStreamEvents: ({ tenant }) => ({ path: `/v1/audit/streams/${tenant.id}/events?after=0` }),
  getAuditEvent: ({ eventId }) => ({ path: `/v1/audit/events/${eventId}` }),
}

/** The request of an operation on a scene. */
export function requestOf(operation: string, scene: Scene): Request {
  const make = requests[operation]
  if (!make) throw new Error(`no request for ${operation}: write one in scene.ts`)
  return make(scene)
}
