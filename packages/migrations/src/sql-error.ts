import type { Client } from 'pg'
import { codeOf, isConnectionLoss } from './connection.ts'
import { MigrationError } from './migration-error.ts'
import type { Settings } from './settings.ts'

/**
 * Runs the SQL of a file.
 * @throws {MigrationError} `failed`, `lock_timeout` or `unreachable`, naming the file and the line.
 */
export async function runSql(client: Client, { signal }: Settings, file: string, sql: string): Promise<void> {
  try {
    await client.query(sql)
  } catch (error) {
    // A cancellation that we asked for is told by whoever asked; any other has to name the file.
    throw codeOf(error) === '57014' && signal?.aborted === true ? error : asMigrationError(error, file, sql)
  }
}

/** What went wrong with `what`, as an error with an exit code; `sql` lets it name the line. */
export function asMigrationError(error: unknown, what: string, sql = ''): MigrationError {
  if (error instanceof MigrationError) return error
  if (!(error instanceof Error)) return new MigrationError('failed', `${what}: it failed without saying why`)
  const code = codeOf(error)
  if (isConnectionLoss(error)) {
    return new MigrationError(
      'unreachable',
      `${what}: the connection was lost; the database rolls back what was not committed`,
    )
  }
  const field = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const position = Number(field('position') ?? 0)
  const line = position > 0 && sql !== '' ? ` line ${sql.slice(0, position).split('\n').length}` : ''
  const notes = [field('detail'), field('hint')].filter((note) => note !== undefined)
  return new MigrationError(
    code === '55P03' ? 'lock_timeout' : 'failed',
    [`${what}${line}: ${error.message}${code === undefined ? '' : ` (${code})`}`, ...notes].join('\n'),
  )
}
