import type { Client } from 'pg'
import { dropOldMonths } from './audit-retention.ts'
import type { RetentionOutcome } from './audit-retention.ts'
import { connect } from './connection.ts'
import { forceVersion } from './force.ts'
import { ensurePartitions, grantRuntimeRole, refuseUnfitRole } from './grants.ts'
import { readHistory } from './history.ts'
import type { HistoryRow } from './history.ts'
import { judge, refuseUnsound } from './judgement.ts'
import type { Judgement } from './judgement.ts'
import { checked } from './migration.ts'
import type { Migration } from './migration.ts'
import { migrations as ownMigrations } from './migrations.gen.ts'
import { runSteps } from './order.ts'
import { adoptable, prepareHistory } from './preparation.ts'
import { readSchemaVersion } from './schema-version.ts'
import type { SchemaVersion } from './schema-version.ts'
import type { MigratorOptions, Settings } from './settings.ts'
import { asMigrationError } from './sql-error.ts'
import { statusOf } from './status.ts'
import type { MigrationStatus } from './status.ts'
import type { Session } from './step.ts'
import { downTo, refuseAhead, upTo } from './targets.ts'
import type { DownTarget, UpTarget } from './targets.ts'
import { locked, patiently, transaction } from './transaction.ts'

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
  plan(target?: UpTarget): Promise<readonly Migration[]>
  version(): Promise<SchemaVersion>
  status(): Promise<MigrationStatus>
  /** Refuses as `up` would, and changes nothing. */
  verify(): Promise<MigrationStatus>
  /** Drops the months of the log that no plan keeps any longer; with `dryRun` it only says which. */
  auditRetention(options?: { readonly dryRun?: boolean }): Promise<RetentionOutcome>
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
    auditRetention: async ({ dryRun = false } = {}) =>
      withClient(settings, async (client) => dropOldMonths(client, settings, dryRun)),
    force: async (version) =>
      withClient(settings, async (client) => {
        await forceVersion(client, settings, version)
        return { done: [], version }
      }),
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
  await runSteps(session, 'up', names)
  if (judgement.ahead.length > 0) {
    const message = `the database is newer than this image (version ${judgement.version}, known up to ${settings.latest})`
    settings.log({ level: 'warn', event: 'ahead', message, version: judgement.version, latest: settings.latest })
  }
  await patiently(settings, () =>
    locked(client, settings, async () => {
      await ensurePartitions(client, settings)
      // A newer image knows better what its objects need.
      if (settings.runtimeRole === undefined || judgement.ahead.length > 0) return
      await grantRuntimeRole(client, settings, settings.runtimeRole)
    }),
  )
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
  await runSteps(session, 'down', names)
  return outcome(session)
}

async function outcome({ client, done }: Session): Promise<Outcome> {
  return { done: done.map(({ name }) => name), version: (await readSchemaVersion(client)).version }
}

async function soundJudgement(client: Client, settings: Settings): Promise<Judgement> {
  return transaction(client, settings, async () => {
    if (settings.runtimeRole !== undefined) await refuseUnfitRole(client, settings.runtimeRole)
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
