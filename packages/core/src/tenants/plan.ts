import { RegistryError } from '../errors.ts'
import type { Catalogue } from '../products/catalogue.ts'

/**
 * Refuses a plan that no manifest knows. One that is stored and no longer known is an empty layer, not an error.
 * @throws {RegistryError} `tenant.plan_unknown`
 */
export function assertPlan(plan: string | null | undefined, catalogue: Catalogue): void {
  if (plan == null || catalogue.plans.has(plan)) return
  throw new RegistryError('tenant.plan_unknown', {
    violations: [{ pointer: '/plan', code: 'unknown', message: `one of ${[...catalogue.plans].sort().join(', ')}` }],
  })
}
