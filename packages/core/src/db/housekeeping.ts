import type { Kysely } from 'kysely'
import { asPiece, isPiece } from '../audit/one-transaction.ts'
import type { Db, HousekeepingTx } from './handles.ts'
import type { Schema } from './schema.ts'

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

/**
 * What may be written of the six without an event, and why:
 *
 * - `api_keys.hash`: a dearer hash of the same secret. It opens nothing that was closed, and nobody decided it.
 * - the key of the revocation probe (api-keys/revocation-probe.ts): a key of the platform's own that opens nothing, made
 *   to be switched off and on every minute. A year of events about it would bury the others.
 */
export type KeyHousekeepingTx = HousekeepingTx & Pick<Kysely<Pick<Schema, 'api_keys'>>, 'insertInto' | 'updateTable'>

/** Runs `fn` in a transaction that may write what the list above names. */
export async function keyHousekeeping<Result>(db: Db, fn: (tx: KeyHousekeepingTx) => Promise<Result>): Promise<Result> {
  return await housekeeping(db, async (tx) => await fn(tx))
}
