import { type SqlBool, sql } from 'kysely'
import { onConstraint } from '../db/constraint.ts'
import type { AuditedTx, Reader } from '../db/handles.ts'
import { type Param, prepared } from '../db/prepared.ts'
import { platformTenant, type TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import type { Slug } from './slug.ts'
import type { NewTenant } from './tenant.ts'

/** What there is to read of a tenant. */
export const tenantColumns = [
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
  'status_reason',
  'status_note',
  'status_changed_at',
  'status_changed_by',
  'frozen_from',
  'keys_valid_after',
  'key_policy',
  'archived_at',
  'purge_after',
  'purge_requested_at',
  'deletion_protection',
  'metadata',
  'version',
  'created_at',
  'updated_at',
] as const

/** The keys of the tenant's products, in alphabetical order. */
export const products = sql<string[]>`array(
  select product from tenant_products where tenant_products.tenant_id = tenants.id order by product collate "C"
)`.as('products')

/** Tenants as they are stored, with their products. */
function selectTenants(db: Reader) {
  return db.selectFrom('tenants').select(tenantColumns).select(products)
}

/** A tenant as it is stored: what it is now also depends on the time. */
export type TenantRow = Awaited<ReturnType<ReturnType<typeof selectTenants>['execute']>>[number]

/**
 * A sight as the parameters of a prepared read. `product` is empty, and `ids` null, where the kind has none.
 */
type SightParams = readonly [owner: boolean, ids: readonly TenantId[] | null, product: string | null]

/** The parameters of a sight, in the order of `visible`. */
export function sightParams(sight: Sight): SightParams {
  return [
    sight.kind === 'platform' && sight.owner,
    sight.kind === 'tenants' ? sight.tenantIds : null,
    sight.kind === 'product' ? sight.product : null,
  ]
}

/**
 * Whether a row of `tenants` is in sight. One text for every kind of sight, so that a prepared read is one statement.
 * A list says only what its sight needs (`inSight` in tenant-list.repository.ts), and has to say the same.
 */
export function visible(
  owner: Param<boolean> | boolean,
  ids: Param<readonly TenantId[] | null> | readonly TenantId[] | null,
  product: Param<string | null> | string | null,
) {
  return sql<SqlBool>`(
    tenants.id <> ${sql.lit(platformTenant)}
    and (tenants.purge_requested_at is null or ${owner}::boolean)
    and (${ids}::uuid[] is null or (tenants.id = any(${ids}::uuid[]) and tenants.status <> 'archived'))
    and (${product}::text is null or exists (
      select from tenant_products where tenant_products.tenant_id = tenants.id and tenant_products.product = ${product}::text
    ))
  )`
}

type Owner = Param<boolean>
type Ids = Param<readonly TenantId[] | null>
type Product = Param<string | null>

const byId = prepared('tenant_by_id', (db, id: Param<TenantId>, owner: Owner, ids: Ids, product: Product) =>
  selectTenants(db)
    .where('id', '=', id)
    .where(() => visible(owner, ids, product)),
)
/** By a name of now or of before: the namespace knows both. */
const bySlug = prepared('tenant_by_slug', (db, slug: Param<Slug>, owner: Owner, ids: Ids, product: Product) =>
  selectTenants(db)
    .where('id', '=', sql<TenantId>`(select tenant_id from registry.slugs where slugs.slug = ${slug})`)
    .where(() => visible(owner, ids, product)),
)
const byErpId = prepared('tenant_by_erp_id', (db, erpId: Param<string>, owner: Owner, ids: Ids, product: Product) =>
  selectTenants(db)
    .where('erp_id', '=', erpId)
    .where(() => visible(owner, ids, product)),
)
const byStripeId = prepared(
  'tenant_by_stripe_id',
  (db, stripeId: Param<string>, owner: Owner, ids: Ids, product: Product) =>
    selectTenants(db)
      .where('stripe_id', '=', stripeId)
      .where(() => visible(owner, ids, product)),
)

export async function findTenant(db: Reader, sight: Sight, id: TenantId): Promise<TenantRow | undefined> {
  return (await byId(db, id, ...sightParams(sight)))[0]
}

export async function findTenantBySlug(db: Reader, sight: Sight, slug: Slug): Promise<TenantRow | undefined> {
  return (await bySlug(db, slug, ...sightParams(sight)))[0]
}

export async function findTenantByErpId(db: Reader, sight: Sight, erpId: string): Promise<TenantRow | undefined> {
  return (await byErpId(db, erpId, ...sightParams(sight)))[0]
}

export async function findTenantByStripeId(db: Reader, sight: Sight, id: string): Promise<TenantRow | undefined> {
  return (await byStripeId(db, id, ...sightParams(sight)))[0]
}

/** The platform's own tenant, which is in nobody's sight. */
export async function findPlatformTenant(db: Reader): Promise<TenantRow | undefined> {
  return await selectTenants(db)
    .where('id', '=', platformTenant as TenantId)
    .executeTakeFirst()
}

/** Locks it, for those who change its keys. */
export async function lockPlatformTenant(tx: AuditedTx): Promise<void> {
  await tx
    .selectFrom('tenants')
    .select('id')
    .where('id', '=', platformTenant as TenantId)
    .forNoKeyUpdate()
    .execute()
}

const takenBy = {
  tenants_pkey: 'tenant.id_taken',
  retired_ids_pkey: 'tenant.id_retired',
  tenants_slug_key: 'tenant.slug_taken',
  slugs_pkey: 'tenant.slug_taken',
  tenants_erp_id_key: 'tenant.erp_id_taken',
  tenants_stripe_id_key: 'tenant.stripe_id_taken',
  tenants_plan_check: 'tenant.plan_required',
  tenants_transition_check: 'tenant.transition_illegal',
} as const

/**
 * Inserts a tenant; it has no products yet.
 * @throws {RegistryError} `tenant.slug_taken`, `tenant.erp_id_taken`, `tenant.stripe_id_taken`, `tenant.id_taken`,
 *   `tenant.id_retired`
 */
export async function insertTenant(
  tx: AuditedTx,
  id: TenantId,
  tenant: Omit<NewTenant, 'id' | 'reserved_slug_reason' | 'metadata' | 'key_policy'> & {
    readonly metadata?: string
    readonly key_policy?: string
    readonly status_changed_by: string
  },
): Promise<TenantRow> {
  const row = await tx
    .insertInto('tenants')
    .values({ ...tenant, id })
    .returning(tenantColumns)
    .executeTakeFirstOrThrow()
    .catch(onConstraint(takenBy))
  return { ...row, products: [] }
}

/**
 * Locks the tenant until the transaction ends, so that what is judged of it stays so. Rows that refer to it can still be
 * inserted meanwhile: nothing here changes its id. It is read by a statement of its own, once it is locked: one that
 * waits for a lock sees the row of afterwards, and of every other table what was there before it waited.
 */
export async function lockTenant(tx: AuditedTx, sight: Sight, id: TenantId): Promise<TenantRow | undefined> {
  const locked = await tx
    .selectFrom('tenants')
    .select('id')
    .where('id', '=', id)
    .where(() => visible(...sightParams(sight)))
    .forNoKeyUpdate()
    .executeTakeFirst()
  return locked && (await findTenant(tx, sight, id))
}

/** The columns of a tenant that change. */
export type TenantUpdate = Partial<
  Omit<TenantRow, 'id' | 'products' | 'version' | 'created_at' | 'updated_at' | 'metadata' | 'key_policy'>
> & {
  readonly metadata?: string
  readonly key_policy?: string
  readonly keys_revoked_reason?: string
  readonly purge_requested_by?: string
}

/**
 * Changes a tenant that the transaction has locked.
 * @throws {RegistryError} `tenant.slug_taken`, `tenant.erp_id_taken`, `tenant.stripe_id_taken`, `tenant.plan_required`
 */
export async function updateTenant(tx: AuditedTx, tenant: TenantRow, update: TenantUpdate): Promise<TenantRow> {
  const row = await tx
    .updateTable('tenants')
    .set(update)
    .where('id', '=', tenant.id)
    .returning(tenantColumns)
    .executeTakeFirstOrThrow()
    .catch(onConstraint(takenBy))
  return { ...row, products: tenant.products }
}

/** Locks trials that ended at `at` or before and are not yet written down as frozen, leaving out those that others hold. */
export async function lockEndedTrials(tx: AuditedTx, at: Date, rowsMax: number): Promise<TenantRow[]> {
  const locked = await tx
    .selectFrom('tenants')
    .select('id')
    .where('status', '=', 'trial')
    .where('trial_ends_at', '<=', at)
    .orderBy('trial_ends_at')
    .limit(rowsMax)
    .forNoKeyUpdate()
    .skipLocked()
    .execute()
  if (locked.length === 0) return []
  const ids = locked.map(({ id }) => id)
  return await selectTenants(tx)
    .where('id', '=', sql<TenantId>`any(${ids}::uuid[])`)
    .orderBy('trial_ends_at')
    .execute()
}
