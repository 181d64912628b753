import type { Client } from 'pg'
import { createHistory, readHistory, recordMigration } from './history.ts'
import { judge } from './judgement.ts'
import { MigrationError } from './migration-error.ts'
import type { Settings } from './settings.ts'
import { refuseAhead, refuseUnknown } from './targets.ts'
import { locked } from './transaction.ts'

/** Rewrites the history so that the database is whole at `version`, and runs nothing. */
export async function forceVersion(client: Client, settings: Settings, version: number): Promise<void> {
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
}
