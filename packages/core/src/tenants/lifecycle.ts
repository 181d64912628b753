import type { TenantKind, TenantStatus } from './status.ts'

/** Why a tenant changes its state: the closed list that reports are made of. */
export const transitionReasons = [
  'trial_expired',
  'converted',
  'contract_signed',
  'payment_overdue',
  'contract_ended',
  'customer_request',
  'security_incident',
  'abuse',
  'legal_hold',
  'duplicate',
  'demo_expired',
  'offboarding',
  'reinstated',
  'restored',
  'migration',
] as const

/** What the state of a tenant at some moment follows from. */
export interface StoredState {
  readonly status: TenantStatus
  readonly status_reason: string | null
  readonly status_changed_at: Date
  readonly trial_ends_at: Date | null
}

/** The state that a tenant is in at some moment. */
export interface EffectiveState {
  readonly status: TenantStatus
  readonly reason: string | null
  readonly changed_at: Date
}

/**
 * The state of a tenant at `at`. A trial whose time is over is frozen from that very instant on, whether the sweeper
 * has written it down or not; everybody who judges a tenant asks here.
 */
export function effectiveOf(tenant: StoredState, at: Date): EffectiveState {
  const { status, status_reason: reason, status_changed_at: changed_at, trial_ends_at: end } = tenant
  if (status === 'trial' && end !== null && end.getTime() <= at.getTime()) {
    return { status: 'frozen', reason: 'trial_expired', changed_at: end }
  }
  return { status, reason, changed_at }
}

/** What says where a tenant can go from here. */
export interface Crossroads extends StoredState {
  readonly kind: TenantKind
  /** What it was frozen, or archived, out of. */
  readonly frozen_from: TenantStatus | null
}

/** Where a tenant can go from a state; out of `frozen` it also depends on what it was frozen out of. */
const onwards = {
  demo: ['trial', 'active', 'frozen', 'archived'],
  trial: ['active', 'frozen', 'archived'],
  active: ['frozen'],
  archived: ['frozen'],
} as const satisfies Record<Exclude<TenantStatus, 'frozen'>, readonly TenantStatus[]>

/**
 * The states that a tenant can go to at `at`, in the order of a tenant's life. The trigger `tenants_keep_lifecycle`
 * holds the same table. Whether it has the plan that `active` needs is not asked here: a transition can bring one.
 */
export function allowedTransitions(tenant: Crossroads, at: Date): TenantStatus[] {
  const { status } = effectiveOf(tenant, at)
  if (status !== 'frozen') return [...onwards[status]]
  const from = tenant.status === 'trial' ? 'trial' : tenant.frozen_from
  const timeIsLeft = tenant.trial_ends_at === null || tenant.trial_ends_at.getTime() > at.getTime()
  return [
    ...(tenant.kind === 'demo' ? (['demo'] as const) : []),
    ...(from === 'trial' && timeIsLeft ? (['trial'] as const) : []),
    'active',
    'archived',
  ]
}
