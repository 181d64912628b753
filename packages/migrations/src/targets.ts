import type { Judgement } from './judgement.ts'
import { MigrationError } from './migration-error.ts'
import type { CheckedMigration } from './migration.ts'
import type { Settings } from './settings.ts'

/** How far `up` goes; everything pending without it. */
export type UpTarget = { readonly to?: number | undefined; readonly steps?: number | undefined }

/** How far `down` goes; one step without it. */
export type DownTarget = {
  readonly to?: number | undefined
  readonly steps?: number | undefined
  readonly all?: boolean
}

/**
 * What `up` has to apply.
 * @throws {MigrationError} `usage` for a version that does not exist.
 */
export function upTo({ pending }: Judgement, settings: Settings, { to, steps }: UpTarget): readonly CheckedMigration[] {
  if (to !== undefined) refuseUnknown(settings, to)
  return pending.filter(({ version }) => to === undefined || version <= to).slice(0, steps ?? pending.length)
}

/**
 * What `down` has to revert.
 * @throws {MigrationError} `usage` for a version that does not exist.
 */
export function downTo(
  judgement: Judgement,
  settings: Settings,
  { to, steps, all }: DownTarget,
): readonly CheckedMigration[] {
  if (all === true) return judgement.revertible
  if (to === undefined) return judgement.revertible.slice(0, steps ?? 1)
  refuseUnknown(settings, to)
  return judgement.revertible.filter(({ version }) => version > to)
}

/** @throws {MigrationError} `usage` for a version that does not exist. */
export function refuseUnknown(settings: Settings, version: number): void {
  if (version === 0 || settings.migrations.some((migration) => migration.version === version)) return
  throw new MigrationError('usage', `there is no version ${version}; the latest is ${settings.latest}`)
}

/** @throws {MigrationError} `app_too_old` when the database has what this image does not know. */
export function refuseAhead({ ahead }: Judgement): void {
  if (ahead.length === 0) return
  const names = ahead.map(({ name }) => name)
  throw new MigrationError('app_too_old', 'only the image that knows these migrations can do this', names)
}
