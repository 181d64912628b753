import type { HistoryRow } from './history.ts'
import { MigrationError } from './migration-error.ts'
import type { CheckedMigration } from './migration.ts'

/** How a history and an image's migrations stand to each other. */
export interface Judgement {
  readonly pending: readonly CheckedMigration[]
  /** Applied, newest first. */
  readonly revertible: readonly CheckedMigration[]
  /** Began without a transaction and did not end; only a person knows what is left. Of our own, not of those ahead. */
  readonly dirty: readonly HistoryRow[]
  /** Applied, but the file is another one now, or gone. */
  readonly drifted: readonly HistoryRow[]
  /** Applied by a newer image, or left unfinished by it: an older one has nothing to do with either. */
  readonly ahead: readonly HistoryRow[]
  /** Pending although something newer is applied. */
  readonly late: readonly CheckedMigration[]
  /** The lowest image that may run on this database, when a newer migration set one. */
  readonly minApp: number
  /** The highest version that is applied and whole; 0 when there is none. */
  readonly version: number
}

/** Compares a history with an image's migrations. Pure: it judges, others refuse. */
export function judge(migrations: readonly CheckedMigration[], rows: readonly HistoryRow[]): Judgement {
  const latest = migrations.at(-1)?.version ?? 0
  const known = new Map(migrations.map((migration) => [migration.version, migration]))
  const found = new Map(rows.map((row) => [row.version, row]))
  // A step of this kind checks what is there before it adds to it, so it may simply run again.
  const resumable = (row: HistoryRow): boolean =>
    row.dirty && known.get(row.version)?.directives.eachPartition !== undefined && !differs(row)
  const differs = (row: HistoryRow): boolean => known.get(row.version)?.checksum !== row.checksum
  const applied = rows.filter((row) => !row.dirty)
  const version = Math.max(0, ...applied.map((row) => row.version))
  const pending = migrations.filter((migration) => {
    const row = found.get(migration.version)
    return row === undefined || resumable(row)
  })
  return {
    pending,
    revertible: migrations.filter((migration) => found.has(migration.version)).toReversed(),
    dirty: rows.filter((row) => row.dirty && row.version <= latest && !resumable(row)),
    drifted: applied.filter((row) => row.version <= latest && differs(row)),
    ahead: rows.filter((row) => row.version > latest),
    late: pending.filter((migration) => migration.version < version),
    minApp: Math.max(0, ...rows.filter((row) => row.version > latest).map((row) => row.min_app ?? 0)),
    version,
  }
}

/**
 * Refuses what must not be built upon.
 * @throws {MigrationError} `dirty`, `drift`, `app_too_old` or `out_of_order`, in this order.
 */
export function refuseUnsound(judgement: Judgement, latest: number, allowOutOfOrder: boolean): void {
  const { dirty, drifted, minApp, late } = judgement
  if (dirty.length > 0) {
    throw new MigrationError(
      'dirty',
      'a migration that runs without a transaction did not end; look at what it left, repair it, then `force` a version',
      dirty.map((row) => row.name),
    )
  }
  if (drifted.length > 0) {
    throw new MigrationError(
      'drift',
      'files that are applied were edited or removed afterwards',
      drifted.map((row) => `${row.name}.up.sql`),
    )
  }
  if (minApp > latest) {
    throw new MigrationError(
      'app_too_old',
      `the database needs an image that knows version ${minApp}; this one ends at ${latest}`,
    )
  }
  if (late.length > 0 && !allowOutOfOrder) {
    throw new MigrationError(
      'out_of_order',
      `newer migrations than these are applied already (version ${judgement.version})`,
      late.map((migration) => migration.name),
    )
  }
}
