import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import type { DatabaseOptions } from './database.ts'
import { asUnavailable } from './unavailable.ts'

/** SQLSTATEs of a statement that is not there, and of one that somebody else made under the same name. */
const forgotten = new Set(['26000', '42P05'])

/**
 * How often it is asked, at most. A pooler that many use gives a session back to who had it last only by chance: so often
 * it does not.
 */
const roundsMax = 20

/**
 * Whether prepared statements survive from one transaction to the next. They do on a plain connection and behind a
 * pooler that tracks them; behind one that does not, most requests would fail, each when it meets another session.
 *
 * What was prepared is used until another session than before answers, which decides it; or none ever does.
 * @throws {RegistryError} `database.unavailable`
 */
export async function keepsPreparedStatements({
  connectionString,
  connectTimeoutMs,
}: DatabaseOptions): Promise<boolean> {
  const open = () => new Client({ connectionString, connectionTimeoutMillis: connectTimeoutMs ?? 2_000 })
  const [first, second] = [open(), open()]
  for (const client of [first, second]) client.on('error', () => undefined)
  // Of its own: what another server has just prepared there under the same name would pass for it.
  const name = `prepared_statement_probe_${randomBytes(8).toString('hex')}`
  const session = async (): Promise<unknown> =>
    (await first.query<{ pid: number }>({ name, text: 'select pg_backend_pid() as pid' })).rows[0]?.pid
  try {
    await Promise.all([first.connect(), second.connect()])
    const prepared = await session()
    // Who is answered by the process that greeted them has it to themselves.
    if (prepared === Reflect.get(first, 'processID')) return true
    for (let round = 0; round < roundsMax; round += 1) {
      // Takes the session that it was prepared in, if sessions are shared, so that the next use is elsewhere.
      await second.query('begin')
      await second.query('select 1')
      const now = await session()
      await second.query('rollback')
      if (now !== prepared) return true
    }
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && forgotten.has(String(error.code))) return false
    throw asUnavailable(error)
  } finally {
    await Promise.allSettled([first.end(), second.end()])
  }
}
