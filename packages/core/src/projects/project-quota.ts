import { judgeProduct, granted } from '../entitlements/gates.ts'
import { planLayerOf, withLimits } from '../entitlements/layers.ts'
import type { Manifest } from '../products/manifest.ts'
import type { TenantProduct } from '../products/tenant-product.ts'

/**
 * How many projects a tenant may have at `at`: the largest limit `projects` of the products that it may use and that
 * have projects, infinite where none of them sets one. Undefined when it has no such product.
 */
export function projectQuota(
  plan: string | null,
  held: readonly TenantProduct[],
  products: ReadonlyMap<string, Manifest>,
  at: Date,
): number | undefined {
  const limits: (number | undefined)[] = []
  for (const assignment of held) {
    const manifest = products.get(assignment.product)
    if (!manifest?.supports_projects) continue
    if (judgeProduct(manifest, assignment, undefined, at.getTime()) !== granted) continue
    const { projects } = withLimits(planLayerOf(manifest, plan).limits, assignment.limits, 'tenant')
    limits.push(projects?.value)
  }
  if (limits.length === 0) return undefined
  const set = limits.filter((limit) => limit !== undefined)
  return set.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...set)
}
