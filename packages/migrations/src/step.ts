import type { Client } from 'pg'
import { connect, refuseAborted } from './connection.ts'
import { forgetMigration, readHistory, recordMigration } from './history.ts'
import type { HistoryRow } from './history.ts'
import { judge, refuseUnsound } from './judgement.ts'
import { MigrationError } from './migration-error.ts'
import type { CheckedMigration } from './migration.ts'
import { createPartitionIndexes } from './partition-index.ts'
import type { Settings } from './settings.ts'
import { runSql } from './sql-error.ts'
import { interruptible, locked, transaction, unlimited } from './transaction.ts'

/** One command's connection, and what it really did: another process may have done the rest. */
export interface Session {
  readonly client: Client
  readonly settings: Settings
  readonly done: CheckedMigration[]
}

/** Applies one migration, unless somebody else did while we waited for the lock. */
export async function applyStep(session: Session, migration: CheckedMigration): Promise<void> {
  const { client, settings } = session
  const { directives } = migration
  const file = `${migration.name}.up.sql`
  const record = { appVersion: settings.appVersion, minApp: directives.minApp }
  if (!directives.noTransaction && directives.eachPartition === undefined) {
    const started = await locked(client, settings, async () => {
      const rows = await currentRows(client, settings)
      if (rows.some((row) => row.version === migration.version)) return undefined
      const now = begin(session, migration, 'applying')
      await runWhole(session, file, migration.up)
      await recordMigration(client, migration, { ...record, durationMs: performance.now() - now })
      return now
    })
    if (started !== undefined) end(session, migration, 'applied', started)
    return
  }
  await besideLock(session, file, async (stoppable) => {
    const rows = await currentRows(client, settings)
    if (rows.some((row) => row.version === migration.version && !row.dirty)) return
    const started = begin(session, migration, 'applying')
    await transaction(client, settings, async () =>
      recordMigration(client, migration, { ...record, durationMs: 0, dirty: true }),
    )
    if (directives.eachPartition === undefined) await runSql(client, stoppable, file, migration.up)
    else await createPartitionIndexes(client, stoppable, migration)
    const durationMs = performance.now() - started
    await transaction(client, settings, async () => recordMigration(client, migration, { ...record, durationMs }))
    end(session, migration, 'applied', started)
  })
}

/** Reverts one migration, unless somebody else did while we waited for the lock. */
export async function revertStep(session: Session, migration: CheckedMigration): Promise<void> {
  const { client, settings } = session
  const file = `${migration.name}.down.sql`
  if (!migration.downDirectives.noTransaction) {
    const started = await locked(client, settings, async () => {
      const rows = await currentRows(client, settings)
      if (!rows.some((row) => row.version === migration.version)) return undefined
      const now = begin(session, migration, 'reverting')
      await runWhole(session, file, migration.down)
      await forgetMigration(client, migration.version)
      return now
    })
    if (started !== undefined) end(session, migration, 'reverted', started)
    return
  }
  await besideLock(session, file, async (stoppable) => {
    const rows = await currentRows(client, settings)
    const row = rows.find(({ version }) => version === migration.version)
    if (row === undefined) return
    const started = begin(session, migration, 'reverting')
    await transaction(client, settings, async () =>
      recordMigration(client, migration, {
        appVersion: row.app_version ?? undefined,
        minApp: row.min_app ?? undefined,
        durationMs: row.duration_ms,
        dirty: true,
      }),
    )
    await runSql(client, stoppable, file, migration.down)
    await transaction(client, settings, async () => forgetMigration(client, migration.version))
    end(session, migration, 'reverted', started)
  })
}

/** Runs a file in the transaction that is open, with the constraints it deferred: at the commit they name no file. */
async function runWhole({ client, settings }: Session, file: string, sql: string): Promise<void> {
  await runSql(client, settings, file, sql)
  await runSql(client, settings, file, 'set constraints all immediate')
}

/**
 * Runs `fn` while a second connection's idle transaction holds the lock: what cannot run in a transaction has no
 * other way to hold one that a transaction pooler does not take away. Idle, it has no snapshot that anyone waits for.
 * The settings that `fn` is given are aborted also when the lock is lost.
 */
async function besideLock(session: Session, file: string, fn: (stoppable: Settings) => Promise<void>): Promise<void> {
  const { client, settings } = session
  const holder = await connect({ ...settings, waitMs: 0 })
  // Without the lock another process may begin: what runs has to stop.
  const lost = new AbortController()
  holder.on('error', () => lost.abort())
  const signal = settings.signal === undefined ? lost.signal : AbortSignal.any([settings.signal, lost.signal])
  const stoppable = { ...settings, signal }
  try {
    await locked(holder, stoppable, async () =>
      unlimited(client, file, async () => interruptible(client, stoppable, async () => fn(stoppable))),
    )
  } finally {
    await holder.end().catch(() => undefined)
  }
}

async function currentRows(client: Client, settings: Settings): Promise<readonly HistoryRow[]> {
  const history = await readHistory(client)
  if (history.kind !== 'ours') throw new MigrationError('drift', 'public.schema_migrations was taken away meanwhile')
  refuseUnsound(judge(settings.migrations, history.rows), settings.latest, settings.allowOutOfOrder)
  return history.rows
}

function begin({ settings }: Session, migration: CheckedMigration, event: 'applying' | 'reverting'): number {
  refuseAborted(settings.signal)
  const { version, name } = migration
  settings.log({ level: 'info', event, message: `${event} ${name}`, version, name })
  return performance.now()
}

function end(session: Session, migration: CheckedMigration, event: 'applied' | 'reverted', started: number): void {
  const { version, name } = migration
  const duration_ms = Math.round(performance.now() - started)
  session.done.push(migration)
  session.settings.log({
    level: 'info',
    event,
    message: `${event} ${name} in ${duration_ms} ms`,
    version,
    name,
    duration_ms,
  })
}
