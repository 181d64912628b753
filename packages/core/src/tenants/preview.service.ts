import { countApiKeys } from '../api-keys/api-key.repository.ts'
import type { Actor } from '../audit/actor.ts'
import { rehearse } from '../audit/one-transaction.ts'
import type { Db } from '../db/handles.ts'
import { getEntitlements } from '../entitlements/entitlement.service.ts'
import type { TenantId } from '../id.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { countActiveProjects } from '../projects/project.repository.ts'
import { getTenant } from './tenant.service.ts'
import type { Tenant } from './tenant.ts'
import { type TransitionOptions, transitionTenant } from './transition.service.ts'
import type { Transition, TransitionPreview } from './transition.ts'

/**
 * Says what would follow from a transition: makes it, looks, and takes it back.
 * @throws {RegistryError} what `transitionTenant` throws
 */
export async function previewTransition(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  id: TenantId,
  transition: Transition,
  options: TransitionOptions = {},
): Promise<TransitionPreview> {
  return await rehearse(db, async (unit) => {
    const look = async (tenant: Tenant) => {
      const lives = ['demo', 'trial', 'active'].includes(tenant.effective_status)
      const projects = lives ? await countActiveProjects(unit, id) : 0
      const api_keys = lives ? await countApiKeys(unit, id, ['active']) : 0
      const { data } = await getEntitlements(unit, actor.sight, catalogue, id, {})
      return { products: data, projects, api_keys }
    }
    const before = await look(await getTenant(unit, actor.sight, id))
    const tenant = await transitionTenant(unit, actor, catalogue, id, transition, options)
    const after = await look(tenant)
    const was = new Map(before.products.map(({ product, access }) => [product, access]))
    return {
      tenant,
      products: after.products.map(({ product, access, reason }) => ({
        product,
        access_before: was.get(product) ?? 'none',
        access_after: access,
        reason_after: reason,
      })),
      projects: { active_before: before.projects, active_after: after.projects },
      api_keys: { verifying_before: before.api_keys, verifying_after: after.api_keys },
    }
  })
}
