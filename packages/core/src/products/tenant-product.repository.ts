import type { AuditedTx } from '../db/handles.ts'
import type { TenantId } from '../id.ts'

/** Gives a tenant a product. Answers false when it has it already. */
export async function insertTenantProduct(tx: AuditedTx, tenantId: TenantId, product: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('tenant_products')
    .values({ tenant_id: tenantId, product })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'product']).doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}
