import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import { directPool, type Last } from './database.ts'
import { type Db, type HousekeepingTx, unwrap } from './handles.ts'
import { housekeeping } from './housekeeping.ts'
import type { Schema } from './schema.ts'

/**
 * `housekeeping` whose statements do not wait for one another: what does not depend on an answer is sent before it, and
 * the commit with the last statement. Where several round trips are most of what a transaction takes, it takes a third.
 * PostgreSQL does its statements in the order in which they were asked, so their locks are taken in that order too.
 *
 * In a transaction of `oneTransaction` it is a part of that one, where each waits for the one before.
 * @param work what it asks before the transaction is known to have begun is sent at once only as long as it is a `select`:
 *   that is to write nothing
 * @param lockMs milliseconds that it waits for a lock; 5 000 unless told
 */
export async function pipelined<Answer>(
  db: Db,
  work: (tx: HousekeepingTx) => Promise<Last<Answer>>,
  lockMs?: number,
): Promise<Answer> {
  const pool = directPool(db)
  if (!pool) {
    return await housekeeping(db, async (tx) => {
      const { last, answer } = await work(tx)
      if (last) await unwrap(tx).executeQuery(last)
      return answer
    })
  }
  return await pool.pipeline(async (query) => {
    // kysely lets the statements of its own transactions wait for one another, those of a pool it does not.
    const client = { query, release: () => undefined } as unknown as PostgresPoolClient
    const connect = async () => await Promise.resolve(client)
    const dialect = new PostgresDialect({
      pool: { options: pool.options, connect, end: async () => await Promise.resolve() },
    })
    return await work(new Kysely<Schema>({ dialect }) as unknown as HousekeepingTx)
  }, lockMs)
}
