import type { Client } from 'pg'
import { codeOf, isConnectionLoss } from './connection.ts'
import { MigrationError } from './migration-error.ts'

/**
 * Runs the SQL of a file.
 * @throws {MigrationError} `failed`, `lock_timeout` or `unreachable`, naming the file and the line.
 */
export async function runSql(client: Client, file: string, sql: string): Promise<void> {
  try {
    await client.query(sql)
  } catch (error) {
    throw asMigrationError(error, file, sql)
  }
}

/** What PostgreSQL said about a file, as an error with an exit code. */
function asMigrationError(error: unknown, file: string, sql: string): unknown {
  if (!(error instanceof Error) || error instanceof MigrationError) return error
  const code = codeOf(error)
  // The signal's own story is told by whoever sent the cancellation.
  if (code === '57014') return error
  if (isConnectionLoss(error)) {
    return new MigrationError('unreachable', `${file}: the connection was lost; the database rolled the step back`)
  }
  const field = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const position = Number(field('position') ?? 0)
  const line = position > 0 ? ` line ${sql.slice(0, position).split('\n').length}` : ''
  const notes = [field('detail'), field('hint')].filter((note) => note !== undefined)
  return new MigrationError(
    code === '55P03' ? 'lock_timeout' : 'failed',
    [`${file}${line}: ${error.message}${code === undefined ? '' : ` (${code})`}`, ...notes].join('\n'),
  )
}
