import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createMigrator, MigrationError } from '@breakpilot/tenant-migrations'
import type { LogEntry, Migration, Migrator, MigratorOptions } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import { emptyDatabase } from '../postgres/database.ts'
import type { TestDatabase } from '../postgres/database.ts'

/** A migration that is not one of the project's own: `aMigration(2, 'create table b ()')`. */
export function aMigration(version: number, up: string, down = 'select 1'): Migration {
  const name = `${String(version).padStart(4, '0')}_step`
  return { version, name, checksum: createHash('sha256').update(up).digest('hex'), up, down }
}

/** An empty database for one test. */
export async function anEmptyDatabase(): Promise<TestDatabase> {
  const database = await emptyDatabase()
  onTestFinished(async () => database.drop())
  return database
}

/** A migrator of a database, and everything it says. */
export function aMigrator(
  database: TestDatabase,
  options: Partial<MigratorOptions> = {},
): Migrator & { readonly entries: readonly LogEntry[] } {
  const entries: LogEntry[] = []
  const migrator = createMigrator({
    connectionString: database.ownerUrl,
    log: (entry) => entries.push(entry),
    ...options,
  })
  return { ...migrator, entries }
}

/** An open connection for one test. */
export async function aClient(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(async () => client.end().catch(() => undefined))
  return client
}

/** The rows of one statement. */
export async function rowsOf<T = Record<string, unknown>>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(sql)
    return rows as T[]
  } finally {
    await client.end()
  }
}

/** What a database has applied, as its history says. */
export async function historyOf(database: TestDatabase): Promise<unknown[]> {
  return rowsOf(
    database.ownerUrl,
    'select version::int, name, checksum, dirty, min_app::int, app_version from public.schema_migrations order by version',
  )
}

/** The MigrationError that a promise ends with. */
export async function refusal(promise: Promise<unknown>): Promise<MigrationError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome && outcome.error instanceof MigrationError) return outcome.error
  throw new Error('expected a MigrationError', { cause: outcome })
}

/** Waits until something is so. */
export async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within 20 seconds: ${what}`)
    await delay(25)
  }
}

/** Waits until a statement with this text runs in the database. */
export async function untilRunning(database: TestDatabase, text: string): Promise<void> {
  const client = await aClient(database.adminUrl)
  await until(`a running statement with "${text}"`, async () => {
    const { rows } = await client.query(
      `select from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query like $1`,
      [`%${text}%`],
    )
    return rows.length > 0
  })
}
