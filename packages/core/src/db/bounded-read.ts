import { sql } from 'kysely'
import type { Db, Reader } from './handles.ts'
import { housekeeping } from './housekeeping.ts'

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
  return await housekeeping(db, async (tx) => {
    await tx
      .selectFrom(sql`(select ${set('statement_timeout', String(milliseconds))} as set)`.as('bound'))
      .select([sql`bound.set`.as('set'), set('jit', 'off').as('jit')])
      .$if(planning === 'in_order', (query) =>
        query.select([set('enable_sort', 'off').as('sort'), set('plan_cache_mode', 'force_generic_plan').as('plan')]),
      )
      .execute()
    return await read(tx)
  })
}

/** Sets something until the transaction ends. */
const set = (name: string, value: string) => sql<string>`set_config(${name}, ${value}, true)`
