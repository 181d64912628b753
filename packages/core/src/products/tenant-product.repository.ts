import { sql } from 'kysely'
import type { AuditedTx, Reader } from '../db/handles.ts'
import type { TenantId } from '../id.ts'
import type { TenantProduct } from './tenant-product.ts'

const columns = [
  'tenant_id',
  'product',
  'enabled',
  'config',
  'limits',
  'valid_from',
  'valid_until',
  'source',
  'version',
  'created_at',
  'updated_at',
] as const

/** The terms of an assignment: what of it can be changed. */
export type Terms = Pick<TenantProduct, 'enabled' | 'config' | 'limits' | 'valid_from' | 'valid_until' | 'source'>

/** The products of a tenant, in alphabetical order of their keys. */
export async function listTenantProducts(db: Reader, tenantId: TenantId): Promise<TenantProduct[]> {
  return await db
    .selectFrom('tenant_products')
    .select(columns)
    .where('tenant_id', '=', tenantId)
    .orderBy(sql`product collate "C"`)
    .execute()
}

export async function findTenantProduct(
  db: Reader,
  tenantId: TenantId,
  product: string,
): Promise<TenantProduct | undefined> {
  return await db
    .selectFrom('tenant_products')
    .select(columns)
    .where('tenant_id', '=', tenantId)
    .where('product', '=', product)
    .executeTakeFirst()
}

/** Gives a tenant a product that it does not have. The transaction has locked the tenant. */
export async function insertTenantProduct(
  tx: AuditedTx,
  tenantId: TenantId,
  product: string,
  terms: Terms,
): Promise<TenantProduct> {
  return await tx
    .insertInto('tenant_products')
    .values({ tenant_id: tenantId, product, ...asStored(terms) })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Changes the terms of a product that a tenant has. The transaction has locked the tenant. */
export async function updateTenantProduct(
  tx: AuditedTx,
  tenantId: TenantId,
  product: string,
  terms: Terms,
): Promise<TenantProduct> {
  return await tx
    .updateTable('tenant_products')
    .set(asStored(terms))
    .where('tenant_id', '=', tenantId)
    .where('product', '=', product)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function deleteTenantProduct(tx: AuditedTx, tenantId: TenantId, product: string): Promise<void> {
  await tx.deleteFrom('tenant_products').where('tenant_id', '=', tenantId).where('product', '=', product).execute()
}

function asStored({ config, limits, ...terms }: Terms) {
  return { ...terms, config: JSON.stringify(config), limits: JSON.stringify(limits) }
}
