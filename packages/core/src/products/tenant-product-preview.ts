import { z } from 'zod'
import type { Actor } from '../audit/actor.ts'
import { rehearse } from '../audit/one-transaction.ts'
import type { Db } from '../db/handles.ts'
import { findFacts } from '../entitlements/entitlement.repository.ts'
import { Entitlement } from '../entitlements/entitlement.ts'
import { evaluate } from '../entitlements/evaluate.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import type { Catalogue } from './catalogue.ts'

/** What a change of terms would mean to the tenant. */
export const TenantProductPreview = z
  .object({
    before: Entitlement.meta({ description: 'What the tenant may do with the product now.' }),
    after: Entitlement.meta({ description: 'What it could do with it then.' }),
  })
  .meta({ id: 'TenantProductPreview', description: 'What a change would mean. Nothing was changed.' })
export type TenantProductPreview = z.output<typeof TenantProductPreview>

/**
 * What the tenant may do with a product before and after a change, without changing anything.
 * @param change the change: one of the verbs, on the database that it is given
 * @throws {RegistryError} `tenant.not_found`, and whatever the change throws
 * @example
 *   await previewTenantProduct(db, actor, catalogue, id, 'certifai', (unit) =>
 *     removeTenantProduct(unit, actor, catalogue, id, 'certifai'))
 */
export async function previewTenantProduct(
  db: Db,
  { sight }: Actor,
  { products }: Catalogue,
  tenantId: TenantId,
  product: string,
  change: (unit: Db) => Promise<unknown>,
): Promise<TenantProductPreview> {
  const at = new Date()
  return await rehearse(db, async (unit) => {
    const before = await entitlement(unit)
    await change(unit)
    return { before, after: await entitlement(unit) }
  })

  async function entitlement(unit: Db): Promise<Entitlement> {
    const [facts] = await findFacts(unit, sight, [{ tenant_id: tenantId, project_id: null, product }])
    if (!facts) throw new RegistryError('tenant.not_found')
    const [answer] = evaluate({ ...facts, products, product, at }).data
    if (!answer) throw new Error(`no answer for ${product}`)
    return answer
  }
}
