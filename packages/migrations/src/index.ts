import type { Queryable } from './history.ts'
import { migrations } from './migrations.gen.ts'
import { readSchemaStatus } from './schema-version.ts'
import type { SchemaStatus } from './schema-version.ts'

export type { RetentionOutcome } from './audit-retention.ts'
export { createMigrationFiles } from './create.ts'
export type { Queryable } from './history.ts'
export type { Migration } from './migration.ts'
export { exitCodes, MigrationError } from './migration-error.ts'
export type { MigrationErrorCode } from './migration-error.ts'
export { createMigrator } from './migrator.ts'
export type { Migrator, Outcome } from './migrator.ts'
export { readSchemaVersion } from './schema-version.ts'
export type { SchemaStatus, SchemaVersion } from './schema-version.ts'
export type { LogEntry, MigratorOptions } from './settings.ts'
export type { MigrationState, MigrationStatus } from './status.ts'
export type { DownTarget, UpTarget } from './targets.ts'
export { migrations }

/** The version a database has once everything in this package is applied. */
export const latestVersion = migrations.at(-1)?.version ?? 0

/** Whether this package's code may run on a database: only `equal` and `newer` may be served from. */
export async function schemaStatus(db: Queryable): Promise<SchemaStatus> {
  return readSchemaStatus(
    db,
    migrations.map(({ version }) => version),
  )
}
