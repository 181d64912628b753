import type { ListTenantsQuery } from '../generated/operations.gen.ts'
import type { EvaluationResult, Tenant } from '../generated/schemas.gen.ts'
import { entitlementsOf } from './entitlements.ts'
import type { FakeHandlers } from './handlers.ts'
import { verifiedKey } from './keys.ts'
import { effective, type KeptTenant, showProject } from './lifecycle.ts'
import { FakeRefusal, refuse } from './refusal.ts'
import type { Store } from './store.ts'

/** A tenant as the registry shows it. */
export function showTenant(store: Store, tenant: KeptTenant): Tenant {
  const shown = effective(tenant, store.now())
  const products = store.assignmentsOf(tenant.id).map(({ product }) => product)
  return { ...shown, products, allowed_transitions: ways[shown.effective_status] ?? [] }
}

/** Where a tenant can go. That a frozen one may also go on with its trial or be a demo again is left out. */
const ways: Readonly<Record<string, Tenant['allowed_transitions']>> = {
  demo: ['trial', 'active', 'frozen', 'archived'],
  trial: ['active', 'frozen', 'archived'],
  active: ['frozen'],
  frozen: ['active', 'archived'],
  archived: ['frozen'],
}

/** What the fake answers by itself: what products ask. */
export function answersOf(store: Store) {
  const find = (is: (tenant: KeptTenant) => boolean) =>
    showTenant(store, [...store.tenants.values()].find(is) ?? refuse('not_found', 'tenant.not_found'))

  return {
    getHealth: () => ({ status: 'ok' }),
    getReadiness: () => ({ status: 'ready', notes: [], audit_partitions_ahead: 12 }),
    listTenants: ({ args: { query = {} } }) => {
      const all = newestFirst(store.tenants.values()).map((tenant) => showTenant(store, tenant))
      return pageOf(all.filter(tenantFilter(query)), query)
    },
    getTenant: ({ args: { path } }) => showTenant(store, store.tenant(path.tenant_id)),
    getTenantBySlug: ({ args: { path } }) => {
      const all = [...store.tenants.values()]
      const formerId = all.some(({ slug }) => slug === path.slug) ? undefined : store.formerSlugs.get(path.slug)
      return find(({ id, slug }) => (formerId === undefined ? slug === path.slug : id === formerId))
    },
    getTenantByErpId: ({ args: { path } }) => find(({ erp_id }) => erp_id === path.erp_id),
    getTenantByStripeId: ({ args: { path } }) => find(({ stripe_id }) => stripe_id === path.stripe_id),
    listProjects: ({ args: { path, query = {} } }) => {
      const tenant = store.tenant(path.tenant_id)
      const own = newestFirst(store.projects.values()).filter(
        ({ tenant_id, status }) => tenant_id === tenant.id && (query.status ?? status) === status,
      )
      const page = pageOf(own, query)
      return { ...page, data: page.data.map((project) => showProject(project, tenant, store.now())) }
    },
    getProject: ({ args: { path } }) => {
      const tenant = store.tenant(path.tenant_id)
      return showProject(store.project(tenant.id, path.project_id), tenant, store.now())
    },
    listProducts: () => ({ data: [...store.products.values()], has_more: false, next_cursor: null }),
    getProduct: ({ args: { path } }) => store.products.get(path.product) ?? refuse('not_found', 'product.not_found'),
    listTenantProducts: ({ args: { path } }) => {
      const data = store.assignmentsOf(store.tenant(path.tenant_id).id)
      return { data, has_more: false, next_cursor: null }
    },
    getTenantProduct: ({ args: { path } }) =>
      store.assignment(store.tenant(path.tenant_id).id, path.product) ??
      refuse('not_found', 'tenant_product.not_found'),
    getEntitlements: ({ args: { path, query = {} } }) => entitlementsOf(store, store.tenant(path.tenant_id), query),
    evaluateEntitlements: ({ args: { body } }) => ({
      data: body.items.map((item): EvaluationResult => {
        const { tenant_id } = item
        try {
          return { tenant_id, entitlements: entitlementsOf(store, store.tenant(tenant_id), item), error: null }
        } catch (error) {
          if (!(error instanceof FakeRefusal)) throw error
          return { tenant_id, entitlements: null, error: error.code }
        }
      }),
    }),
    verifyApiKey: ({ args: { body } }) => verifiedKey(store, body),
    verifyApiKeys: ({ args: { body } }) => ({ data: body.items.map((item) => verifiedKey(store, item)) }),
    revokeLeakedApiKey: ({ args: { body } }) => {
      const found = store.keys.get(body.key)
      if (!found || found.revoked_at !== null) return
      store.keys.set(body.key, { ...found, revoked_at: store.time(), revoked_reason: 'compromised' })
      store.change('api_key', found.tenant_id, found.id)
    },
    listChanges: async ({ args: { query = {} }, signal }) => {
      const { after = store.forgottenTo, limit = 100, wait = 0 } = query
      if (after === store.changes.length && wait > 0) await store.next(wait * 1_000, signal)
      const head = store.changes.length
      if (after > head || after < store.forgottenTo) refuse('gone', 'changes.expired')
      const data = store.changes.slice(after, after + limit)
      const next_after = after + data.length
      return { data, has_more: next_after < head, next_after, head }
    },
  } satisfies Partial<FakeHandlers>
}

function newestFirst<Row extends { readonly created_at: string; readonly id: string }>(rows: Iterable<Row>): Row[] {
  const place = ({ created_at, id }: Row) => `${created_at} ${id}`
  return [...rows].sort((a, b) => (place(a) < place(b) ? 1 : -1))
}

/** @throws {TypeError} for a filter that the fake does not have, so that no test believes that it was heeded */
function tenantFilter({ limit: _, cursor: __, ...filter }: ListTenantsQuery): (tenant: Tenant) => boolean {
  const { status, kind, plan, product, sales_owner, sort, ...others } = filter
  if (sort !== undefined && sort !== '-created_at') Object.assign(others, { sort })
  const unknown = Object.keys(others)
  if (unknown.length > 0) {
    const why = `listTenants: the fake registry does not know ${unknown.join(', ')}`
    throw new TypeError(`${why}; give an answer with registry.answer('listTenants', …)`)
  }
  const wanted = Object.entries({ effective_status: status, kind, plan, sales_owner })
  return (tenant) =>
    wanted.every(([name, value]) => value === undefined || tenant[name as keyof Tenant] === value) &&
    (product === undefined || tenant.products.includes(product))
}

/** One page of a list. A cursor is good for the list that it is of, and says how much of that was before. */
function pageOf<Row>(rows: readonly Row[], { limit = 50, cursor, ...filter }: { limit?: number; cursor?: string }) {
  const list = encodeURIComponent(JSON.stringify(filter))
  const [of = list, start = '0'] = cursor?.split('~') ?? []
  if (of !== list || !/^\d+$/.test(start)) refuse('invalid', 'page.cursor_invalid')
  const end = Number(start) + limit
  const has_more = rows.length > end
  return { data: rows.slice(Number(start), end), has_more, next_cursor: has_more ? `${list}~${end}` : null }
}
