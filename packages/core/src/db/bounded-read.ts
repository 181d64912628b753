import { type RawBuilder, sql } from 'kysely'
import { isPiece } from '../audit/one-transaction.ts'
import type { Db, Reader } from './handles.ts'
import { housekeeping } from './housekeeping.ts'
import { pipelined } from './pipelined.ts'
import { executeShape } from './prepared.ts'

/**
 * How statements are planned: `freely`, or along an index that has the rows in the order in which they are asked for,
 * once for all values. PostgreSQL knows nothing of how the values of several columns go together, takes what is frequent
 * for rare and would rather sort all of it.
 */
export type Planning = 'freely' | 'in_order'

/**
 * Reads what somebody may make arbitrarily dear. PostgreSQL itself ends what takes longer: a statement whose caller has
 * merely stopped waiting would go on there.
 *
 * Nothing is compiled for it (`jit`). PostgreSQL compiles what it takes for dear, each partition's part of it anew for
 * each statement, which takes seconds where reading takes a millisecond; and up to version 17 whatever cannot do without
 * a sort is dear beyond measure while sorting is off.
 * @param milliseconds that each statement may take
 * @throws {RegistryError} `database.busy` when one takes longer
 */
export async function boundedRead<Result>(
  db: Db,
  milliseconds: number,
  read: (reader: Reader) => Promise<Result>,
  planning: Planning = 'freely',
): Promise<Result> {
  return await boundedReadAfter(db, milliseconds, sql<null>`null`, read, planning)
}

/**
 * The same, after something that is asked on the way there, without a round trip of its own: what other statements get as
 * a parameter leaves out partitions before any of them is opened, what they ask for themselves only afterwards.
 * @param first an expression, whose text is one of a few
 * @throws {RegistryError} `database.busy` when a statement takes longer
 */
export async function boundedReadAfter<First, Result>(
  db: Db,
  milliseconds: number,
  first: RawBuilder<First>,
  read: (reader: Reader, first: First) => Promise<Result>,
  planning: Planning = 'freely',
): Promise<Result> {
  const ordered = [set('enable_sort', 'off'), set('plan_cache_mode', 'force_generic_plan')]
  const settings = [
    set('statement_timeout', String(milliseconds)),
    set('jit', 'off'),
    ...(planning === 'in_order' ? ordered : []),
  ]
  return await reading(db, async (tx) => {
    const asked = sql<{ first: First }>`select ${first} as first, ${sql.join(settings)}`
    const [row] = await executeShape(tx, 'bounded_read', asked)
    return await read(tx, row?.first as First)
  })
}

/**
 * Runs `fn` in a transaction in which nothing is written, and does not wait for its end: that takes nothing back of what
 * was read, and would be a round trip more. A part of another transaction is waited for: what comes next in that one is on
 * the same connection.
 */
async function reading<Result>(db: Db, fn: (reader: Reader) => Promise<Result>): Promise<Result> {
  if (isPiece(db)) return await housekeeping(db, fn)
  return await new Promise<Result>((resolve, reject) => {
    pipelined(db, async (tx) => {
      const answer = await fn(tx)
      resolve(answer)
      return { answer }
    }).catch(reject)
  })
}

/** Sets something until the transaction ends. */
const set = (name: string, value: string) => sql<string>`set_config(${sql.lit(name)}, ${value}, true)`
