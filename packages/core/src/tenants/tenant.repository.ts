import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import { onConstraint } from '../db/constraint.ts'
import type { AuditedTx, Reader } from '../db/handles.ts'
import { type Param, prepared } from '../db/prepared.ts'
import type { Schema } from '../db/schema.ts'
import type { TenantId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Slug } from './slug.ts'
import type { NewTenant, Tenant, TenantQuery } from './tenant.ts'

const tenantColumns = [
  'id',
  'slug',
  'name',
  'status',
  'kind',
  'plan',
  'erp_id',
  'stripe_id',
  'trial_ends_at',
  'contract_starts_at',
  'contract_ends_at',
  'sales_owner',
  'created_at',
  'updated_at',
] as const

/** The keys of the tenant's products, in alphabetical order. */
const products = sql<string[]>`array(
  select product from tenant_products where tenant_products.tenant_id = tenants.id order by product collate "C"
)`.as('products')

const eb = expressionBuilder<Schema, 'tenants'>()

/** Tenants as everybody sees them, with their products. */
function selectTenants(db: Reader) {
  return db.selectFrom('tenants').select(tenantColumns).select(products)
}

const byId = prepared('tenant_by_id', (db, id: Param<TenantId>) => selectTenants(db).where('id', '=', id))
const bySlug = prepared('tenant_by_slug', (db, slug: Param<Slug>) => selectTenants(db).where('slug', '=', slug))
const byErpId = prepared('tenant_by_erp_id', (db, id: Param<string>) => selectTenants(db).where('erp_id', '=', id))
const byStripeId = prepared('tenant_by_stripe_id', (db, id: Param<string>) =>
  selectTenants(db).where('stripe_id', '=', id),
)

export async function findTenant(db: Reader, id: TenantId): Promise<Tenant | undefined> {
  return (await byId(db, id))[0]
}

export async function findTenantBySlug(db: Reader, slug: Slug): Promise<Tenant | undefined> {
  return (await bySlug(db, slug))[0]
}

export async function findTenantByErpId(db: Reader, erpId: string): Promise<Tenant | undefined> {
  return (await byErpId(db, erpId))[0]
}

export async function findTenantByStripeId(db: Reader, stripeId: string): Promise<Tenant | undefined> {
  return (await byStripeId(db, stripeId))[0]
}

/** What a list of tenants can be narrowed by. */
export type TenantFilter = Pick<TenantQuery, 'status' | 'kind' | 'plan'>

/** Tenants, newest first, from the one after `after` on. */
export async function listTenants(
  db: Reader,
  filter: TenantFilter,
  limit: number,
  after?: Position,
): Promise<Tenant[]> {
  const conditions: Expression<SqlBool>[] = []
  if (filter.status !== undefined) conditions.push(eb('status', '=', filter.status))
  if (filter.kind !== undefined) conditions.push(eb('kind', '=', filter.kind))
  if (filter.plan !== undefined) conditions.push(eb('plan', '=', filter.plan))
  if (after) conditions.push(sql<SqlBool>`(created_at, id) < (${after.created_at}, ${after.id}::uuid)`)
  return await selectTenants(db)
    .where(eb.and(conditions))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/**
 * Inserts a tenant; it has no products yet.
 * @throws {RegistryError} `tenant.slug_taken`, `tenant.erp_id_taken`, `tenant.stripe_id_taken`, `tenant.id_taken`
 */
export async function insertTenant(tx: AuditedTx, id: TenantId, tenant: NewTenant): Promise<Tenant> {
  const row = await tx
    .insertInto('tenants')
    .values({ ...tenant, id })
    .returning(tenantColumns)
    .executeTakeFirstOrThrow()
    .catch(
      onConstraint({
        tenants_pkey: 'tenant.id_taken',
        tenants_slug_key: 'tenant.slug_taken',
        tenants_erp_id_key: 'tenant.erp_id_taken',
        tenants_stripe_id_key: 'tenant.stripe_id_taken',
      }),
    )
  return { ...row, products: [] }
}

/**
 * Locks the tenant until the transaction ends, so that what is judged of it stays so. Rows that refer to it can still be
 * inserted meanwhile: nothing here changes its id.
 */
export async function lockTenant(
  tx: AuditedTx,
  id: TenantId,
): Promise<{ readonly id: TenantId; readonly name: string } | undefined> {
  return await tx.selectFrom('tenants').select(['id', 'name']).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
}
