import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import { lockWritableTenant } from '../tenants/tenant-state.ts'
import type { Catalogue } from './catalogue.ts'
import { insertTenantProduct } from './tenant-product.repository.ts'

/**
 * Gives a tenant a product. Giving it again changes nothing and records nothing.
 * @throws {RegistryError} `product.unknown`, `tenant.not_found`, `tenant.frozen`, `tenant.archived`
 */
export async function assignProduct(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  product: string,
): Promise<void> {
  if (!catalogue.keys.has(product)) {
    throw new RegistryError('product.unknown', { detail: `There is no product ${JSON.stringify(product)}.` })
  }
  await audited(db, actor, async (tx) => {
    const { id, name } = await lockWritableTenant(tx, actor, tenantId)
    if (!(await insertTenantProduct(tx, tenantId, product))) return unchanged(undefined)
    return changed(undefined, {
      action: 'tenant_product.assigned',
      crud: 'c',
      tenant: { id, name },
      target: { id: product, type: 'product' },
      after: { product },
    })
  })
}
