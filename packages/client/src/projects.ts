import type { Call, Found } from './call.ts'
import type { ListProjectsQuery } from './generated/operations.gen.ts'
import type { NewProject, Project, ProjectChanges, ProjectPage } from './generated/schemas.gen.ts'
import { List, pageQuery } from './list.ts'
import type { ChangeOptions, ReadOptions, RequestOptions, VersionOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** The projects of tenants. All of these throw a `NotFoundError` for a project of another tenant. */
export class Projects {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Creates a project. Its slug is its own for ever.
   * @throws {ConflictError} `project.not_supported`, `project.quota_exceeded`, `project.slug_taken`, `tenant.frozen`
   */
  create(tenantId: string, project: NewProject, options?: ChangeOptions): Call<Project> {
    return this.#transport.call('createProject', { path: { tenant_id: tenantId }, body: project }, options)
  }

  /** The projects of a tenant, newest first; archived ones too, unless you filter. */
  list(tenantId: string, filter: ListProjectsQuery = {}, options?: RequestOptions): List<Project, ProjectPage> {
    const path = { tenant_id: tenantId }
    return new List('listProjects', filter.cursor, (cursor) =>
      this.#transport.call('listProjects', { path, query: pageQuery(filter, cursor) }, options),
    )
  }

  /**
   * The project with this id, if it is one of this tenant.
   * @throws {NotFoundError} `project.not_found`
   */
  get<O extends ReadOptions = {}>(tenantId: string, projectId: string, options?: O): Call<Found<Project, O>> {
    return this.#transport.read('getProject', at(tenantId, projectId), options)
  }

  /**
   * Changes the fields that you name: null clears one, what is absent stays.
   * @throws {StaleError} `resource.version_stale` when it no longer has the version of `ifMatch`
   */
  update(tenantId: string, projectId: string, changes: ProjectChanges, options?: VersionOptions): Call<Project> {
    return this.#transport.call('updateProject', { ...at(tenantId, projectId), body: changes }, options)
  }

  /** Archives a project: nothing can be used in it any more, and it no longer counts. */
  archive(tenantId: string, projectId: string, options?: ChangeOptions & VersionOptions): Call<Project> {
    return this.#transport.call('archiveProject', at(tenantId, projectId), options)
  }

  /**
   * Takes a project back from the archive.
   * @throws {ConflictError} `project.quota_exceeded`
   */
  restore(tenantId: string, projectId: string, options?: ChangeOptions & VersionOptions): Call<Project> {
    return this.#transport.call('restoreProject', at(tenantId, projectId), options)
  }
}

const at = (tenantId: string, projectId: string) => ({ path: { tenant_id: tenantId, project_id: projectId } })
