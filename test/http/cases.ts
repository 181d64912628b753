import type { Route } from '@breakpilot/tenant-http'
import type { CallOptions } from '../server.ts'

/** How the server runs that a case is sent to. */
export type Mode = 'local' | 'oidc' | 'without database'

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
}

const id = '00000000-0000-0000-0000-000000000001'

/** What each operation needs, beside its path, to be answered well. `acme` is there. */
const good: Record<string, { readonly path: string } & CallOptions> = {
  getHealth: { path: '/healthz' },
  getReadiness: { path: '/readyz' },
  createTenant: { path: '/v1/tenants', json: { slug: 'made-by-a-case', name: 'Made by a case' } },
  listTenants: { path: '/v1/tenants?limit=1&status=active&kind=customer&plan=professional' },
  getTenant: { path: `/v1/tenants/${id}` },
  getTenantBySlug: { path: '/v1/tenants/by-slug/acme' },
  getTenantByErpId: { path: '/v1/tenants/by-erp-id/C%2F10042' },
  getTenantByStripeId: { path: '/v1/tenants/by-stripe-id/cus_1' },
  getEntitlements: { path: `/v1/tenants/${id}/entitlements?product=certifai&at=2027-01-01T00:00:00Z` },
  evaluateEntitlements: { path: '/v1/entitlements/evaluate', json: { items: [{ tenant_id: id }] } },
}

/** What only some operations can be answered with. */
const own: Record<string, readonly (CallOptions & { status: number; code: string; path?: string; title: string })[]> = {
  getReadiness: [],
  createTenant: [
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
  getTenant: [
    { title: 'an id of nobody', status: 404, code: 'tenant.not_found', path: `/v1/tenants/${id.replace(/1$/, '2')}` },
    { title: 'an id that is none', status: 400, code: 'request.invalid', path: '/v1/tenants/42' },
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
        { ...base, title: 'no credentials', mode: 'oidc', status: 401, code: 'auth.credentials_missing' },
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
          title: 'a good token without a role',
          mode: 'oidc',
          token: true,
          status: 403,
          code: 'auth.permission_denied',
        },
        { ...base, title: 'no database', mode: 'without database', status: 503, code: 'database.unavailable' },
      )
    }
    if (route.params) {
      const malformed = plainPath.replace(/[^/]+$/, '%zz')
      cases.push({ ...base, title: 'a malformed path', path: malformed, status: 400, code: 'request.path_malformed' })
    }
    if (route.body) {
      const { json: _, ...bare } = base
      const typed = { 'content-type': 'application/json' }
      cases.push(
        { ...bare, title: 'no body', status: 400, code: 'request.body_missing' },
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
          headers: { 'content-type': 'text/plain' },
          body: '{}',
          status: 415,
          code: 'request.content_type_unsupported',
        },
        {
          ...bare,
          title: 'another charset',
          headers: { 'content-type': 'application/json; charset=utf-16' },
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
          title: 'more than 256 KB',
          json: { name: 'x'.repeat(256 * 1024) },
          status: 413,
          code: 'request.body_too_large',
        },
      )
    }
    if (operation === 'getReadiness') {
      cases.push({ ...base, title: 'no database', mode: 'without database', status: 503, code: 'service.not_ready' })
    }
    return [...cases, ...(own[operation] ?? []).map((extra) => ({ ...base, ...extra }))]
  })
}
