import { sql } from 'kysely'
import type { Db, Reader } from './handles.ts'
import { housekeeping } from './housekeeping.ts'

/**
 * Reads what somebody may make arbitrarily dear. PostgreSQL itself ends what takes longer: a statement whose caller has
 * merely stopped waiting would go on there.
 * @param milliseconds that each statement may take
 * @throws {RegistryError} `database.busy` when one takes longer
 */
export async function boundedRead<Result>(
  db: Db,
  milliseconds: number,
  read: (reader: Reader) => Promise<Result>,
): Promise<Result> {
  return await housekeeping(db, async (tx) => {
    await tx
      .selectFrom(sql`(select set_config('statement_timeout', ${String(milliseconds)}, true) as set)`.as('bound'))
      .select(sql`bound.set`.as('set'))
      .execute()
    return await read(tx)
  })
}
