import {
  createTenant,
  ErpId,
  getTenant,
  getTenantByErpId,
  getTenantBySlug,
  getTenantByStripeId,
  listTenants,
  NewTenant,
  Slug,
  StripeId,
  Tenant,
  TenantChanges,
  TenantQuery,
  TenantSummary,
  updateTenant,
} from '@breakpilot/tenant-core'
import { z } from 'zod'
import { assertMayPatch, assertMayUseReserved, operatorFilters } from '../authorize-fields.ts'
import { pageOf } from '../page.ts'
import { route } from '../route.ts'
import { tenantParams } from './tenant-id.ts'

const tag = 'tenants'

/** The version of a tenant, for its entity tag. */
const version = (tenant: Tenant) => tenant.version

export const tenantRoutes = [
  route({
    method: 'post',
    path: '/v1/tenants',
    operation: 'createTenant',
    tag,
    summary: 'Create a tenant',
    description: 'Creates a tenant: a trial of a customer unless you say otherwise. It has no products yet.',
    scope: 'tenants:create',
    body: NewTenant,
    status: 201,
    response: Tenant,
    idempotent: true,
    etag: version,
    errors: [
      'tenant.slug_taken',
      'tenant.slug_reserved',
      'tenant.id_taken',
      'tenant.id_retired',
      'tenant.erp_id_taken',
      'tenant.stripe_id_taken',
      'tenant.plan_required',
      'tenant.plan_unknown',
    ],
    location: (tenant) => `/v1/tenants/${tenant.id}`,
    examples: {
      body: {
        slug: 'acme',
        name: 'Acme Inc.',
        trial_ends_at: '2026-03-15T12:00:00.000Z',
        sales_owner: 'jane@breakpilot.com',
        metadata: { segment: 'enterprise' },
      },
      response: {
        status: 'trial',
        effective_status: 'trial',
        plan: null,
        erp_id: null,
        stripe_id: null,
        trial_ends_at: '2026-03-15T12:00:00.000Z',
        products: [],
        allowed_transitions: ['active', 'frozen'],
        version: 1,
      },
    },
    handle: async ({ db, actor, catalogue, body, principal }) => {
      assertMayUseReserved(principal, body)
      return await createTenant(db, actor, catalogue, body)
    },
  }),
  route({
    method: 'get',
    path: '/v1/tenants',
    operation: 'listTenants',
    tag,
    summary: 'List tenants',
    description:
      'Answers the tenants that you see and that match every filter, newest first unless you sort otherwise, a page at a time.',
    scope: 'tenants:read',
    query: TenantQuery,
    status: 200,
    response: pageOf(Tenant, 'TenantPage'),
    reduced: pageOf(TenantSummary, 'TenantSummaryPage'),
    errors: ['page.cursor_invalid'],
    handle: async ({ db, sight, query, principal }) => {
      operatorFilters(principal, query, ['kind', 'sales_owner'])
      return await listTenants(db, sight, query)
    },
  }),
  route({
    method: 'get',
    path: '/v1/tenants/{tenant_id}',
    operation: 'getTenant',
    tag,
    summary: 'Get a tenant',
    description: 'Answers the tenant with this id.',
    scope: 'tenants:read',
    params: tenantParams,
    status: 200,
    response: Tenant,
    reduced: TenantSummary,
    etag: version,
    errors: ['tenant.not_found'],
    handle: ({ db, sight, params }) => getTenant(db, sight, params.tenant_id),
  }),
  route({
    method: 'patch',
    path: '/v1/tenants/{tenant_id}',
    operation: 'updateTenant',
    tag,
    summary: 'Change a tenant',
    description:
      'Changes fields by a merge patch (RFC 7396). A new slug renames the tenant; the old one goes on leading to it. The state of a tenant changes by transitions alone.',
    scope: 'tenants:update',
    params: tenantParams,
    body: TenantChanges,
    status: 200,
    response: Tenant,
    reduced: TenantSummary,
    preconditions: true,
    etag: version,
    errors: [
      'tenant.slug_taken',
      'tenant.slug_reserved',
      'tenant.erp_id_taken',
      'tenant.stripe_id_taken',
      'tenant.plan_required',
      'tenant.plan_unknown',
      'tenant.being_purged',
      'tenant.frozen',
    ],
    examples: {
      body: { plan: 'enterprise', contract_ends_at: '2027-03-01T12:00:00.000Z', metadata: { segment: null } },
      response: { plan: 'enterprise', contract_ends_at: '2027-03-01T12:00:00.000Z', metadata: {}, version: 8 },
    },
    handle: async ({ db, actor, catalogue, params, body, expectedVersion, principal }) => {
      assertMayPatch(principal, params.tenant_id, body)
      assertMayUseReserved(principal, body)
      return await updateTenant(db, actor, catalogue, params.tenant_id, body, expectedVersion)
    },
  }),
  route({
    method: 'get',
    path: '/v1/tenants/by-slug/{slug}',
    operation: 'getTenantBySlug',
    tag,
    summary: 'Get a tenant by its slug',
    description:
      'Answers the tenant with this slug, or that had it before: then `Content-Location` says where it is now.',
    scope: 'tenants:read',
    params: z.object({ slug: Slug.meta({ description: 'The slug of the tenant.' }) }),
    status: 200,
    response: Tenant,
    reduced: TenantSummary,
    etag: version,
    contentLocation: ({ slug }, { params }) => (slug === params.slug ? undefined : `/v1/tenants/by-slug/${slug}`),
    errors: ['tenant.not_found'],
    handle: ({ db, sight, params }) => getTenantBySlug(db, sight, params.slug),
  }),
  route({
    method: 'get',
    path: '/v1/tenants/by-erp-id/{erp_id}',
    operation: 'getTenantByErpId',
    tag,
    summary: 'Get a tenant by its ERP id',
    description:
      "Answers the tenant with this id in the ERP system. For the platform's own people: nobody else sees these ids.",
    scope: 'tenants:lookup',
    params: z.object({ erp_id: ErpId.meta({ description: 'The id in the ERP system.', examples: ['C-10042'] }) }),
    status: 200,
    response: Tenant,
    etag: version,
    errors: ['tenant.not_found'],
    handle: ({ db, sight, params }) => getTenantByErpId(db, sight, params.erp_id),
  }),
  route({
    method: 'get',
    path: '/v1/tenants/by-stripe-id/{stripe_id}',
    operation: 'getTenantByStripeId',
    tag,
    summary: 'Get a tenant by its Stripe id',
    description:
      "Answers the tenant with this customer id at Stripe. For the platform's own people: nobody else sees these ids.",
    scope: 'tenants:lookup',
    params: z.object({
      stripe_id: StripeId.meta({ description: 'The customer id at Stripe.', examples: ['cus_NffrFeUfNV2Hib'] }),
    }),
    status: 200,
    response: Tenant,
    etag: version,
    errors: ['tenant.not_found'],
    handle: ({ db, sight, params }) => getTenantByStripeId(db, sight, params.stripe_id),
  }),
]
