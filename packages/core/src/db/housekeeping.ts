import type { Db, HousekeepingTx } from './handles.ts'

/**
 * Runs `fn` in a transaction that may write the tables of schema `registry` and none of the six: what is written here
 * tells nothing about a tenant, so it owes no audit event.
 */
export async function housekeeping<Result>(db: Db, fn: (tx: HousekeepingTx) => Promise<Result>): Promise<Result> {
  return await db.transaction().execute(async (tx) => await fn(tx as unknown as HousekeepingTx))
}
