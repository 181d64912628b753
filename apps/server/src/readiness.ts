import {
  type Catalogue,
  countPartitionsAhead,
  type DatabaseOptions,
  type Db,
  type Keyring,
  keyringProblems,
  type KidProblem,
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
  /** Undefined for one that ends with the process: what was made with it is over by then. */
  readonly keyring: Keyring | undefined
  /** Whether tokens whose key of the ring is lost are judged by argon2 meanwhile. */
  readonly observesLostKids: boolean
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
  const { db, database, keyring, observesLostKids, strictRole, isStopping, onFailure } = options
  // A pooler does not change its nature while we run, so this is asked until it has been answered once.
  let remembers: boolean | undefined = database.prepare === false ? true : undefined

  async function report(): Promise<ReadinessReport> {
    const { state, version, minApp } = await schemaStatus(plainQueries(db))
    if (state === 'older') {
      return notReady({
        part: 'migrations',
        message: `the database is at version ${version}, ${latestVersion} is needed`,
      })
    }
    if (state === 'too_new') {
      return notReady({ part: 'migrations', message: `the database needs a server that knows version ${minApp}` })
    }
    remembers ??= await keepsPreparedStatements(database)
    if (!remembers) {
      return notReady({
        part: 'database',
        message: 'the pooler forgets prepared statements: set DATABASE_PREPARE=off',
      })
    }
    const roles = strictRole ? await runtimeRoleProblems(db) : []
    const kids = keyring ? await keyringProblems(db, keyring) : []
    const isBorne = ({ problem }: KidProblem) => problem === 'missing' && observesLostKids
    const impediments = [
      ...roles.map((message): Impediment => ({ part: 'role', message })),
      ...kids.filter((kid) => !isBorne(kid)).map((kid): Impediment => ({ part: 'keyring', message: kidMessage(kid) })),
    ]
    if (impediments.length > 0) return { impediments, notes: [] }
    const auditPartitionsAhead = await countPartitionsAhead(db)
    const notes = await notesOf(options, kids.filter(isBorne))
    return { impediments, notes: [...partitionNotes(auditPartitionsAhead), ...notes], auditPartitionsAhead }
  }

  return async () => {
    if (isStopping()) return notReady({ part: 'shutdown', message: 'the server is stopping' })
    try {
      return await report()
    } catch (error) {
      onFailure(error)
      return notReady({ part: 'database', message: failure(error) })
    }
  }
}

const notReady = (impediment: Impediment): ReadinessReport => ({ impediments: [impediment], notes: [] })

const kidMessage = ({ kid, problem }: KidProblem) =>
  problem === 'missing'
    ? `the keyring has no key ${kid}, and API keys that were issued under it can still be used`
    : `the keyring's key ${kid} is not the one that API keys were issued under by that name`

/** Below so many months there is something that keeps servers from making them, and still time to find out what. */
const partitionsAheadMin = 3

const partitionNotes = (ahead: number): Note[] =>
  ahead >= partitionsAheadMin
    ? []
    : [
        {
          code: 'audit_partitions_low',
          message: `the audit log is prepared for ${ahead} more months: look why servers make no more, or run the migrator's up`,
        },
      ]

async function notesOf(
  { db, catalogue, listenerProblem }: ReadinessOptions,
  lost: readonly KidProblem[],
): Promise<Note[]> {
  const problem = listenerProblem()
  const products = await listProductsWithoutManifest(db, catalogue)
  return [
    ...(problem === undefined ? [] : [{ code: 'listener_lost' as const, message: problem }]),
    ...lost.map((each) => ({ code: 'keyring_kid_lost' as const, message: kidMessage(each) })),
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
