import type { Entitlement, Project, Tenant } from '../generated/schemas.gen.ts'

/** A tenant as it is kept: what follows from the time and from other things is worked out when it is shown. */
export type KeptTenant = Omit<Tenant, 'effective_status' | 'allowed_transitions' | 'products'>
export type KeptProject = Omit<Project, 'effective_status'>

/** For these reasons a frozen tenant may still read what is its own. */
const readable = /^(payment_overdue|customer_request|demo_expired|offboarding|duplicate|migration)$/

/** What changes of a tenant by time alone: a trial whose time is over is frozen. */
export function effective(tenant: KeptTenant, at: number) {
  const { status, trial_ends_at } = tenant
  if (status !== 'trial' || trial_ends_at === null || Date.parse(trial_ends_at) > at)
    return { ...tenant, effective_status: status }
  return {
    ...tenant,
    effective_status: 'frozen' as const,
    status_reason: 'trial_expired' as const,
    status_note: null,
    status_changed_at: trial_ends_at,
    status_changed_by: 'trial-end',
    frozen_from: 'trial' as const,
  }
}

/** What the state of a tenant leaves of its products. */
export function gateOf(tenant: KeptTenant, at: number): Pick<Entitlement, 'access' | 'reason'> | undefined {
  const { effective_status, status_reason } = effective(tenant, at)
  if (effective_status === 'archived') return { access: 'none', reason: 'tenant_archived' }
  if (effective_status !== 'frozen') return undefined
  if (status_reason === 'trial_expired') return { access: 'read_only', reason: 'trial_ended' }
  if (status_reason === 'contract_ended') return { access: 'read_only', reason: 'contract_ended' }
  return { access: readable.test(status_reason ?? '') ? 'read_only' : 'none', reason: 'tenant_frozen' }
}

/** A project as the registry shows it: in the state of its tenant, where that is worse. */
export function showProject(project: KeptProject, tenant: KeptTenant, at: number): Project {
  const { effective_status } = effective(tenant, at)
  const isWorse = effective_status === 'archived' || (effective_status === 'frozen' && project.status !== 'archived')
  return { ...project, effective_status: isWorse ? effective_status : project.status }
}
