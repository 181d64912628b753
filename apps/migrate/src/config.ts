import { readFileSync } from 'node:fs'
import { MigrationError } from '@breakpilot/tenant-migrations'
import { parseDuration } from './duration.ts'

/** What the environment says. Options of the command line go before it. */
export interface Config {
  readonly connectionString: string
  readonly runtimeRole: string | undefined
  readonly prod: boolean
  readonly waitMs: number
}

/** @throws {MigrationError} `usage` naming the variable, never its value. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  return {
    connectionString: readConnectionString(env),
    runtimeRole: env['RUNTIME_ROLE'] || undefined,
    prod: readStage(env) === 'prod',
    waitMs: readWait(env),
  }
}

function readConnectionString(env: NodeJS.ProcessEnv): string {
  const value = env['DATABASE_URL']
  const file = env['DATABASE_URL_FILE']
  if (value && file) throw new MigrationError('usage', 'DATABASE_URL and DATABASE_URL_FILE are both set')
  if (value) return value
  if (!file) throw new MigrationError('usage', 'DATABASE_URL (or DATABASE_URL_FILE) is not set')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    throw new MigrationError('usage', 'the file that DATABASE_URL_FILE names cannot be read')
  }
}

// A mistyped stage must not take the guard of prod away.
function readStage(env: NodeJS.ProcessEnv): string {
  const stage = env['APP_ENV'] || 'dev'
  if (!['dev', 'stage', 'prod'].includes(stage)) {
    throw new MigrationError('usage', `APP_ENV is "${stage}"; it may be dev, stage or prod`)
  }
  return stage
}

function readWait(env: NodeJS.ProcessEnv): number {
  const waitMs = parseDuration(env['MIGRATE_WAIT'] || '60s')
  if (waitMs === undefined) throw new MigrationError('usage', 'MIGRATE_WAIT is no time: use 500ms, 60s or 5m')
  return waitMs
}
