import {
  type Catalogue,
  type DatabaseOptions,
  type Db,
  keepsPreparedStatements,
  listProductsWithoutManifest,
  plainQueries,
  RegistryError,
  runtimeRoleProblems,
} from '@breakpilot/tenant-core'
import type { Impediment, Note, ReadinessReport } from '@breakpilot/tenant-http'
import { latestVersion, schemaStatus } from '@breakpilot/tenant-migrations'

/** What readiness looks at. */
export interface ReadinessOptions {
  readonly db: Db
  readonly database: DatabaseOptions
  readonly catalogue: Catalogue
  /** Why changes are noticed late, when they are. */
  readonly listenerProblem: () => string | undefined
  /** Whether the role of the connection has to be one that cannot change the log. */
  readonly strictRole: boolean
  readonly isStopping: () => boolean
  /** Hears why the database could not be asked. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Says what keeps the server from doing its work, and what else is not as it should be. Asks the database every time,
 * save what cannot change.
 */
export function createReadiness(options: ReadinessOptions): () => Promise<ReadinessReport> {
  const { db, database, strictRole, isStopping, onFailure } = options
  // A pooler does not change its nature while we run, so this is asked until it has been answered once.
  let remembers: boolean | undefined = database.prepare === false ? true : undefined

  async function impediments(): Promise<readonly Impediment[]> {
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
  }

  return async () => {
    if (isStopping()) return notReady({ part: 'shutdown', message: 'the server is stopping' })
    try {
      const found = await impediments()
      return { impediments: found, notes: found.length > 0 ? [] : await notesOf(options) }
    } catch (error) {
      onFailure(error)
      return notReady({ part: 'database', message: failure(error) })
    }
  }
}

const notReady = (impediment: Impediment): ReadinessReport => ({ impediments: [impediment], notes: [] })

async function notesOf({ db, catalogue, listenerProblem }: ReadinessOptions): Promise<Note[]> {
  const problem = listenerProblem()
  const products = await listProductsWithoutManifest(db, catalogue)
  return [
    ...(problem === undefined ? [] : [{ code: 'listener_lost' as const, message: problem }]),
    ...products.map((product) => ({
      code: 'product_retired' as const,
      message: `tenants have the product ${product}, of which there is no manifest`,
    })),
  ]
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
