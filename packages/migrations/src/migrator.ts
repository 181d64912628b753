import type { Client } from 'pg'
import { connect } from './connection.ts'
import { ensurePartitions, grantRuntimeRole, refuseUnfitRole } from './grants.ts'
import { createHistory, readHistory, recordMigration } from './history.ts'
import type { HistoryRow } from './history.ts'
import { judge, refuseUnsound } from './judgement.ts'
import type { Judgement } from './judgement.ts'
import { MigrationError } from './migration-error.ts'
import { checked } from './migration.ts'
import type { CheckedMigration } from './migration.ts'
import { migrations as ownMigrations } from './migrations.gen.ts'
import { adoptable, prepareHistory } from './preparation.ts'
import { readSchemaVersion } from './schema-version.ts'
import type { SchemaVersion } from './schema-version.ts'
import type { MigratorOptions, Settings } from './settings.ts'
import { asMigrationError } from './sql-error.ts'
import { statusOf } from './status.ts'
import type { MigrationStatus } from './status.ts'
import { applyStep, revertStep } from './step.ts'
import type { Session } from './step.ts'
import { locked, transaction } from './transaction.ts'

/** How far `up` goes; everything pending without it. */
export type UpTarget = { readonly to?: number | undefined; readonly steps?: number | undefined }

/** How far `down` goes; one step without it. */
export type DownTarget = {
  readonly to?: number | undefined
  readonly steps?: number | undefined
  readonly all?: boolean
}

export interface Outcome {
  /** The names of what this process applied or reverted, in that order. */
  readonly done: readonly string[]
  readonly version: number
}

export interface Migrator {
  /** Applies what is pending, makes the log's coming partitions, renews the runtime role's grants. */
  up(target?: UpTarget): Promise<Outcome>
  /** Reverts, newest first. */
  down(target?: DownTarget): Promise<Outcome>
  /** What `up` would run, judged as `up` judges, without changing anything. */
  plan(target?: UpTarget): Promise<readonly CheckedMigration[]>
  version(): Promise<SchemaVersion>
  status(): Promise<MigrationStatus>
  /** Refuses as `up` would, and changes nothing. */
  verify(): Promise<MigrationStatus>
  /** Declares the database to be whole at this version, without running anything. */
  force(version: number): Promise<Outcome>
}

/**
 * Makes the migrator of one database. Each method opens its own connection and closes it.
 * @throws {MigrationError} from every method, with the exit code that says why.
 */
export function createMigrator(options: MigratorOptions): Migrator {
  const settings = settingsOf(options)
  return {
    up: async (target = {}) => withClient(settings, async (client) => up({ client, settings, done: [] }, target)),
    down: async (target = {}) => withClient(settings, async (client) => down({ client, settings, done: [] }, target)),
    plan: async (target = {}) =>
      withClient(settings, async (client) => upTo(await soundJudgement(client, settings), settings, target)),
    version: async () => withClient(settings, async (client) => readSchemaVersion(client)),
    status: async () => withClient(settings, async (client) => statusOf(settings, await readHistory(client))),
    verify: async () =>
      withClient(settings, async (client) => {
        await soundJudgement(client, settings)
        return statusOf(settings, await readHistory(client))
      }),
    force: async (version) => withClient(settings, async (client) => force(client, settings, version)),
  }
}

function settingsOf(options: MigratorOptions): Settings {
  const migrations = checked(options.migrations ?? ownMigrations)
  return {
    connectionString: options.connectionString,
    migrations,
    latest: migrations.at(-1)?.version ?? 0,
    runtimeRole: options.runtimeRole,
    waitMs: options.waitMs ?? 0,
    lockTimeoutMs: options.lockTimeoutMs ?? 5_000,
    lockWaitMs: options.lockWaitMs ?? 60_000,
    appVersion: options.appVersion,
    allowOutOfOrder: options.allowOutOfOrder ?? false,
    log: options.log ?? (() => undefined),
    signal: options.signal,
  }
}

async function withClient<T>(settings: Settings, fn: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(settings)
  try {
    return await fn(client)
  } catch (error) {
    throw asMigrationError(error, 'the migration')
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function up(session: Session, target: UpTarget): Promise<Outcome> {
  const { client, settings } = session
  const judgement = await locked(client, settings, async () => {
    if (settings.runtimeRole !== undefined) await refuseUnfitRole(client, settings.runtimeRole)
    const rows = judge(settings.migrations, await prepareHistory(client, settings))
    refuseUnsound(rows, settings.latest, settings.allowOutOfOrder)
    return rows
  })
  const names = upTo(judgement, settings, target).map(({ name }) => name)
  if (names.length > 0) await (await umzug(session)).up({ migrations: names, rerun: 'SKIP' }).catch(unwrap)
  if (judgement.ahead.length > 0) {
    const message = `the database is newer than this image (version ${judgement.version}, known up to ${settings.latest})`
    settings.log({ level: 'warn', event: 'ahead', message, version: judgement.version, latest: settings.latest })
  }
  await locked(client, settings, async () => {
    await ensurePartitions(client)
    // A newer image knows better what its objects need.
    if (settings.runtimeRole === undefined || judgement.ahead.length > 0) return
    await grantRuntimeRole(client, settings, settings.runtimeRole)
  })
  return outcome(session)
}

async function down(session: Session, target: DownTarget): Promise<Outcome> {
  const { client, settings } = session
  const judgement = await locked(client, settings, async () => {
    const history = await readHistory(client)
    if (history.kind === 'absent') return judge(settings.migrations, [])
    const found = judge(settings.migrations, await prepareHistory(client, settings))
    refuseUnsound(found, settings.latest, true)
    return found
  })
  refuseAhead(judgement)
  const names = downTo(judgement, settings, target).map(({ name }) => name)
  if (names.length > 0) await (await umzug(session)).down({ migrations: names, rerun: 'SKIP' }).catch(unwrap)
  return outcome(session)
}

async function outcome({ client, done }: Session): Promise<Outcome> {
  return { done: done.map(({ name }) => name), version: (await readSchemaVersion(client)).version }
}

async function soundJudgement(client: Client, settings: Settings): Promise<Judgement> {
  return transaction(client, settings, async () => {
    const history = await readHistory(client)
    const rows: readonly HistoryRow[] =
      history.kind === 'ours'
        ? history.rows
        : history.kind === 'absent'
          ? []
          : await adoptable(client, settings, history)
    const judgement = judge(settings.migrations, rows)
    refuseUnsound(judgement, settings.latest, settings.allowOutOfOrder)
    return judgement
  })
}

function upTo({ pending }: Judgement, settings: Settings, { to, steps }: UpTarget): readonly CheckedMigration[] {
  if (to !== undefined) refuseUnknown(settings, to)
  return pending.filter(({ version }) => to === undefined || version <= to).slice(0, steps ?? pending.length)
}

function downTo(judgement: Judgement, settings: Settings, { to, steps, all }: DownTarget): readonly CheckedMigration[] {
  if (all === true) return judgement.revertible
  if (to === undefined) return judgement.revertible.slice(0, steps ?? 1)
  refuseUnknown(settings, to)
  return judgement.revertible.filter(({ version }) => version > to)
}

function refuseUnknown(settings: Settings, version: number): void {
  if (version === 0 || settings.migrations.some((migration) => migration.version === version)) return
  throw new MigrationError('usage', `there is no version ${version}; the latest is ${settings.latest}`)
}

function refuseAhead({ ahead }: Judgement): void {
  if (ahead.length === 0) return
  const names = ahead.map(({ name }) => name)
  throw new MigrationError('app_too_old', 'only the image that knows these migrations can do this', names)
}

async function force(client: Client, settings: Settings, version: number): Promise<Outcome> {
  refuseUnknown(settings, version)
  await locked(client, settings, async () => {
    const history = await readHistory(client)
    if (history.kind === 'foreign') throw new MigrationError('drift', 'public.schema_migrations is not ours')
    if (history.kind === 'golang') {
      // Its owner may say what golang-migrate's own `force` says; `up` still compares before it adopts.
      if (version > 1) throw new MigrationError('usage', 'a database of golang-migrate can be forced to 0 or 1 only')
      await client.query('delete from public.schema_migrations')
      if (version === 1) await client.query('insert into public.schema_migrations (version, dirty) values (1, false)')
      return
    }
    await createHistory(client)
    const rows = history.kind === 'ours' ? history.rows : []
    refuseAhead(judge(settings.migrations, rows))
    await client.query('delete from public.schema_migrations where version > $1', [version])
    const whole = new Set(rows.filter((row) => !row.dirty).map((row) => row.version))
    for (const migration of settings.migrations) {
      if (migration.version > version || whole.has(migration.version)) continue
      const { minApp } = migration.directives
      await recordMigration(client, migration, { durationMs: 0, appVersion: settings.appVersion, minApp })
    }
  })
  settings.log({ level: 'warn', event: 'forced', message: `the history now says version ${version}`, version })
  return { done: [], version }
}

/** Order and selection are umzug's; what a step is, and when it counts as done, is ours. */
async function umzug(session: Session) {
  // Loaded only to migrate: it brings a command line of its own, and the server reads nothing but versions.
  const { Umzug } = await import('umzug')
  return new Umzug({
    context: session,
    logger: undefined,
    migrations: session.settings.migrations.map((migration) => ({
      name: migration.name,
      up: async ({ context }: { context: Session }) => applyStep(context, migration),
      down: async ({ context }: { context: Session }) => revertStep(context, migration),
    })),
    storage: {
      executed: async ({ context }: { context: Session }) => {
        const history = await readHistory(context.client)
        const rows = history.kind === 'ours' ? history.rows : []
        const pending = new Set(judge(context.settings.migrations, rows).pending)
        return context.settings.migrations.filter((migration) => !pending.has(migration)).map(({ name }) => name)
      },
      // The step has written its row in its own transaction.
      logMigration: async () => undefined,
      unlogMigration: async () => undefined,
    },
  })
}

function unwrap(error: unknown): never {
  throw error instanceof Error && error.cause !== undefined ? error.cause : error
}
