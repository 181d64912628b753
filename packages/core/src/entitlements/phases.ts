import type { Manifest } from '../products/manifest.ts'
import {
  isUnderContract,
  type JudgedAssignment,
  type JudgedProject,
  type JudgedTenant,
  judgeProduct,
  judgeTenant,
  narrower,
  type Verdict,
} from './gates.ts'

/** What the gates of a tenant say from some moment on. */
interface Phase {
  readonly from: number
  readonly verdict: Verdict
}

/** What the gates of a tenant will say, by time alone, in the order of time. The first phase is the present. */
export type Phases = readonly [Phase, ...Phase[]]

/** The phases of a tenant from `at` on. */
export function phasesOf(tenant: JudgedTenant, at: Date): Phases {
  const phases: [Phase, ...Phase[]] = [{ from: at.getTime(), verdict: judgeTenant(tenant, at) }]
  if (tenant.status === 'trial') addPhase(phases, tenant, tenant.trial_ends_at)
  if (isUnderContract(tenant)) {
    addPhase(phases, tenant, tenant.contract_starts_at)
    addPhase(phases, tenant, tenant.contract_ends_at)
    if (phases.length > 2) phases.sort((a, b) => a.from - b.from)
  }
  return phases
}

function addPhase(phases: [Phase, ...Phase[]], tenant: JudgedTenant, moment: Date | null): void {
  if (moment === null || moment.getTime() <= phases[0].from) return
  phases.push({ from: moment.getTime(), verdict: judgeTenant(tenant, moment) })
}

function verdictAt(phases: Phases, moment: number): Verdict {
  let { verdict } = phases[0]
  for (const phase of phases) {
    if (phase.from > moment) break
    verdict = phase.verdict
  }
  return verdict
}

/** What is known of one product, as far as its gates follow from it. */
export interface JudgedProduct {
  readonly manifest: Manifest | undefined
  readonly assignment: JudgedAssignment | undefined
  readonly project: JudgedProject | undefined
}

/** What all gates of a product say at a moment. */
export function verdictOn(product: JudgedProduct, phases: Phases, at: number): Verdict {
  return narrower(verdictAt(phases, at), judgeProduct(product.manifest, product.assignment, product.project, at))
}

/**
 * The first moment after the present at which the verdict is another one, or null. Nothing changes but where a phase of
 * the tenant begins and at the edges of the assignment's window, so only these moments are looked at.
 */
export function endOf(verdict: Verdict, product: JudgedProduct, phases: Phases): Date | null {
  let end = Number.POSITIVE_INFINITY
  for (const { from } of phases) if (changesAt(from)) end = from
  const { valid_from, valid_until } = product.assignment ?? {}
  if (valid_from && changesAt(valid_from.getTime())) end = valid_from.getTime()
  if (valid_until && changesAt(valid_until.getTime())) end = valid_until.getTime()
  return end === Number.POSITIVE_INFINITY ? null : new Date(end)

  function changesAt(moment: number): boolean {
    return moment > phases[0].from && moment < end && verdictOn(product, phases, moment) !== verdict
  }
}

const dayMs = 86_400_000

/** The days that are left of a trial at `at`, the one that has begun counted whole, and when that number falls. */
export function trialDays(tenant: JudgedTenant, at: Date): { readonly left: number; readonly until: Date } | undefined {
  if (tenant.status !== 'trial' || tenant.trial_ends_at === null) return undefined
  const end = tenant.trial_ends_at.getTime()
  const left = Math.ceil((end - at.getTime()) / dayMs)
  return left > 0 ? { left, until: new Date(end - (left - 1) * dayMs) } : undefined
}
