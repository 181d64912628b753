import type { Actor } from '../audit/actor.ts'
import type { Change } from '../audit/audit-event.ts'
import type { AuditedTx, Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { allowedTransitions, effectiveOf } from './lifecycle.ts'
import { findTenant, lockTenant, type TenantRow, updateTenant } from './tenant.repository.ts'
import type { Tenant } from './tenant.ts'

/** Who writes down that a trial is over: nobody decided it, the time did. */
const trialEnd = { id: 'trial-end', name: 'End of trial', role: 'system' } as const

/** A tenant as it is at `at`: what it is now follows from what is stored and from the time. */
export function tenantAt(row: TenantRow, at: Date): Tenant {
  const { status, reason, changed_at } = effectiveOf(row, at)
  const ended = row.status !== status
  return {
    ...row,
    effective_status: status,
    // An open list: a reason of a later release is shown as it is.
    status_reason: reason as Tenant['status_reason'],
    status_changed_at: changed_at,
    ...(ended && { status_note: null, status_changed_by: trialEnd.id, frozen_from: row.status }),
    allowed_transitions: row.purge_requested_at === null ? allowedTransitions(row, at) : [],
  }
}

/** Refuses what was decided on an older version. `expected` is absent where the caller does not care. */
export function assertVersion(row: { readonly version: number }, expected: number | undefined): void {
  if (expected === undefined || expected === row.version) return
  throw new RegistryError('resource.version_stale', {
    detail: `You decided on version ${expected}, and version ${row.version} is the present one. Read it again.`,
    facts: { current_version: row.version },
  })
}

/** @throws {RegistryError} `tenant.not_found` */
export async function getSeen(db: Reader, sight: Sight, id: TenantId): Promise<TenantRow> {
  const row = await findTenant(db, sight, id)
  if (!row) throw new RegistryError('tenant.not_found')
  return row
}

/**
 * Locks a tenant that the actor sees.
 * @throws {RegistryError} `tenant.not_found`, `resource.version_stale`
 */
export async function lockSeen(
  tx: AuditedTx,
  actor: Actor,
  id: TenantId,
  expectedVersion?: number,
): Promise<TenantRow> {
  const row = await lockTenant(tx, actor.sight, id)
  if (!row) throw new RegistryError('tenant.not_found')
  assertVersion(row, expectedVersion)
  return row
}

/**
 * Locks a tenant whose own things the actor is about to change. A frozen tenant's own people may read, and the platform
 * may still put things in order; of an archived tenant nothing changes.
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`
 */
export async function lockWritableTenant(tx: AuditedTx, actor: Actor, id: TenantId): Promise<TenantRow> {
  const row = await lockSeen(tx, actor, id)
  const { status } = effectiveOf(row, new Date())
  if (status === 'archived') throw new RegistryError('tenant.archived')
  if (status === 'frozen' && actor.sight.kind === 'tenants') throw new RegistryError('tenant.frozen')
  return row
}

/**
 * Writes down that the trial of a locked tenant is over, if it is: whoever changes a tenant changes it from the state
 * that it is in, and the log says how it came there. Answers the row as it is then, and the event that is owed.
 */
export async function settleTrial(
  tx: AuditedTx,
  row: TenantRow,
  at: Date,
): Promise<{ readonly row: TenantRow; readonly changes: readonly Change[] }> {
  const { status, reason, changed_at } = effectiveOf(row, at)
  if (row.status === status) return { row, changes: [] }
  const frozen = await updateTenant(tx, row, {
    status,
    status_reason: reason,
    status_note: null,
    status_changed_at: changed_at,
    status_changed_by: trialEnd.id,
  })
  return { row: frozen, changes: [tenantChange('tenant.frozen', row, frozen, { actor: trialEnd })] }
}

/** The event of a change of a tenant. */
export function tenantChange(
  action: `tenant.${string}`,
  before: TenantRow,
  after: TenantRow,
  more: Pick<Change, 'actor' | 'note'> = {},
): Change {
  return {
    action,
    crud: 'u',
    tenant: { id: after.id, name: after.name },
    target: { id: after.id, type: 'tenant', name: after.name },
    before,
    after,
    ...more,
  }
}
