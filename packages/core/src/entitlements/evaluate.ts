import type { ProjectId, TenantId } from '../id.ts'
import type { JsonObject } from '../merge-patch.ts'
import type { Manifest } from '../products/manifest.ts'
import { effectiveOf } from '../tenants/lifecycle.ts'
import type { Entitlement, Entitlements } from './entitlement.ts'
import { type JudgedAssignment, type JudgedProject, type JudgedTenant } from './gates.ts'
import { nothing, planLayerOf, withConfig, withLimits } from './layers.ts'
import { endOf, type Phases, phasesOf, trialDays, verdictOn } from './phases.ts'

/** A tenant, as far as its entitlements follow from it. */
export interface EntitledTenant extends JudgedTenant {
  readonly id: TenantId
  readonly plan: string | null
}

/** A product that a tenant has, as far as its entitlements follow from it. */
export interface EntitledAssignment extends JudgedAssignment {
  readonly product: string
  readonly config: JsonObject
  readonly limits: JsonObject
  readonly version: number
}

/** The project that is asked about. */
export interface EntitledProject extends JudgedProject {
  readonly id: ProjectId
}

/** Everything that entitlements follow from. */
export interface Evaluation {
  readonly tenant: EntitledTenant
  /** In the order of the answer. */
  readonly assignments: readonly EntitledAssignment[]
  /** The products that there are, by their keys. */
  readonly products: ReadonlyMap<string, Manifest>
  readonly project?: EntitledProject | undefined
  /** Answers for this product alone, also when the tenant does not have it. */
  readonly product?: string | undefined
  readonly at: Date
}

/**
 * What a tenant may use at a moment. Nothing but the arguments goes into it, and nothing of them changes. Parts of the
 * answer are shared with other answers and frozen.
 */
export function evaluate(evaluation: Evaluation): Entitlements {
  const { tenant, assignments, project, product, at } = evaluation
  const phases = phasesOf(tenant, at)
  const days = trialDays(tenant, at)
  let valid_until = days?.until ?? null
  const data: Entitlement[] = []
  for (const assignment of assignments) {
    if (product !== undefined && assignment.product !== product) continue
    const entry = entitlementOf(evaluation, phases, assignment.product, assignment)
    data.push(entry)
    valid_until = earlier(valid_until, entry.valid_until)
  }
  if (product !== undefined && data.length === 0) {
    data.push(entitlementOf(evaluation, phases, product, undefined))
    valid_until = earlier(valid_until, data[0]?.valid_until ?? null)
  }
  return {
    tenant_id: tenant.id,
    project_id: project?.id ?? null,
    status: effectiveOf(tenant, at).status,
    trial_days_left: days?.left ?? null,
    valid_until,
    data,
  }
}

function entitlementOf(
  { tenant, products, project }: Evaluation,
  phases: Phases,
  product: string,
  assignment: EntitledAssignment | undefined,
): Entitlement {
  const manifest = products.get(product)
  const judged = { manifest, assignment, project }
  const verdict = verdictOn(judged, phases, phases[0].from)
  const { access, reason } = verdict
  const entry = {
    product,
    access,
    reason,
    config: nothing.config,
    limits: nothing.limits,
    features: nothing.features,
    valid_until: endOf(verdict, judged, phases),
    version: assignment?.version ?? 0,
  }
  if (access !== 'none' && manifest && assignment) {
    const layer = planLayerOf(manifest, tenant.plan)
    entry.config = withConfig(layer.config, assignment.config)
    entry.limits = withLimits(layer.limits, assignment.limits, 'tenant')
    entry.features = layer.features
  }
  return entry
}

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other
  return other.getTime() < one.getTime() ? other : one
}
