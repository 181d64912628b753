import type { Client } from 'pg'
import { differences, factsOf } from './adoption.ts'
import { baseline } from './baseline.gen.ts'
import { readCatalog } from './catalog.ts'
import { convertHistory, createHistory, readHistory, recordMigration } from './history.ts'
import type { History, HistoryRow } from './history.ts'
import { MigrationError } from './migration-error.ts'
import type { Settings } from './settings.ts'

/**
 * The history as rows, and the table itself where it is not there or is golang-migrate's. Only to be called in a
 * transaction that holds the lock.
 * @throws {MigrationError} `drift` when the database is not the version it says it is, `dirty` when it says so itself.
 */
export async function prepareHistory(client: Client, settings: Settings): Promise<readonly HistoryRow[]> {
  const history = await readHistory(client)
  if (history.kind === 'ours') return history.rows
  if (history.kind === 'absent') {
    await createHistory(client)
    return []
  }
  const rows = await adoptable(client, settings, history)
  await convertHistory(client)
  const [first] = settings.migrations
  if (rows.length > 0 && first !== undefined) {
    const { minApp } = first.directives
    await recordMigration(client, first, { durationMs: 0, appVersion: settings.appVersion, minApp })
    settings.log({ level: 'info', event: 'adopted', message: 'adopted the database of golang-migrate at version 1' })
  }
  return rows
}

/**
 * The rows a golang-migrate database would have in our history. Changes nothing.
 * @throws {MigrationError} `dirty` or `drift`, naming each difference from version 1.
 */
export async function adoptable(
  client: Client,
  settings: Settings,
  history: Exclude<History, { kind: 'ours' | 'absent' }>,
): Promise<readonly HistoryRow[]> {
  if (history.kind === 'foreign') {
    throw new MigrationError(
      'drift',
      `public.schema_migrations is neither ours nor golang-migrate's: it has ${history.columns.join(', ')}`,
    )
  }
  const [row, ...others] = history.versions
  if (row?.dirty === true) {
    throw new MigrationError(
      'dirty',
      `golang-migrate left version ${row.version} dirty; repair the schema, then \`force 1\` (it is there) or \`force 0\` (it is not)`,
    )
  }
  const [first] = settings.migrations
  const found = factsOf(await readCatalog(client))
  if (row === undefined) {
    const known = Object.keys(found).filter((key) => /^(table|enum) /.test(key) && key in baseline)
    if (known.length === 0) return []
    throw new MigrationError('drift', 'golang-migrate has no version here, but there are things of version 1', known)
  }
  if (others.length > 0 || row.version !== 1 || first?.version !== 1) {
    throw new MigrationError(
      'drift',
      `golang-migrate is at version ${row.version} here; only version 1 is known and can be adopted`,
    )
  }
  const findings = differences(baseline, found)
  if (findings.length > 0) {
    throw new MigrationError('drift', 'golang-migrate says version 1, but the database is not version 1', findings)
  }
  const { version, name, checksum } = first
  const about = { applied_at: new Date(), duration_ms: 0, app_version: null, min_app: null, dirty: false }
  return [{ version, name, checksum, ...about }]
}
