import {
  archiveProject,
  createProject,
  getProject,
  listProjects,
  NewProject,
  Project,
  ProjectChanges,
  ProjectId,
  ProjectQuery,
  restoreProject,
  updateProject,
} from '@breakpilot/tenant-core'
import { pageOf } from '../page.ts'
import { route } from '../route.ts'
import { tenantParams } from './tenant-id.ts'

const tag = 'projects'
const projects = '/v1/tenants/{tenant_id}/projects'
const project = `${projects}/{project_id}` as const
const params = tenantParams.extend({ project_id: ProjectId.meta({ description: 'The id of the project.' }) })

/** The version of a project, for its entity tag. */
const version = (project: Project) => project.version

export const projectRoutes = [
  route({
    method: 'post',
    path: projects,
    operation: 'createProject',
    tag,
    summary: 'Create a project',
    description:
      'Creates a project of a tenant that has a product with projects, as long as its quota lasts. The slug is its own for ever.',
    scope: 'projects:write',
    params: tenantParams,
    body: NewProject,
    status: 201,
    response: Project,
    idempotent: true,
    etag: version,
    errors: [
      'project.not_supported',
      'project.quota_exceeded',
      'project.slug_taken',
      'tenant.archived',
      'tenant.frozen',
    ],
    location: ({ tenant_id, id }) => `/v1/tenants/${tenant_id}/projects/${id}`,
    handle: ({ db, actor, catalogue, params, body }) => createProject(db, actor, catalogue, params.tenant_id, body),
  }),
  route({
    method: 'get',
    path: projects,
    operation: 'listProjects',
    tag,
    summary: 'List the projects of a tenant',
    description:
      'Answers the projects of a tenant, newest first, a page at a time; archived ones too, unless you filter.',
    scope: 'projects:read',
    params: tenantParams,
    query: ProjectQuery,
    status: 200,
    response: pageOf(Project, 'ProjectPage'),
    errors: ['page.cursor_invalid'],
    handle: ({ db, sight, params, query }) => listProjects(db, sight, params.tenant_id, query),
  }),
  route({
    method: 'get',
    path: project,
    operation: 'getProject',
    tag,
    summary: 'Get a project',
    description: 'Answers the project with this id, if it is one of this tenant.',
    scope: 'projects:read',
    params,
    status: 200,
    response: Project,
    etag: version,
    errors: ['project.not_found'],
    handle: ({ db, sight, params }) => getProject(db, sight, params.tenant_id, params.project_id),
  }),
  route({
    method: 'patch',
    path: project,
    operation: 'updateProject',
    tag,
    summary: 'Change a project',
    description: 'Changes the name and the labels of a project by a merge patch (RFC 7396).',
    scope: 'projects:write',
    params,
    body: ProjectChanges,
    status: 200,
    response: Project,
    preconditions: true,
    etag: version,
    errors: ['project.not_found', 'tenant.archived', 'tenant.frozen'],
    examples: { response: { version: 2 } },
    handle: ({ db, actor, params, body, expectedVersion }) =>
      updateProject(db, actor, params.tenant_id, params.project_id, body, expectedVersion),
  }),
  route({
    method: 'post',
    path: `${project}/archive`,
    operation: 'archiveProject',
    tag,
    summary: 'Archive a project',
    description:
      'Nothing can be used in the project any more, and it no longer counts. One that is archived already stays as it is.',
    scope: 'projects:write',
    params,
    status: 200,
    response: Project,
    idempotent: true,
    preconditions: true,
    etag: version,
    errors: ['project.not_found', 'tenant.archived', 'tenant.frozen'],
    examples: {
      response: {
        status: 'archived',
        effective_status: 'archived',
        version: 2,
        archived_at: '2026-03-01T12:00:00.000Z',
      },
    },
    handle: ({ db, actor, params, expectedVersion }) =>
      archiveProject(db, actor, params.tenant_id, params.project_id, expectedVersion),
  }),
  route({
    method: 'post',
    path: `${project}/restore`,
    operation: 'restoreProject',
    tag,
    summary: 'Restore a project',
    description:
      'Takes a project back from the archive, as long as the quota of its tenant lasts. One that is not archived stays as it is.',
    scope: 'projects:write',
    params,
    status: 200,
    response: Project,
    idempotent: true,
    preconditions: true,
    etag: version,
    errors: [
      'project.not_found',
      'project.not_supported',
      'project.quota_exceeded',
      'tenant.archived',
      'tenant.frozen',
    ],
    examples: { response: { version: 3 } },
    handle: ({ db, actor, catalogue, params, expectedVersion }) =>
      restoreProject(db, actor, catalogue, params.tenant_id, params.project_id, expectedVersion),
  }),
]
