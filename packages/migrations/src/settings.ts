import type { CheckedMigration, Migration } from './migration.ts'

/** What happens, as it happens. `event` is for machines, `message` for people; neither ever holds a secret. */
export interface LogEntry {
  readonly level: 'info' | 'warn'
  readonly event: string
  readonly message: string
  readonly [field: string]: unknown
}

export interface MigratorOptions {
  /** `postgres://…` of the role that owns, or will own, the schema. */
  readonly connectionString: string
  /** Other migrations than this package's own. */
  readonly migrations?: readonly Migration[]
  /** The role the server runs as: `up` ends by giving it exactly what it needs. Without it nothing is granted. */
  readonly runtimeRole?: string | undefined
  /** How long to wait for a database that is not there yet. Default 0: one attempt. */
  readonly waitMs?: number
  /** How long a statement may wait for a lock on a table, in steps that run in a transaction. Default 5 seconds. */
  readonly lockTimeoutMs?: number
  /** How long to wait while another process migrates. Default 60 seconds. */
  readonly lockWaitMs?: number
  /** Recorded with every migration that is applied. */
  readonly appVersion?: string | undefined
  /** Apply a migration although a newer one is applied already. */
  readonly allowOutOfOrder?: boolean
  readonly log?: (entry: LogEntry) => void
  /** Aborting it cancels the statement that runs, rolls its step back and ends the command. */
  readonly signal?: AbortSignal | undefined
}

/** The options with every default in place. */
export interface Settings {
  readonly connectionString: string
  readonly migrations: readonly CheckedMigration[]
  readonly latest: number
  readonly runtimeRole: string | undefined
  readonly waitMs: number
  readonly lockTimeoutMs: number
  readonly lockWaitMs: number
  readonly appVersion: string | undefined
  readonly allowOutOfOrder: boolean
  readonly log: (entry: LogEntry) => void
  readonly signal: AbortSignal | undefined
}
