import type { Actor } from '../audit/actor.ts'
import type { Change } from '../audit/audit-event.ts'
import { audited, type Outcome } from '../audit/audited.ts'
import type { AuditedTx, Db } from '../db/handles.ts'
import { invalidAt, RegistryError } from '../errors.ts'
import type { ProjectId, TenantId } from '../id.ts'
import { mergePatch } from '../merge-patch.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { listTenantProducts } from '../products/tenant-product.repository.ts'
import { effectiveOf } from '../tenants/lifecycle.ts'
import { assertVersion, lockWritableTenant } from '../tenants/tenant-state.ts'
import type { TenantRow } from '../tenants/tenant.repository.ts'
import { projectQuota } from './project-quota.ts'
import * as projects from './project.repository.ts'
import { effectiveProjectStatus, labelsMax, type Project, type ProjectChanges } from './project.ts'

/**
 * Locks the tenant, and with it all of its projects: whoever changes one of them comes by here.
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `project.not_found`,
 *   `resource.version_stale`
 */
export async function onProject(
  db: Db,
  actor: Actor,
  tenantId: TenantId,
  id: ProjectId,
  expectedVersion: number | undefined,
  change: (tx: AuditedTx, tenant: TenantRow, stored: projects.ProjectRow) => Promise<Outcome<Project>>,
): Promise<Project> {
  return await audited(db, actor, async (tx) => {
    const tenant = await lockWritableTenant(tx, actor, tenantId)
    const stored = await projects.findProject(tx, tenantId, id)
    if (!stored) throw new RegistryError('project.not_found')
    assertVersion(stored, expectedVersion)
    return await change(tx, tenant, stored)
  })
}

/**
 * Refuses one more active project where none may be. The lock on the tenant keeps the count true.
 * @throws {RegistryError} `project.not_supported`, `project.quota_exceeded`
 */
export async function assertRoom(
  tx: AuditedTx,
  { products }: Catalogue,
  { id, plan, ...tenant }: TenantRow,
): Promise<void> {
  const quota = projectQuota(plan, await listTenantProducts(tx, id), products, new Date())
  if (quota === undefined) {
    throw new RegistryError('project.not_supported', {
      detail: `The tenant has ${tenant.products.join(', ') || 'no product'}; none that it may use now has projects.`,
      facts: { products: tenant.products },
    })
  }
  const count = await projects.countActiveProjects(tx, id)
  if (count < quota) return
  throw new RegistryError('project.quota_exceeded', {
    detail: `The tenant has ${count} active projects and may have ${quota}. Archive one, or raise the limit.`,
  })
}

/** A project as it is now. */
export function projectAt(row: projects.ProjectRow, tenant: TenantRow): Project {
  return { ...row, effective_status: effectiveProjectStatus(row.status, effectiveOf(tenant, new Date()).status) }
}

/** @throws {RegistryError} `request.invalid` when there would be too many */
export function patchedLabels(stored: Record<string, string>, patch: ProjectChanges['labels']): Record<string, string> {
  if (patch === undefined) return stored
  const labels = patch === null ? {} : (mergePatch(stored, patch) as Record<string, string>)
  if (Object.keys(labels).length > labelsMax) throw invalidAt('/labels', `must not have more than ${labelsMax} names`)
  return labels
}

/** The event of a change of a project. */
export function changeOf(
  action: `project.${string}`,
  { id, name }: TenantRow,
  before: projects.ProjectRow | undefined,
  after: projects.ProjectRow,
): Change {
  return {
    action,
    crud: before ? 'u' : 'c',
    tenant: { id, name },
    target: { id: after.id, type: 'project', name: after.name },
    ...(before && { before: withoutTenant(before) }),
    after: withoutTenant(after),
  }
}

const withoutTenant = ({ tenant_id: _, ...row }: projects.ProjectRow) => row
