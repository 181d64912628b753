import {
  type CompiledQuery,
  type ConnectionProvider,
  type DatabaseConnection,
  DefaultQueryExecutor,
  Kysely,
  PostgresDialect,
  type QueryResult,
} from 'kysely'
import { directPool, type Last, type Send } from './database.ts'
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
  return await pool.pipeline(async (send) => await work(transactionOf(send)), lockMs)
}

/**
 * A transaction that sends each statement in the very moment in which it is asked. kysely's own hands them on in steps, of
 * which the first statement has more than the second; and those of its transactions wait for one another.
 */
function transactionOf(send: Send): HousekeepingTx {
  const connection: DatabaseConnection = {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      const { rows, rowCount } = await send(sql, parameters)
      return { rows: rows as Row[], numAffectedRows: BigInt(rowCount ?? 0) }
    },
    streamQuery: () => {
      throw new Error('nothing is streamed here')
    },
  }
  const provider: ConnectionProvider = { provideConnection: async (consumer) => await consumer(connection) }
  const executor = new DefaultQueryExecutor(compiler, adapter, provider)
  return new Kysely<Schema>({ config: { dialect }, dialect, driver, executor }) as unknown as HousekeepingTx
}

const dialect = new PostgresDialect({
  pool: async () => await Promise.reject(new Error('a transaction has no pool')),
})
const [compiler, adapter, driver] = [dialect.createQueryCompiler(), dialect.createAdapter(), dialect.createDriver()]
