import { asPiece, isPiece } from '../audit/one-transaction.ts'
import type { Db, HousekeepingTx } from './handles.ts'

/**
 * Runs `fn` in a transaction that may write the tables of schema `registry` and none of the six: what is written here
 * tells nothing about a tenant, so it owes no audit event. In a transaction of `oneTransaction` it is a part of that
 * one.
 */
export async function housekeeping<Result>(db: Db, fn: (tx: HousekeepingTx) => Promise<Result>): Promise<Result> {
  if (isPiece(db)) {
    return await asPiece(db, async (tx) => ({ result: await fn(tx as unknown as HousekeepingTx), events: [] }))
  }
  return await db.transaction().execute(async (tx) => await fn(tx as unknown as HousekeepingTx))
}
