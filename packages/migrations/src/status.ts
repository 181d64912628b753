import type { History } from './history.ts'
import { judge } from './judgement.ts'
import type { Settings } from './settings.ts'

/** One line of `status`. */
export interface MigrationState {
  readonly version: number
  readonly name: string
  readonly state: 'applied' | 'pending' | 'ahead' | 'drift' | 'dirty'
  readonly applied_at: Date | null
  readonly app_version: string | null
}

export interface MigrationStatus {
  /** Whose history the database has. */
  readonly history: 'absent' | 'golang' | 'foreign' | 'ours'
  readonly version: number
  readonly latest: number
  readonly dirty: boolean
  readonly migrations: readonly MigrationState[]
}

/** Says of every migration that the image or the database knows where it stands. Refuses nothing. */
export function statusOf(settings: Settings, history: History): MigrationStatus {
  if (history.kind !== 'ours') {
    const foreign = history.kind === 'golang' ? history.versions : []
    const version = Math.max(0, ...foreign.filter(({ dirty }) => !dirty).map((row) => row.version))
    return {
      history: history.kind,
      version,
      latest: settings.latest,
      dirty: foreign.some(({ dirty }) => dirty),
      migrations: settings.migrations.map(({ version: v, name }) => ({
        version: v,
        name,
        state: v <= version ? 'applied' : 'pending',
        applied_at: null,
        app_version: null,
      })),
    }
  }
  const { rows } = history
  const judgement = judge(settings.migrations, rows)
  const found = new Set(rows.map(({ version }) => version))
  const states: MigrationState[] = rows.map((row) => ({
    version: row.version,
    name: row.name,
    state: row.dirty
      ? 'dirty'
      : judgement.ahead.includes(row)
        ? 'ahead'
        : judgement.drifted.includes(row)
          ? 'drift'
          : 'applied',
    applied_at: row.applied_at,
    app_version: row.app_version,
  }))
  for (const { version, name } of settings.migrations) {
    if (!found.has(version)) states.push({ version, name, state: 'pending', applied_at: null, app_version: null })
  }
  return {
    history: 'ours',
    version: judgement.version,
    latest: settings.latest,
    dirty: rows.some((row) => row.dirty),
    migrations: states.sort((a, b) => a.version - b.version),
  }
}
