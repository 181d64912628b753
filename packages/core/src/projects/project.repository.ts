import { type SqlBool, sql } from 'kysely'
import { onConstraint } from '../db/constraint.ts'
import type { AuditedTx, Reader } from '../db/handles.ts'
import { type Param, prepared } from '../db/prepared.ts'
import type { ProjectId, TenantId } from '../id.ts'
import type { Position } from '../page.ts'
import type { NewProject, Project, ProjectStatus } from './project.ts'

const columns = [
  'id',
  'tenant_id',
  'slug',
  'name',
  'labels',
  'status',
  'version',
  'created_at',
  'updated_at',
  'archived_at',
] as const

/** A project as it is stored: what it is now also depends on its tenant. */
export type ProjectRow = Omit<Project, 'effective_status'>

const byId = prepared('project_by_id', (db, tenantId: Param<TenantId>, id: Param<ProjectId>) =>
  db.selectFrom('tenant_projects').select(columns).where('tenant_id', '=', tenantId).where('id', '=', id),
)

export async function findProject(db: Reader, tenantId: TenantId, id: ProjectId): Promise<ProjectRow | undefined> {
  return (await byId(db, tenantId, id))[0]
}

/** The projects of a tenant, newest first, from the one after `after` on. */
export async function listProjects(
  db: Reader,
  tenantId: TenantId,
  status: ProjectStatus | undefined,
  limit: number,
  after?: Position,
): Promise<ProjectRow[]> {
  return await db
    .selectFrom('tenant_projects')
    .select(columns)
    .where('tenant_id', '=', tenantId)
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'active'))
    .$if(after !== undefined, (query) =>
      query.where(sql<SqlBool>`(created_at, id) < (${after?.key}::timestamptz, ${after?.id}::uuid)`),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** How many projects of a tenant are not archived. */
export async function countActiveProjects(db: Reader, tenantId: TenantId): Promise<number> {
  const { count } = await db
    .selectFrom('tenant_projects')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('tenant_id', '=', tenantId)
    .where('status', '=', 'active')
    .executeTakeFirstOrThrow()
  return count
}

/**
 * Inserts a project. A slug stays with the project that had it first, archived or not.
 * @throws {RegistryError} `project.slug_taken`
 */
export async function insertProject(
  tx: AuditedTx,
  tenantId: TenantId,
  id: ProjectId,
  { slug, name, labels = {} }: NewProject,
): Promise<ProjectRow> {
  return await tx
    .insertInto('tenant_projects')
    .values({ id, tenant_id: tenantId, slug, name, labels: JSON.stringify(labels) })
    .returning(columns)
    .executeTakeFirstOrThrow()
    .catch(onConstraint({ tenant_projects_tenant_id_slug_key: 'project.slug_taken' }))
}

/** The columns of a project that change. */
export interface ProjectUpdate {
  readonly name?: string
  readonly labels?: Record<string, string>
  readonly status?: ProjectStatus
  readonly archived_at?: Date | null
}

/** Changes a project whose tenant the transaction has locked. */
export async function updateProject(
  tx: AuditedTx,
  { tenant_id, id }: ProjectRow,
  { labels, ...update }: ProjectUpdate,
): Promise<ProjectRow> {
  return await tx
    .updateTable('tenant_projects')
    .set({ ...update, ...(labels && { labels: JSON.stringify(labels) }) })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()
}
