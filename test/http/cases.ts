import { mintToken, newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import type { Route } from '@breakpilot/tenant-http'
import type { CallOptions } from '../server.ts'

/** How the server runs that a case is sent to. */
export type Mode = 'local' | 'oidc' | 'without database' | 'without provider' | 'limited'

/** One request, and the status and code that it has to be answered with. */
export interface Case extends CallOptions {
  readonly title: string
  readonly operation: string
  readonly path: string
  readonly method: string
  readonly mode: Mode
  readonly status: number
  readonly code?: string
  /** Sends a good token of the provider along. */
  readonly token?: boolean
  /** A request that is sent, and answered well, before this one. */
  readonly first?: { readonly path: string } & CallOptions
}

/** The tenants of the cases. The server's tests make them as they are named. */
export const ids = {
  acme: '00000000-0000-0000-0000-000000000001',
  nobody: '00000000-0000-0000-0000-000000000002',
  /** Stands for the id of the first event: that one nobody chooses. */
  event: '00000000-0000-0000-0000-0000000000e0',
  /** Stands for the id of a viewer token. */
  viewer: '00000000-0000-0000-0000-0000000000e1',
  archived: '00000000-0000-0000-0000-000000000003',
  protected: '00000000-0000-0000-0000-000000000004',
  held: '00000000-0000-0000-0000-000000000005',
  recent: '00000000-0000-0000-0000-000000000006',
  renamed: '00000000-0000-0000-0000-000000000007',
  purging: '00000000-0000-0000-0000-000000000008',
  trial: '00000000-0000-0000-0000-000000000009',
} as const
const id = ids.acme

/** The projects of acme. */
export const projectIds = {
  website: '00000000-0000-0000-0000-0000000000a1',
  archived: '00000000-0000-0000-0000-0000000000a2',
  /** Archived too, and nobody restores it. */
  gone: '00000000-0000-0000-0000-0000000000a3',
} as const

/** API keys of acme; the others are of nobody who could bring one. */
export const keyIds = {
  good: '00000000-0000-0000-0000-0000000000c1',
  rotated: '00000000-0000-0000-0000-0000000000c2',
  rotatedOnce: '00000000-0000-0000-0000-0000000000c3',
  revoked: '00000000-0000-0000-0000-0000000000c4',
  ended: '00000000-0000-0000-0000-0000000000c5',
} as const

/** The keyring of all servers here. */
export const keyringText = newKeyringText('cases')
/** A key that these servers would have to look for: their MAC is right, and nobody has it. */
const unknownKey = mintToken(parseKeyring(keyringText), 'live').text

/** Stands for a key of the platform's own that may publish for CertifAI. */
export const publisherKey = '<publisher key>'
const publishing = { authorization: `Bearer ${publisherKey}` }
const published = { action: 'report.opened', crud: 'r', actor: { id: 'jane' }, group: { id }, external_id: 'e-1' }

const ndjson = { 'content-type': 'application/x-ndjson' }
const ofAcme = (rest: string) => `/v1/tenants/${id}${rest}`

/** What each operation needs, beside its path, to be answered well. `acme` is there. */
const good: Record<string, { readonly path: string } & CallOptions> = {
  getHealth: { path: '/healthz' },
  getReadiness: { path: '/readyz' },
  createTenant: { path: '/v1/tenants', json: { slug: 'made-by-a-case', name: 'Made by a case' } },
  listTenants: { path: '/v1/tenants?limit=1&status=active&kind=customer&plan=professional' },
  getTenant: { path: ofAcme('') },
  updateTenant: { path: ofAcme(''), json: { name: 'Acme Incorporated' } },
  getTenantBySlug: { path: '/v1/tenants/by-slug/acme' },
  getTenantByErpId: { path: '/v1/tenants/by-erp-id/C%2F10042' },
  getTenantByStripeId: { path: '/v1/tenants/by-stripe-id/cus_1' },
  transitionTenant: {
    path: `/v1/tenants/${ids.trial}/transitions`,
    json: { to: 'frozen', reason: 'payment_overdue', note: 'late' },
  },
  purgeTenant: { path: `/v1/tenants/${ids.archived}/purge`, json: { slug: 'archived-one' } },
  getLegalHold: { path: ofAcme('/legal-hold') },
  placeLegalHold: { path: ofAcme('/legal-hold'), json: { reason: 'a lawsuit' } },
  liftLegalHold: { path: ofAcme('/legal-hold') },
  releaseSlug: { path: '/v1/slugs/old-name/release', json: { reason: 'nobody uses it' } },
  importTenants: {
    path: '/v1/tenants/import',
    headers: ndjson,
    body: '{"slug":"imported-one","name":"One"}\n{"slug":"No","name":"Two"}\nnonsense\n',
  },
  createProject: { path: ofAcme('/projects'), json: { slug: 'made-by-a-case', name: 'Made by a case' } },
  listProjects: { path: ofAcme('/projects?limit=1&status=active') },
  getProject: { path: ofAcme(`/projects/${projectIds.website}`) },
  updateProject: { path: ofAcme(`/projects/${projectIds.website}`), json: { name: 'New', labels: { stage: 'live' } } },
  archiveProject: { path: ofAcme(`/projects/${projectIds.website}/archive`) },
  restoreProject: { path: ofAcme(`/projects/${projectIds.archived}/restore`) },
  listProducts: { path: '/v1/products' },
  getProduct: { path: '/v1/products/certifai' },
  listTenantProducts: { path: ofAcme('/products') },
  getTenantProduct: { path: ofAcme('/products/certifai') },
  putTenantProduct: { path: ofAcme('/products/compliance'), json: { config: { frameworks: ['soc2'] } } },
  updateTenantProduct: { path: ofAcme('/products/compliance'), json: { limits: { audit_retention_days: 400 } } },
  removeTenantProduct: { path: ofAcme('/products/compliance') },
  getEntitlements: { path: ofAcme('/entitlements') },
  listChanges: { path: '/v1/changes?limit=10' },
  evaluateEntitlements: { path: '/v1/entitlements/evaluate', json: { items: [{ tenant_id: id }] } },
  issueApiKey: { path: ofAcme('/api-keys'), json: { name: 'Made by a case', scopes: ['certifai:read'] } },
  listApiKeys: { path: ofAcme('/api-keys?limit=1&status=active&environment=live&audience=certifai') },
  revokeAllApiKeys: { path: `/v1/tenants/${ids.renamed}/api-keys/revoke-all`, json: { reason: 'compromised' } },
  getApiKey: { path: ofAcme(`/api-keys/${keyIds.good}`) },
  updateApiKey: { path: ofAcme(`/api-keys/${keyIds.good}`), json: { name: 'New', scopes: ['certifai:*'] } },
  rotateApiKey: { path: ofAcme(`/api-keys/${keyIds.rotated}/rotate`), json: { overlap_seconds: 60 } },
  revokeApiKey: { path: ofAcme(`/api-keys/${keyIds.ended}/revoke`), json: { reason: 'no_longer_needed' } },
  findApiKeys: { path: '/v1/api-keys?prefix=bpk_live_0000000000c1' },
  revokeLeakedApiKey: { path: '/v1/api-keys/revoke', json: { key: 'nonsense' } },
  verifyApiKey: { path: '/v1/api-keys/verify', json: { key: unknownKey, scopes: ['certifai:read'] } },
  verifyApiKeys: { path: '/v1/api-keys/verify-batch', json: { items: [{ key: unknownKey }, { key: 'nonsense' }] } },
  getMe: { path: '/v1/me' },
  publishAuditEvents: { path: '/v1/audit/events', headers: publishing, json: { events: [published] } },
  listAuditEvents: { path: `/v1/audit/events?tenant_id=${id}&action=tenant.*&crud=c,u&limit=2&total=true` },
  exportAuditEvents: { path: `/v1/audit/export?format=ndjson&tenant_id=${id}` },
  listAuditStreams: { path: '/v1/audit/streams?limit=10' },
  listAuditStreamEvents: { path: `/v1/audit/streams/${id}/events?after=1` },
  getAuditEvent: { path: `/v1/audit/events/${ids.event}` },
  verifyAuditStream: { path: '/v1/audit/verify', json: { stream_id: id, limit: 1 } },
  listAuditCheckpoints: { path: '/v1/audit/checkpoints?limit=1' },
  listAuditSigningKeys: { path: '/v1/audit/signing-keys' },
  issueAuditViewerToken: {
    path: '/v1/audit/viewer-tokens',
    json: { tenant_id: id, product: 'certifai', environment: 'live' },
  },
  endAuditViewerToken: { path: `/v1/audit/viewer-tokens/${ids.viewer}` },
  exportTenant: { path: ofAcme('/export') },
}

/** What is answered from the manifests alone. */
const withoutDatabase: ReadonlySet<string> = new Set(['listProducts', 'getProduct', 'getMe'])

/** What goes with an `Idempotency-Key`: a good request, and another one that cannot be its repetition. */
type Placed = CallOptions & { readonly path?: string }
const keyed: Record<string, { readonly first: Placed; readonly other: Placed }> = {
  publishAuditEvents: {
    first: { json: { events: [published] } },
    other: { json: { events: [{ ...published, action: 'report.closed' }] } },
  },
  createTenant: {
    first: { json: { slug: 'made-for-its-key', name: 'Made for its key' } },
    other: { json: { slug: 'made-for-another', name: 'Made for another' } },
  },
  transitionTenant: {
    first: { json: { to: 'frozen', reason: 'payment_overdue' } },
    other: { json: { to: 'frozen', reason: 'abuse' } },
  },
  purgeTenant: { first: { json: { slug: 'archived-one' } }, other: { json: { slug: 'acme' } } },
  releaseSlug: { first: { json: { reason: 'one' } }, other: { json: { reason: 'another' } } },
  createProject: {
    first: { json: { slug: 'made-for-its-key', name: 'Made for its key' } },
    other: { json: { slug: 'made-for-another', name: 'Made for another' } },
  },
  issueApiKey: {
    first: { json: { name: 'One', scopes: ['certifai:read'] } },
    other: { json: { name: 'Another', scopes: ['certifai:read'] } },
  },
  rotateApiKey: {
    first: { path: ofAcme(`/api-keys/${keyIds.rotatedOnce}/rotate`), json: { overlap_seconds: 60 } },
    other: { path: ofAcme(`/api-keys/${keyIds.rotatedOnce}/rotate`), json: { overlap_seconds: 61 } },
  },
  revokeApiKey: { first: { json: { reason: 'one' } }, other: { json: { reason: 'another' } } },
  revokeAllApiKeys: { first: { json: { reason: 'one' } }, other: { json: { reason: 'another' } } },
  issueAuditViewerToken: {
    first: { json: { tenant_id: id } },
    other: { json: { tenant_id: id, product: 'certifai' } },
  },
  importTenants: { first: { body: 'nonsense' }, other: { body: 'other nonsense' } },
}

/** Ids that nobody may choose for a tenant. */
const reservedIds = [
  '00000000-0000-0000-0000-0000000000ff',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
] as const

/** What only some operations can be answered with. */
type OwnCase = CallOptions &
  Pick<Case, 'first'> & { status: number; code: string; path?: string; title: string; mode?: Mode }
const own: Record<string, readonly OwnCase[]> = {
  getReadiness: [],
  createTenant: [
    ...reservedIds.map((id) => ({
      title: `the id ${id}`,
      status: 400,
      code: 'request.invalid',
      json: { id, slug: 'free', name: 'x' },
    })),
    { title: 'a slug that is taken', status: 409, code: 'tenant.slug_taken', json: { slug: 'acme', name: 'x' } },
    { title: 'an id that is taken', status: 409, code: 'tenant.id_taken', json: { id, slug: 'free', name: 'x' } },
    { title: 'a reserved slug', status: 409, code: 'tenant.slug_reserved', json: { slug: 'www', name: 'x' } },
    {
      title: 'an ERP id that is taken',
      status: 409,
      code: 'tenant.erp_id_taken',
      json: { slug: 'free', name: 'x', erp_id: 'C/10042' },
    },
    {
      title: 'a Stripe id that is taken',
      status: 409,
      code: 'tenant.stripe_id_taken',
      json: { slug: 'free', name: 'x', stripe_id: 'cus_1' },
    },
    {
      title: 'active without a plan',
      status: 409,
      code: 'tenant.plan_required',
      json: { slug: 'free', name: 'x', status: 'active' },
    },
    {
      title: 'a plan that nobody knows',
      status: 400,
      code: 'tenant.plan_unknown',
      json: { slug: 'free', name: 'x', plan: 'platinum' },
    },
  ],
  listTenants: [
    { title: 'a cursor that is none', status: 400, code: 'page.cursor_invalid', path: '/v1/tenants?cursor=abc' },
    { title: 'a limit out of bounds', status: 400, code: 'request.invalid', path: '/v1/tenants?limit=201' },
    { title: 'a repeated filter', status: 400, code: 'request.invalid', path: '/v1/tenants?kind=demo&kind=demo' },
  ],
  updateTenant: [
    { title: 'a plan that nobody knows', status: 400, code: 'tenant.plan_unknown', json: { plan: 'platinum' } },
    { title: 'a plan that it needs', status: 409, code: 'tenant.plan_required', json: { plan: null } },
    { title: 'a slug that is taken', status: 409, code: 'tenant.slug_taken', json: { slug: 'old-name' } },
    { title: 'a reserved slug', status: 409, code: 'tenant.slug_reserved', json: { slug: 'certifai' } },
    { title: 'a field with a verb of its own', status: 400, code: 'request.invalid', json: { status: 'frozen' } },
    {
      title: 'a tenant on its way out',
      status: 409,
      code: 'tenant.being_purged',
      path: `/v1/tenants/${ids.purging}`,
    },
  ],
  transitionTenant: [
    {
      title: 'a way that there is not',
      status: 409,
      code: 'tenant.transition_illegal',
      path: ofAcme('/transitions'),
      json: { to: 'demo', reason: 'migration' },
    },
    { title: 'a reason that is none', status: 400, code: 'request.invalid', json: { to: 'frozen', reason: 'whim' } },
    {
      title: 'active without a plan',
      status: 409,
      code: 'tenant.plan_required',
      json: { to: 'active', reason: 'converted' },
    },
  ],
  purgeTenant: [
    { title: 'one that is not archived', status: 409, code: 'tenant.not_archived', path: ofAcme('/purge') },
    { title: 'another slug', status: 409, code: 'tenant.slug_mismatch', json: { slug: 'acme' } },
    {
      title: 'a protected one',
      status: 409,
      code: 'tenant.deletion_protected',
      path: `/v1/tenants/${ids.protected}/purge`,
      json: { slug: 'protected-one' },
    },
    {
      title: 'one under a legal hold',
      status: 409,
      code: 'tenant.legal_hold',
      path: `/v1/tenants/${ids.held}/purge`,
      json: { slug: 'held-one' },
    },
    {
      title: 'one of yesterday',
      status: 409,
      code: 'tenant.purge_too_early',
      path: `/v1/tenants/${ids.recent}/purge`,
      json: { slug: 'recent-one' },
    },
  ],
  getLegalHold: [
    {
      title: 'no hold',
      status: 404,
      code: 'legal_hold.not_found',
      path: `/v1/tenants/${ids.renamed}/legal-hold`,
    },
  ],
  liftLegalHold: [
    {
      title: 'no hold',
      status: 404,
      code: 'legal_hold.not_found',
      path: `/v1/tenants/${ids.renamed}/legal-hold`,
    },
  ],
  releaseSlug: [
    { title: 'a name in use', status: 409, code: 'slug.in_use', path: '/v1/slugs/acme/release' },
    { title: 'a name that never was', status: 404, code: 'slug.not_found', path: '/v1/slugs/never-was/release' },
  ],
  importTenants: [
    {
      title: 'a thousand lines and one',
      status: 413,
      code: 'request.body_too_large',
      headers: ndjson,
      body: '{}\n'.repeat(1001),
    },
  ],
  getTenantBySlug: [
    { title: 'a slug of nobody', status: 404, code: 'tenant.not_found', path: '/v1/tenants/by-slug/nobody' },
    { title: 'a slug that is none', status: 400, code: 'request.invalid', path: '/v1/tenants/by-slug/No_Slug' },
  ],
  getTenantByErpId: [
    { title: 'an id of nobody', status: 404, code: 'tenant.not_found', path: '/v1/tenants/by-erp-id/nobody' },
    { title: 'an id with U+0000', status: 400, code: 'request.invalid', path: '/v1/tenants/by-erp-id/a%00b' },
  ],
  getTenantByStripeId: [
    { title: 'an id of nobody', status: 404, code: 'tenant.not_found', path: '/v1/tenants/by-stripe-id/nobody' },
    { title: 'a blank id', status: 400, code: 'request.invalid', path: '/v1/tenants/by-stripe-id/%20' },
  ],
  createProject: [
    { title: 'a slug that is taken', status: 409, code: 'project.slug_taken', json: { slug: 'website', name: 'x' } },
    {
      title: 'a tenant without a product that has projects',
      status: 409,
      code: 'project.not_supported',
      path: `/v1/tenants/${ids.renamed}/projects`,
    },
    { title: 'an archived tenant', status: 409, code: 'tenant.archived', path: `/v1/tenants/${ids.recent}/projects` },
  ],
  listProjects: [
    { title: 'a cursor that is none', status: 400, code: 'page.cursor_invalid', path: ofAcme('/projects?cursor=abc') },
    { title: 'a state that is none', status: 400, code: 'request.invalid', path: ofAcme('/projects?status=gone') },
  ],
  getProject: [
    { title: 'one of nobody', status: 404, code: 'project.not_found', path: ofAcme(`/projects/${ids.nobody}`) },
    { title: 'no id', status: 400, code: 'request.invalid', path: ofAcme('/projects/website') },
  ],
  updateProject: [
    { title: 'one of nobody', status: 404, code: 'project.not_found', path: ofAcme(`/projects/${ids.nobody}`) },
    { title: 'what never changes', status: 400, code: 'request.invalid', json: { slug: 'another' } },
    {
      title: 'an archived tenant',
      status: 409,
      code: 'tenant.archived',
      path: `/v1/tenants/${ids.recent}/projects/${projectIds.website}`,
    },
  ],
  archiveProject: [
    {
      title: 'one of another tenant',
      status: 404,
      code: 'project.not_found',
      path: `/v1/tenants/${ids.renamed}/projects/${projectIds.website}/archive`,
    },
    {
      title: 'an archived tenant',
      status: 409,
      code: 'tenant.archived',
      path: `/v1/tenants/${ids.recent}/projects/${projectIds.website}/archive`,
    },
  ],
  restoreProject: [
    {
      title: 'one of another tenant',
      status: 404,
      code: 'project.not_found',
      path: `/v1/tenants/${ids.renamed}/projects/${projectIds.website}/restore`,
    },
    {
      title: 'an archived tenant',
      status: 409,
      code: 'tenant.archived',
      path: `/v1/tenants/${ids.recent}/projects/${projectIds.archived}/restore`,
    },
  ],
  getProduct: [{ title: 'no product', status: 404, code: 'product.not_found', path: '/v1/products/nothing' }],
  getTenantProduct: [
    { title: 'none that it has', status: 404, code: 'tenant_product.not_found', path: ofAcme('/products/nothing') },
  ],
  putTenantProduct: [
    {
      title: 'one that should be there and is not',
      status: 412,
      code: 'resource.version_stale',
      path: `/v1/tenants/${ids.renamed}/products/compliance`,
      headers: { 'if-match': '*' },
    },
    {
      title: 'one that should not be there and is',
      status: 412,
      code: 'resource.version_stale',
      headers: { 'if-none-match': '*' },
    },
    {
      title: 'two conditions',
      status: 400,
      code: 'request.header_invalid',
      headers: { 'if-match': '"1"', 'if-none-match': '*' },
    },
    {
      title: 'an ETag that should not be there',
      status: 400,
      code: 'request.header_invalid',
      headers: { 'if-none-match': '"1"' },
    },
    { title: 'no product', status: 404, code: 'product.not_found', path: ofAcme('/products/nothing') },
    {
      title: 'a configuration that does not fit',
      status: 400,
      code: 'tenant_product.config_invalid',
      json: { config: { frameworks: ['iso9001'] } },
    },
    {
      title: 'a limit that there is not',
      status: 400,
      code: 'tenant_product.limit_unknown',
      json: { limits: { projects: 1 } },
    },
    {
      title: 'an archived tenant',
      status: 409,
      code: 'tenant.archived',
      path: `/v1/tenants/${ids.recent}/products/compliance`,
    },
  ],
  updateTenantProduct: [
    { title: 'none that it has', status: 404, code: 'tenant_product.not_found', path: ofAcme('/products/nothing') },
    {
      title: 'a configuration that does not fit',
      status: 400,
      code: 'tenant_product.config_invalid',
      json: { config: { frameworks: 'gdpr' } },
    },
    {
      title: 'an archived tenant',
      status: 409,
      code: 'tenant.archived',
      path: `/v1/tenants/${ids.recent}/products/compliance`,
    },
  ],
  removeTenantProduct: [
    { title: 'none that it has', status: 404, code: 'tenant_product.not_found', path: ofAcme('/products/nothing') },
    {
      title: 'an archived tenant',
      status: 409,
      code: 'tenant.archived',
      path: `/v1/tenants/${ids.recent}/products/compliance`,
    },
  ],
  getEntitlements: [
    {
      title: 'an id of nobody',
      status: 404,
      code: 'tenant.not_found',
      path: `/v1/tenants/${id.replace(/1$/, '2')}/entitlements`,
    },
    {
      title: 'a project of nobody',
      status: 404,
      code: 'project.not_found',
      path: `/v1/tenants/${id}/entitlements?project_id=${id}`,
    },
    {
      title: 'a product that nobody knows',
      status: 400,
      code: 'product.unknown',
      path: `/v1/tenants/${id}/entitlements?product=unheard-of`,
    },
  ],
  publishAuditEvents: [
    { title: 'no event', status: 400, code: 'request.invalid', json: { events: [] } },
    {
      title: 'more than a thousand',
      status: 400,
      code: 'request.invalid',
      json: { events: Array.from({ length: 1_001 }, () => published) },
    },
    {
      title: 'a name that is none, where no map is',
      status: 400,
      code: 'request.invalid',
      headers: { ...publishing, 'content-type': 'application/json' },
      json: undefined,
      body: JSON.stringify({ events: [published] }).replace('{"id":', '{"__proto__":{},"id":'),
    },
    {
      title: 'another event with an external_id that may be there once',
      status: 409,
      code: 'audit_event.external_id_reused',
      json: { events: [{ ...published, action: 'report.closed' }], unique_by: 'external_id' },
      first: {
        path: '/v1/audit/events',
        headers: publishing,
        json: { events: [published], unique_by: 'external_id' },
      },
    },
    { title: 'somebody who is no product', headers: {}, status: 403, code: 'auth.permission_denied' },
  ],
  listAuditEvents: [
    { title: 'a cursor that is none', status: 400, code: 'page.cursor_invalid', path: '/v1/audit/events?cursor=abc' },
    ...['crud=c,x', 'source_ip=10.0.0.0/33', 'is_failure=maybe', 'total=yes', 'environment=stage', 'action='].map(
      (query) => ({
        title: `a filter that is none: ${query}`,
        status: 400 as const,
        code: 'request.invalid' as const,
        path: `/v1/audit/events?${query}`,
      }),
    ),
  ],
  exportAuditEvents: [
    {
      title: 'a cursor that is none',
      status: 400,
      code: 'page.cursor_invalid',
      path: '/v1/audit/export?format=csv&cursor=abc',
    },
    {
      title: 'a search that is none',
      status: 400,
      code: 'audit_search.invalid',
      path: '/v1/audit/export?format=csv&q=crud:x',
    },
    { title: 'a form that there is not', status: 400, code: 'request.invalid', path: '/v1/audit/export?format=xml' },
    { title: 'no form at all', status: 400, code: 'request.invalid', path: '/v1/audit/export' },
  ],
  listAuditStreams: [
    { title: 'a cursor that is none', status: 400, code: 'page.cursor_invalid', path: '/v1/audit/streams?cursor=abc' },
  ],
  listAuditStreamEvents: [
    {
      title: 'a stream of nobody',
      status: 404,
      code: 'audit_stream.not_found',
      path: `/v1/audit/streams/${ids.nobody}/events`,
    },
    {
      title: 'a place that is none',
      status: 400,
      code: 'request.invalid',
      path: `/v1/audit/streams/${id}/events?after=-1`,
    },
  ],
  getAuditEvent: [
    {
      title: 'an event of nobody',
      status: 404,
      code: 'audit_event.not_found',
      path: `/v1/audit/events/${ids.nobody}`,
    },
  ],
  verifyAuditStream: [
    {
      title: 'a stream of nobody',
      status: 404,
      code: 'audit_stream.not_found',
      json: { stream_id: ids.nobody },
    },
    {
      title: 'a cursor of another stream',
      status: 400,
      code: 'page.cursor_invalid',
      json: { stream_id: id, cursor: 'abc' },
    },
  ],
  issueAuditViewerToken: [
    { title: 'nobody', status: 404, code: 'tenant.not_found', json: { tenant_id: ids.nobody } },
    {
      title: 'an environment that there is not',
      status: 400,
      code: 'request.invalid',
      json: { tenant_id: id, environment: 'stage' },
    },
    { title: 'no tenant', status: 400, code: 'request.invalid', json: { product: 'certifai' } },
    { title: 'no product', status: 400, code: 'request.invalid', json: { tenant_id: id, product: '' } },
    { title: 'more than is asked', status: 400, code: 'request.invalid', json: { tenant_id: id, is_admin: true } },
  ],
  endAuditViewerToken: [
    {
      title: 'none that there is',
      status: 404,
      code: 'audit_viewer.not_found',
      path: `/v1/audit/viewer-tokens/${ids.nobody}`,
    },
  ],
  listAuditCheckpoints: [
    {
      title: 'a cursor that is none',
      status: 400,
      code: 'page.cursor_invalid',
      path: '/v1/audit/checkpoints?cursor=abc',
    },
  ],
  listChanges: [
    {
      title: 'a place that the feed never reached',
      status: 410,
      code: 'changes.expired',
      path: '/v1/changes?after=99999',
    },
    { title: 'more patience than there is', status: 400, code: 'request.invalid', path: '/v1/changes?wait=26' },
  ],
  issueApiKey: [
    {
      title: 'a scope that nobody knows',
      status: 400,
      code: 'api_key.scope_unknown',
      json: { name: 'x', scopes: ['certifai:read', 'nothing:read'] },
    },
    {
      title: 'scopes of two products',
      status: 400,
      code: 'api_key.mixed_audience',
      json: { name: 'x', scopes: ['certifai:read', 'compliance:read'] },
    },
    { title: 'no scope', status: 400, code: 'request.invalid', json: { name: 'x', scopes: [] } },
    {
      title: 'a network that is none',
      status: 400,
      code: 'request.invalid',
      json: { name: 'x', scopes: ['certifai:read'], ip_allow: ['10.0.0.1/8'] },
    },
    {
      title: 'an end that is over',
      status: 400,
      code: 'request.invalid',
      json: { name: 'x', scopes: ['certifai:read'], expires_at: '2020-01-01T00:00:00Z' },
    },
    {
      title: 'a project of nobody',
      status: 404,
      code: 'project.not_found',
      json: { name: 'x', scopes: ['certifai:read'], project_id: ids.nobody },
    },
    {
      title: 'an archived project',
      status: 409,
      code: 'project.archived',
      json: { name: 'x', scopes: ['certifai:read'], project_id: projectIds.gone },
    },
    { title: 'an archived tenant', status: 409, code: 'tenant.archived', path: `/v1/tenants/${ids.recent}/api-keys` },
    {
      title: "a key of the platform's own without a product",
      status: 400,
      code: 'request.invalid',
      path: '/v1/tenants/00000000-0000-0000-0000-0000000000ff/api-keys',
    },
    {
      title: "a key of the platform's own for a product that there is not",
      status: 400,
      code: 'product.unknown',
      path: '/v1/tenants/00000000-0000-0000-0000-0000000000ff/api-keys',
      json: { name: 'x', scopes: ['audit:publish'], product: 'nothing', expires_at: '2027-01-01T00:00:00Z' },
    },
    {
      title: "a key of the platform's own without an end",
      status: 409,
      code: 'api_key.policy_violated',
      path: '/v1/tenants/00000000-0000-0000-0000-0000000000ff/api-keys',
      json: { name: 'x', scopes: ['audit:publish'], product: 'certifai' },
    },
  ],
  listApiKeys: [
    { title: 'a cursor that is none', status: 400, code: 'page.cursor_invalid', path: ofAcme('/api-keys?cursor=abc') },
    { title: 'a state that is none', status: 400, code: 'request.invalid', path: ofAcme('/api-keys?status=gone') },
  ],
  revokeAllApiKeys: [
    {
      title: "the platform's own",
      status: 409,
      code: 'tenant.platform_own',
      path: '/v1/tenants/00000000-0000-0000-0000-0000000000ff/api-keys/revoke-all',
    },
    {
      title: 'a tenant on its way out',
      status: 409,
      code: 'tenant.being_purged',
      path: `/v1/tenants/${ids.purging}/api-keys/revoke-all`,
    },
  ],
  getApiKey: [
    { title: 'one of nobody', status: 404, code: 'api_key.not_found', path: ofAcme(`/api-keys/${ids.nobody}`) },
    { title: 'no id', status: 400, code: 'request.invalid', path: ofAcme('/api-keys/bpk_live_0000000000c1') },
  ],
  updateApiKey: [
    { title: 'one of nobody', status: 404, code: 'api_key.not_found', path: ofAcme(`/api-keys/${ids.nobody}`) },
    { title: 'another audience', status: 400, code: 'api_key.mixed_audience', json: { scopes: ['compliance:read'] } },
    { title: 'what never changes', status: 400, code: 'request.invalid', json: { environment: 'test' } },
    {
      title: 'one that has ended',
      status: 409,
      code: 'api_key.revoked',
      path: ofAcme(`/api-keys/${keyIds.revoked}`),
    },
  ],
  rotateApiKey: [
    { title: 'one of nobody', status: 404, code: 'api_key.not_found', path: ofAcme(`/api-keys/${ids.nobody}/rotate`) },
    {
      title: 'one that has ended',
      status: 409,
      code: 'api_key.revoked',
      path: ofAcme(`/api-keys/${keyIds.revoked}/rotate`),
    },
    { title: 'a month and a second', status: 400, code: 'request.invalid', json: { overlap_seconds: 2_592_001 } },
  ],
  revokeApiKey: [
    { title: 'one of nobody', status: 404, code: 'api_key.not_found', path: ofAcme(`/api-keys/${ids.nobody}/revoke`) },
    {
      title: 'one of another tenant',
      status: 404,
      code: 'api_key.not_found',
      path: `/v1/tenants/${ids.renamed}/api-keys/${keyIds.good}/revoke`,
    },
  ],
  findApiKeys: [
    { title: 'a whole key', status: 400, code: 'request.invalid', path: `/v1/api-keys?prefix=${unknownKey}` },
    { title: 'nothing to look for', status: 400, code: 'request.invalid', path: '/v1/api-keys' },
  ],
  revokeLeakedApiKey: [
    {
      title: 'no database',
      mode: 'without database',
      status: 503,
      code: 'database.unavailable',
      json: { key: unknownKey },
    },
    { title: 'one request too many', mode: 'limited', status: 429, code: 'request.rate_limited' },
  ],
  verifyApiKey: [
    { title: 'no key', status: 400, code: 'request.invalid', json: {} },
    { title: 'a scope that is none', status: 400, code: 'request.invalid', json: { key: 'x', scopes: ['*'] } },
  ],
  verifyApiKeys: [
    {
      title: 'more than a hundred',
      status: 400,
      code: 'request.invalid',
      json: { items: Array.from({ length: 101 }, () => ({ key: 'x' })) },
    },
  ],
  evaluateEntitlements: [{ title: 'no question', status: 400, code: 'request.invalid', json: { items: [] } }],
}

/**
 * Every case of every route: a good one, those that follow from the shape of the route, and its own.
 * @throws {Error} for a route that nobody wrote a good case for
 */
export function casesOf(routes: readonly Route[]): Case[] {
  return routes.flatMap((route) => {
    const { operation } = route
    const request = good[operation]
    if (!request) throw new Error(`no case for ${operation}: write one`)
    const base = { operation, method: route.method.toUpperCase(), ...request, mode: 'local' as Mode }
    const withHeaders = (headers: Record<string, string>) => ({ ...base, headers: { ...base.headers, ...headers } })
    const { headers: _, ...unsigned } = base
    const plainPath = base.path.split('?')[0] ?? ''
    const cases: Case[] = [
      { ...base, title: 'all is well', status: route.status },
      {
        ...base,
        title: 'an unknown query parameter',
        path: `${plainPath}?nothing=1`,
        status: 400,
        code: 'request.query_unknown',
      },
      {
        ...base,
        title: 'a proxy in between, without authentication',
        headers: { 'x-forwarded-for': '192.0.2.1' },
        status: 403,
        code: 'auth.request_not_local',
      },
    ]
    if (route.scope !== 'public') {
      cases.push(
        { ...unsigned, title: 'no credentials', mode: 'oidc', status: 401, code: 'auth.credentials_missing' },
        {
          ...base,
          title: 'a token that is none',
          mode: 'oidc',
          headers: { authorization: 'Bearer nonsense' },
          status: 401,
          code: 'auth.token_invalid',
        },
        {
          ...base,
          title: 'an API key that is none',
          mode: 'oidc',
          headers: { authorization: `Bearer ${unknownKey}` },
          status: 401,
          code: 'auth.api_key_invalid',
        },
        {
          ...base,
          title: 'a good token without a role',
          mode: 'oidc',
          token: true,
          ...(route.scope === 'self' ? { status: route.status } : { status: 403, code: 'auth.permission_denied' }),
        },
        {
          ...base,
          title: 'nobody to ask about a token',
          mode: 'without provider',
          token: true,
          status: 503,
          code: 'auth.provider_unavailable',
        },
        withoutDatabase.has(operation)
          ? { ...base, title: 'no database, which it can do without', mode: 'without database', status: route.status }
          : { ...base, title: 'no database', mode: 'without database', status: 503, code: 'database.unavailable' },
        // Who asks on behalf of many is not counted.
        route.countedBy === 'nobody'
          ? { ...base, title: 'any number of requests', mode: 'limited', status: route.status }
          : { ...base, title: 'one request too many', mode: 'limited', status: 429, code: 'request.rate_limited' },
      )
    }
    if (route.params) {
      const at = route.path.split('/').findIndex((segment) => segment.startsWith('{'))
      const malformed = plainPath.split('/').with(at, '%zz').join('/')
      cases.push({ ...base, title: 'a malformed path', path: malformed, status: 400, code: 'request.path_malformed' })
      if ('tenant_id' in route.params.shape) {
        const nobodys = base.path.split('/').with(at, ids.nobody).join('/')
        const noId = base.path.split('/').with(at, '42').join('/')
        cases.push(
          { ...base, title: 'a tenant that is not there', path: nobodys, status: 404, code: 'tenant.not_found' },
          { ...base, title: 'an id that is none', path: noId, status: 400, code: 'request.invalid' },
        )
      }
    }
    if (route.etag && route.method === 'get') {
      cases.push({ ...withHeaders({ 'if-none-match': '*' }), title: 'what the caller has already', status: 304 })
    }
    if (route.preconditions) {
      cases.push(
        {
          ...withHeaders({ 'if-match': '"999999"' }),
          title: 'a stale version',
          status: 412,
          code: 'resource.version_stale',
        },
        { ...withHeaders({ 'if-match': 'seven' }), title: 'no ETag', status: 400, code: 'request.header_invalid' },
      )
    } else if (route.method !== 'get') {
      cases.push({
        ...withHeaders({ 'if-match': '"1"' }),
        title: 'a condition on what has no version',
        status: 400,
        code: 'request.header_invalid',
      })
    }
    if (route.method !== 'get' && !(route.method === 'put' && route.preconditions)) {
      cases.push({
        ...withHeaders({ 'if-none-match': '*' }),
        title: 'a condition on what makes nothing',
        status: 400,
        code: 'request.header_invalid',
      })
    }
    if (route.preview) {
      cases.push({ ...base, title: 'a dry run', path: `${plainPath}?dry_run=true`, status: 200 })
    }
    if (route.idempotent) {
      cases.push({
        ...withHeaders({ 'idempotency-key': 'a b' }),
        title: 'a key that is none',
        status: 400,
        code: 'request.header_invalid',
      })
    }
    // Without a body there is no other request to be mistaken for.
    if (route.idempotent && route.body) {
      const pair = keyed[operation]
      if (!pair) throw new Error(`no pair of requests with one key for ${operation}: write one`)
      const { headers } = withHeaders({ 'idempotency-key': `the key of ${operation}`.replaceAll(' ', '-') })
      cases.push({
        ...base,
        ...pair.other,
        title: 'a key of another request',
        headers,
        first: { ...base, ...pair.first, headers },
        status: 422,
        code: 'idempotency.key_reused',
      })
    }
    if (isLines(route)) {
      const { body: _, ...bare } = base
      cases.push(
        { ...bare, title: 'no body', status: 400, code: 'request.body_missing' },
        {
          ...base,
          title: 'another content type',
          headers: { 'content-type': 'text/plain' },
          status: 415,
          code: 'request.content_type_unsupported',
        },
        {
          ...base,
          title: 'another charset',
          headers: { 'content-type': 'application/x-ndjson; charset=utf-16' },
          status: 415,
          code: 'request.content_type_unsupported',
        },
        {
          ...withHeaders({ 'content-encoding': 'rot13' }),
          title: 'an unknown encoding',
          status: 415,
          code: 'request.content_encoding_unsupported',
        },
        {
          ...withHeaders({ 'content-encoding': 'gzip' }),
          title: 'gzip that is none',
          status: 400,
          code: 'request.json_malformed',
        },
        {
          ...bare,
          title: 'not UTF-8',
          body: new Uint8Array([0x22, 0xff, 0x22]),
          status: 400,
          code: 'request.json_malformed',
        },
        {
          ...base,
          title: 'more than it may',
          body: 'x'.repeat(2 * 1024 * 1024 + 1),
          status: 413,
          code: 'request.body_too_large',
        },
      )
    } else if (route.body) {
      const { json: _, ...bare } = base
      const typed = { ...base.headers, 'content-type': 'application/json' }
      cases.push(
        { ...bare, title: 'no body', status: 400, code: 'request.body_missing' },
        {
          ...base,
          title: 'a merge patch by its name',
          headers: { ...base.headers, 'content-type': 'application/merge-patch+json' },
          ...(route.method === 'patch'
            ? { status: route.status }
            : { status: 415, code: 'request.content_type_unsupported' }),
        },
        { ...bare, title: 'not JSON', headers: typed, body: '{"slug":', status: 400, code: 'request.json_malformed' },
        {
          ...bare,
          title: 'not UTF-8',
          headers: typed,
          body: new Uint8Array([0x22, 0xff, 0x22]),
          status: 400,
          code: 'request.json_malformed',
        },
        { ...bare, title: 'not an object', json: [], status: 400, code: 'request.invalid' },
        {
          ...bare,
          title: 'an unknown field',
          json: { ...(base.json as object), nothing: 1 },
          status: 400,
          code: 'request.invalid',
        },
        {
          ...bare,
          title: 'another content type',
          headers: { ...base.headers, 'content-type': 'text/plain' },
          body: '{}',
          status: 415,
          code: 'request.content_type_unsupported',
        },
        {
          ...bare,
          title: 'another charset',
          headers: { ...base.headers, 'content-type': 'application/json; charset=utf-16' },
          body: '{}',
          status: 415,
          code: 'request.content_type_unsupported',
        },
        {
          ...bare,
          title: 'an unknown encoding',
          headers: { ...typed, 'content-encoding': 'rot13' },
          body: '{}',
          status: 415,
          code: 'request.content_encoding_unsupported',
        },
        ...['gzip', 'deflate', 'br'].map((encoding) => ({
          ...bare,
          title: `${encoding} that is none`,
          headers: { ...typed, 'content-encoding': encoding },
          body: '{"slug":"abc"}',
          status: 400,
          code: 'request.json_malformed',
        })),
        {
          ...bare,
          title: 'more than it may have',
          json: { name: 'x'.repeat(route.bodyBytesMax ?? 256 * 1024) },
          status: 413,
          code: 'request.body_too_large',
        },
      )
    }
    if (operation === 'getReadiness') {
      cases.push({ ...base, title: 'no database', mode: 'without database', status: 503, code: 'service.not_ready' })
    }
    // What is gone cannot be asked about any more.
    if (route.method === 'delete') cases.push(...cases.splice(0, 1))
    return [...cases, ...(own[operation] ?? []).map((extra) => ({ ...base, ...extra }))]
  })
}

const isLines = ({ body }: Route) => body !== undefined && 'kind' in body
