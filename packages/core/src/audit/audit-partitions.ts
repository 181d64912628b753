import { sql } from 'kysely'
import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'

/**
 * Makes the partitions of the log for this month and the next twelve, as far as they are missing.
 * @returns how many were
 * @throws {RegistryError} `database.busy` when somebody was in the way: there is a year's time to try again
 */
export async function ensureAuditPartitions(db: Db): Promise<number> {
  return await housekeeping(db, async (tx) => {
    const { made } = await tx
      .selectFrom(sql<{ made: number }>`(select registry.ensure_audit_partitions() as made)`.as('partitions'))
      .select('made')
      .executeTakeFirstOrThrow()
    return made
  })
}
