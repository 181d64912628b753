import type { Actor } from '../audit/actor.ts'
import { audited, changed } from '../audit/audited.ts'
import type { Db, Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import { newTenantId, type TenantId } from '../id.ts'
import { decodeCursor, type Page, pageLimit, toPage } from '../page.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { isReserved, type Slug } from './slug.ts'
import * as tenants from './tenant.repository.ts'
import type { NewTenant, Tenant, TenantQuery } from './tenant.ts'

/**
 * Creates a tenant.
 * @throws {RegistryError} `tenant.slug_reserved`, `tenant.plan_required`, `tenant.plan_unknown`, and `tenant.…_taken`
 *   for the slug and the ids that no two tenants share.
 * @example
 *   const tenant = await createTenant(db, actor, catalogue, NewTenant.parse({ slug: 'acme', name: 'Acme Inc.' }))
 */
export async function createTenant(db: Db, actor: Actor, catalogue: Catalogue, input: NewTenant): Promise<Tenant> {
  if (isReserved(input.slug, catalogue.keys)) {
    throw new RegistryError('tenant.slug_reserved', {
      detail: `The slug ${input.slug} is a word of the platform's own.`,
    })
  }
  const status = input.status ?? (input.kind === 'demo' ? 'demo' : 'trial')
  if (status === 'active' && input.plan == null) throw new RegistryError('tenant.plan_required')
  if (input.plan != null && !catalogue.plans.has(input.plan)) {
    throw new RegistryError('tenant.plan_unknown', {
      violations: [{ pointer: '/plan', code: 'unknown', message: `one of ${[...catalogue.plans].sort().join(', ')}` }],
    })
  }
  const tenant = { ...input, status, kind: input.kind ?? (status === 'demo' ? 'demo' : 'customer') }
  return await audited(db, actor, async (tx) => {
    const created = await tenants.insertTenant(tx, input.id ?? newTenantId(), tenant)
    return changed(created, {
      action: 'tenant.created',
      crud: 'c',
      tenant: { id: created.id, name: created.name },
      target: { id: created.id, type: 'tenant', name: created.name },
      after: created,
    })
  })
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getTenant(db: Reader, id: TenantId): Promise<Tenant> {
  return found(await tenants.findTenant(db, id))
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getTenantBySlug(db: Reader, slug: Slug): Promise<Tenant> {
  return found(await tenants.findTenantBySlug(db, slug))
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getTenantByErpId(db: Reader, erpId: string): Promise<Tenant> {
  return found(await tenants.findTenantByErpId(db, erpId))
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getTenantByStripeId(db: Reader, stripeId: string): Promise<Tenant> {
  return found(await tenants.findTenantByStripeId(db, stripeId))
}

/**
 * One page of tenants, newest first.
 * @throws {RegistryError} `page.cursor_invalid`
 */
export async function listTenants(db: Reader, query: TenantQuery): Promise<Page<Tenant>> {
  const { limit = pageLimit.default, cursor, ...filter } = query
  const after = cursor === undefined ? undefined : decodeCursor('tenants', filter, cursor)
  const rows = await tenants.listTenants(db, filter, limit + 1, after)
  return toPage(rows, limit, 'tenants', filter)
}

function found(tenant: Tenant | undefined): Tenant {
  if (!tenant) throw new RegistryError('tenant.not_found')
  return tenant
}
