import { Client } from 'pg'
import type { DatabaseOptions } from './database.ts'
import { asUnavailable } from './unavailable.ts'

const statement = { name: 'prepared_statement_probe', text: 'select 1 as one' }

/** SQLSTATEs of a statement that is not there, and of one that somebody else made under the same name. */
const forgotten = new Set(['26000', '42P05'])

/**
 * Whether prepared statements survive from one transaction to the next. They do on a plain connection and behind a
 * pooler that tracks them; behind one that does not, most requests would fail, each when it meets another session.
 * @throws {RegistryError} `database.unavailable`
 */
export async function keepsPreparedStatements({
  connectionString,
  connectTimeoutMs,
}: DatabaseOptions): Promise<boolean> {
  const open = () => new Client({ connectionString, connectionTimeoutMillis: connectTimeoutMs ?? 2_000 })
  const [first, second] = [open(), open()]
  for (const client of [first, second]) client.on('error', () => undefined)
  try {
    await Promise.all([first.connect(), second.connect()])
    await first.query(statement)
    // Takes the session that the statement was prepared in, if sessions are shared, so that the next use is elsewhere.
    await second.query('begin')
    await second.query('select 1')
    await first.query(statement)
    await first.query(statement)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && forgotten.has(String(error.code))) return false
    throw asUnavailable(error)
  } finally {
    await Promise.allSettled([first.end(), second.end()])
  }
}
