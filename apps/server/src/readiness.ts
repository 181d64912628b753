import {
  type DatabaseOptions,
  type Db,
  keepsPreparedStatements,
  plainQueries,
  RegistryError,
  runtimeRoleProblems,
} from '@breakpilot/tenant-core'
import type { Impediment } from '@breakpilot/tenant-http'
import { latestVersion, schemaStatus } from '@breakpilot/tenant-migrations'

/** What readiness looks at. */
export interface ReadinessOptions {
  readonly db: Db
  readonly database: DatabaseOptions
  /** Whether the role of the connection has to be one that cannot change the log. */
  readonly strictRole: boolean
  readonly isStopping: () => boolean
}

/** Says what keeps the server from doing its work. Asks the database every time, save what cannot change. */
export function createReadiness({
  db,
  database,
  strictRole,
  isStopping,
}: ReadinessOptions): () => Promise<readonly Impediment[]> {
  // A pooler does not change its nature while we run, so this is asked until it has been answered once.
  let remembers: boolean | undefined = database.prepare === false ? true : undefined
  return async () => {
    if (isStopping()) return [{ part: 'shutdown', message: 'the server is stopping' }]
    try {
      const { state, version, minApp } = await schemaStatus(plainQueries(db))
      if (state === 'older') {
        return [{ part: 'migrations', message: `the database is at version ${version}, ${latestVersion} is needed` }]
      }
      if (state === 'too_new') {
        return [{ part: 'migrations', message: `the database needs a server that knows version ${minApp}` }]
      }
      remembers ??= await keepsPreparedStatements(database)
      if (!remembers) {
        return [{ part: 'database', message: 'the pooler forgets prepared statements: set DATABASE_PREPARE=off' }]
      }
      const problems = strictRole ? await runtimeRoleProblems(db) : []
      return problems.map((message) => ({ part: 'role', message }))
    } catch (error) {
      if (error instanceof RegistryError && error.kind === 'unavailable') {
        return [{ part: 'database', message: 'cannot be reached' }]
      }
      throw error
    }
  }
}
