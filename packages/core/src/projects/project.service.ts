import { isDeepStrictEqual } from 'node:util'
import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db, Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import { newProjectId, type ProjectId, type TenantId } from '../id.ts'
import { byCreation, decodeCursor, type Page, pageLimit, toPage } from '../page.ts'
import type { Catalogue } from '../products/catalogue.ts'
import type { Sight } from '../sight.ts'
import { getSeen, lockWritableTenant } from '../tenants/tenant-state.ts'
import { assertRoom, changeOf, onProject, patchedLabels, projectAt } from './project-state.ts'
import * as projects from './project.repository.ts'
import type { NewProject, Project, ProjectChanges, ProjectQuery } from './project.ts'

/**
 * Creates a project of a tenant that has a product with projects.
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen` for the tenant's own people, `tenant.archived`,
 *   `project.not_supported` with the products of the tenant, `project.quota_exceeded`, `project.slug_taken`
 */
export async function createProject(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  input: NewProject,
): Promise<Project> {
  return await audited(db, actor, async (tx) => {
    const tenant = await lockWritableTenant(tx, actor, tenantId)
    await assertRoom(tx, catalogue, tenant)
    const row = await projects.insertProject(tx, tenantId, newProjectId(), input)
    return changed(projectAt(row, tenant), changeOf('project.created', tenant, undefined, row))
  })
}

/**
 * One page of the projects of a tenant, newest first.
 * @throws {RegistryError} `tenant.not_found`, `page.cursor_invalid`
 */
export async function listProjects(
  db: Reader,
  sight: Sight,
  tenantId: TenantId,
  { limit = pageLimit.default, cursor, status }: ProjectQuery,
): Promise<Page<Project>> {
  const list = { tenant_id: tenantId, status }
  const after = cursor === undefined ? undefined : decodeCursor('projects', list, cursor)
  const tenant = await getSeen(db, sight, tenantId)
  const rows = await projects.listProjects(db, tenantId, status, limit + 1, after)
  const page = toPage(rows, limit, 'projects', list, byCreation)
  return { ...page, data: page.data.map((row) => projectAt(row, tenant)) }
}

/** @throws {RegistryError} `tenant.not_found`; `project.not_found`, also for the project of another tenant */
export async function getProject(db: Reader, sight: Sight, tenantId: TenantId, id: ProjectId): Promise<Project> {
  const tenant = await getSeen(db, sight, tenantId)
  const row = await projects.findProject(db, tenantId, id)
  if (!row) throw new RegistryError('project.not_found')
  return projectAt(row, tenant)
}

/**
 * Changes what can be changed of a project by a merge patch (RFC 7396). What changes nothing records nothing.
 * @param expectedVersion the version that the change was decided on, if it should be the present one
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `project.not_found`,
 *   `resource.version_stale`, `request.invalid` when there would be too many labels
 */
export async function updateProject(
  db: Db,
  actor: Actor,
  tenantId: TenantId,
  id: ProjectId,
  changes: ProjectChanges,
  expectedVersion?: number,
): Promise<Project> {
  return await onProject(db, actor, tenantId, id, expectedVersion, async (tx, tenant, stored) => {
    const name = changes.name ?? stored.name
    const labels = patchedLabels(stored.labels, changes.labels)
    if (name === stored.name && isDeepStrictEqual(labels, stored.labels)) return unchanged(projectAt(stored, tenant))
    const row = await projects.updateProject(tx, stored, { name, labels })
    return changed(projectAt(row, tenant), changeOf('project.updated', tenant, stored, row))
  })
}

/**
 * Archives a project: nothing can be used in it any more, and it no longer counts. Its slug stays its own.
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `project.not_found`,
 *   `resource.version_stale`
 */
export async function archiveProject(
  db: Db,
  actor: Actor,
  tenantId: TenantId,
  id: ProjectId,
  expectedVersion?: number,
): Promise<Project> {
  return await onProject(db, actor, tenantId, id, expectedVersion, async (tx, tenant, stored) => {
    if (stored.status === 'archived') return unchanged(projectAt(stored, tenant))
    const row = await projects.updateProject(tx, stored, { status: 'archived', archived_at: new Date() })
    return changed(projectAt(row, tenant), changeOf('project.archived', tenant, stored, row))
  })
}

/**
 * Takes a project back from the archive, where there is room for one more.
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `project.not_found`,
 *   `resource.version_stale`, `project.not_supported`, `project.quota_exceeded`
 */
export async function restoreProject(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  id: ProjectId,
  expectedVersion?: number,
): Promise<Project> {
  return await onProject(db, actor, tenantId, id, expectedVersion, async (tx, tenant, stored) => {
    if (stored.status === 'active') return unchanged(projectAt(stored, tenant))
    await assertRoom(tx, catalogue, tenant)
    const row = await projects.updateProject(tx, stored, { status: 'active', archived_at: null })
    return changed(projectAt(row, tenant), changeOf('project.restored', tenant, stored, row))
  })
}
