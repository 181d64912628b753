import type { Manifest } from '../products/manifest.ts'
import { effectiveOf, type StoredState } from '../tenants/lifecycle.ts'
import type { TenantStatus } from '../tenants/status.ts'
import type { Access, EntitlementReason } from './entitlement.ts'

/** What is known of a tenant, as far as entitlements follow from it. */
export interface JudgedTenant extends StoredState {
  /** What it was frozen out of, while it is frozen. */
  readonly frozen_from: TenantStatus | null
  readonly contract_starts_at: Date | null
  readonly contract_ends_at: Date | null
}

/** What is known of the assignment of a product to a tenant. */
export interface JudgedAssignment {
  readonly enabled: boolean
  readonly valid_from: Date | null
  readonly valid_until: Date | null
}

/** What is known of a project. */
export interface JudgedProject {
  readonly status: 'active' | 'archived'
}

/** How far the gates are open, and why. There is one object for each, so that two can be compared by identity. */
export interface Verdict {
  readonly access: Access
  readonly reason: EntitlementReason
}

const verdict = (access: Access, reason: EntitlementReason): Verdict => Object.freeze({ access, reason })

export const granted = verdict('full', 'granted')
const trialEnded = verdict('read_only', 'trial_ended')
const contractEnded = verdict('read_only', 'contract_ended')
const frozen = verdict('read_only', 'tenant_frozen')
const shutOut = verdict('none', 'tenant_frozen')
const tenantArchived = verdict('none', 'tenant_archived')
const notYetValid = verdict('none', 'not_yet_valid')
const retired = verdict('none', 'product_retired')
const notAssigned = verdict('none', 'not_assigned')
const disabled = verdict('none', 'disabled')
const expired = verdict('none', 'expired')
const projectArchived = verdict('none', 'project_archived')

/**
 * What a frozen tenant still may, by the reason it was frozen for. Where it is about money or a contract, its people
 * can read what is theirs. Every other reason (security, abuse, the law, one that a later release knows) shuts all out.
 */
const frozenFor: ReadonlyMap<string | null, Verdict> = new Map([
  ['trial_expired', trialEnded],
  ['contract_ended', contractEnded],
  ['payment_overdue', frozen],
  ['customer_request', frozen],
  ['demo_expired', frozen],
  ['offboarding', frozen],
  ['duplicate', frozen],
  ['migration', frozen],
])

/** The gates that all products of a tenant stand behind: its state and trial, then the dates of its contract. */
export function judgeTenant(tenant: JudgedTenant, at: Date): Verdict {
  const { status, reason } = effectiveOf(tenant, at)
  if (status === 'demo' || status === 'trial') return granted
  if (status === 'archived') return tenantArchived
  const state = status === 'active' ? granted : (frozenFor.get(reason) ?? shutOut)
  return isUnderContract(tenant) ? narrower(state, judgeContract(tenant, at.getTime())) : state
}

/**
 * Whether the dates of the contract count: they say nothing about a trial or a demo, also when that is frozen. Being
 * frozen must not open what was closed before the contract begins.
 */
export function isUnderContract({ status, frozen_from }: JudgedTenant): boolean {
  return status === 'active' || (status === 'frozen' && frozen_from === 'active')
}

function judgeContract({ contract_starts_at, contract_ends_at }: JudgedTenant, at: number): Verdict {
  if (isAfter(contract_starts_at, at)) return notYetValid
  return isReached(contract_ends_at, at) ? contractEnded : granted
}

/** The gates of one product: its own state, its assignment and that one's window, then the project. */
export function judgeProduct(
  manifest: Manifest | undefined,
  assignment: JudgedAssignment | undefined,
  project: JudgedProject | undefined,
  at: number,
): Verdict {
  if (manifest?.status !== 'active') return retired
  const assigned = judgeAssignment(assignment, at)
  if (assigned !== granted) return assigned
  return project?.status === 'archived' ? projectArchived : granted
}

/** The gates of an assignment alone, whatever became of its product: whether it is there, switched on, and its window. */
export function judgeAssignment(assignment: JudgedAssignment | undefined, at: number): Verdict {
  if (!assignment) return notAssigned
  if (!assignment.enabled) return disabled
  if (isAfter(assignment.valid_from, at)) return notYetValid
  return isReached(assignment.valid_until, at) ? expired : granted
}

const width: Record<Access, number> = { full: 2, read_only: 1, none: 0 }

/** The least access wins; where two are alike, the one that is asked first says why. */
export function narrower(first: Verdict, second: Verdict): Verdict {
  return width[second.access] < width[first.access] ? second : first
}

/** A moment is reached at that very instant. */
const isReached = (moment: Date | null, at: number): boolean => moment !== null && moment.getTime() <= at
const isAfter = (moment: Date | null, at: number): boolean => moment !== null && moment.getTime() > at
