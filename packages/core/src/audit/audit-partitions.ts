import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'

const attemptsMax = 5

/**
 * Makes the partitions of the log for this month and the next twelve, as far as they are missing. It waits two seconds
 * for whoever is in the way, since others wait behind it, and tries again a few times.
 * @returns how many were
 * @throws {RegistryError} `database.busy` when somebody was in the way all the time: there is a year to try again
 */
export async function ensureAuditPartitions(db: Db): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await makePartitions(db)
    } catch (error) {
      const isBusy = error instanceof RegistryError && error.code === 'database.busy'
      if (!isBusy || attempt === attemptsMax) throw error
      // Two that wait for each other are not to do so in step.
      await sleep(attempt * 200 * (1 + Math.random()))
    }
  }
}

async function makePartitions(db: Db): Promise<number> {
  return await housekeeping(db, async (tx) => {
    const { made } = await tx
      .selectFrom(sql<{ made: number }>`(select registry.ensure_audit_partitions() as made)`.as('partitions'))
      .select('made')
      .executeTakeFirstOrThrow()
    return made
  })
}
