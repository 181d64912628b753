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
  /** Hears why the database could not be asked. */
  readonly onFailure: (error: unknown) => void
}

/** Says what keeps the server from doing its work. Asks the database every time, save what cannot change. */
export function createReadiness({
  db,
  database,
  strictRole,
  isStopping,
  onFailure,
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
      onFailure(error)
      return [{ part: 'database', message: failure(error) }]
    }
  }
}

/** What a failure of a query says about the database, without the words of the database itself. */
function failure(error: unknown): string {
  if (error instanceof RegistryError && error.code === 'database.unavailable') return 'cannot be reached'
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('28')) return 'refuses the role or its password'
  if (code === '3D000') return 'does not exist'
  if (code === '42501') return 'gives the role no rights: run the migrator with --runtime-role'
  return 'cannot be asked; the log says why'
}
