import type { Entitlement, Entitlements } from '../generated/schemas.gen.ts'
import { effective, gateOf, type KeptTenant } from './lifecycle.ts'
import { refuse } from './refusal.ts'
import type { GivenEntitlement, Store } from './store.ts'

const dayMs = 86_400_000

/** What to ask about. */
interface Query {
  readonly project_id?: string
  readonly product?: string
  readonly at?: string
}

/**
 * What a tenant may use: what was given, as far as the tenant's state and the end of its trial let it. Nothing else of
 * what the registry goes by is known here: plans, manifests, the dates of contracts.
 */
export function entitlementsOf(store: Store, tenant: KeptTenant, { project_id, product, at }: Query): Entitlements {
  const now = at === undefined ? store.now() : Date.parse(at)
  const project = project_id === undefined ? undefined : store.project(tenant.id, project_id)
  const isGiven = (key: string) => store.given(tenant.id, key) !== undefined
  if (product !== undefined && !store.products.has(product) && !isGiven(product)) refuse('invalid', 'product.unknown')
  const keys = product === undefined ? store.assignmentsOf(tenant.id).map((each) => each.product) : [product]
  const judge = (key: string, moment: number) =>
    judged(tenant, store.given(tenant.id, key), project?.status === 'archived', moment)

  const data = keys.map((key): Entitlement => {
    const given = store.given(tenant.id, key)
    const gate = judge(key, now)
    const closed = gate.access === 'none'
    const moments = [tenant.trial_ends_at, given?.valid_until ?? null].filter((each) => each !== null).sort(byTime)
    const changesAt = moments.find(
      (each) => Date.parse(each) > now && judge(key, Date.parse(each)).reason !== gate.reason,
    )
    return {
      product: key,
      ...gate,
      config: closed ? {} : (given?.config ?? {}),
      limits: closed ? {} : limitsOf(given),
      features: closed ? [] : [...(given?.features ?? [])],
      valid_until: changesAt ?? null,
      version: store.assignment(tenant.id, key)?.version ?? 0,
    }
  })
  const days = trialDays(tenant, now)
  const ends = [days?.until, ...data.map(({ valid_until }) => valid_until)].filter((each) => typeof each === 'string')
  return {
    tenant_id: tenant.id,
    project_id: project?.id ?? null,
    status: effective(tenant, now).effective_status,
    trial_days_left: days?.left ?? null,
    valid_until: ends.sort(byTime)[0] ?? null,
    data,
  }
}

const byTime = (one: string, other: string) => Date.parse(one) - Date.parse(other)
const rank: Readonly<Record<string, number>> = { full: 2, read_only: 1 }

type Gate = Pick<Entitlement, 'access' | 'reason'>

function judged(tenant: KeptTenant, given: GivenEntitlement | undefined, isArchived: boolean, at: number): Gate {
  const gates = [gateOf(tenant, at), gateOfGiven(given, at)]
  if (isArchived) gates.push({ access: 'none', reason: 'project_archived' })
  // The least access wins, and of two alike the first.
  return gates.reduce<Gate>(
    (least, gate) => (gate && (rank[gate.access] ?? 0) < (rank[least.access] ?? 0) ? gate : least),
    { access: 'full', reason: 'granted' },
  )
}

function gateOfGiven(given: GivenEntitlement | undefined, at: number): Gate {
  if (!given) return { access: 'none', reason: 'not_assigned' }
  const { access = 'full', reason, valid_until } = given
  if (valid_until && Date.parse(valid_until) <= at) return { access: 'none', reason: 'expired' }
  const usual = { full: 'granted', read_only: 'contract_ended', none: 'disabled' } as const
  return { access, reason: reason ?? usual[access] }
}

function limitsOf(given: GivenEntitlement | undefined): Entitlement['limits'] {
  const limits = Object.entries(given?.limits ?? {})
  return Object.fromEntries(limits.map(([name, value]) => [name, { value, source: 'tenant' }]))
}

/** The day that has begun counts. */
function trialDays({ status, trial_ends_at }: KeptTenant, now: number) {
  if (status !== 'trial' || trial_ends_at === null) return undefined
  const end = Date.parse(trial_ends_at)
  const left = Math.ceil((end - now) / dayMs)
  return left > 0 ? { left, until: new Date(end - (left - 1) * dayMs).toISOString() } : undefined
}
