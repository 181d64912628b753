import type { Transaction } from 'kysely'
import type { AuditedTx, Db } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import type { Actor } from './actor.ts'
import { type Change, type NewAuditEvent, ownEvent } from './audit-event.ts'
import { appendEvents } from './audit.repository.ts'
import { asPiece, isPiece } from './one-transaction.ts'

declare const decided: unique symbol

/** What an audited function ends in: its result, and the events that it owes. */
export interface Outcome<Result> {
  readonly result: Result
  readonly changes: readonly Change[]
  /** What a product's own log says of it besides. */
  readonly told: readonly NewAuditEvent[]
  readonly [decided]: true
}

/** Something was changed, and this is what the log says of it. */
export function changed<Result>(result: Result, ...changes: [...Change[], Change]): Outcome<Result> {
  return { result, changes, told: [] } as unknown as Outcome<Result>
}

/** The same, and a product's own log says these things of it. */
export function changedAndTold<Result>(
  result: Result,
  told: readonly NewAuditEvent[],
  ...changes: [...Change[], Change]
): Outcome<Result> {
  return { result, changes, told } as unknown as Outcome<Result>
}

/** Nothing was changed, so there is nothing to record. */
export function unchanged<Result>(result: Result): Outcome<Result> {
  return { result, changes: [], told: [] } as unknown as Outcome<Result>
}

/**
 * The one door to a mutation: runs `fn` in a transaction and appends its events as the last thing before the commit.
 * The change and its events are there together or not at all. Slow work (hashing, HTTP) belongs before this call.
 * In a transaction of `oneTransaction` it is a part of that one, whose end appends the events.
 * @example
 *   return await audited(db, actor, async (tx) => {
 *     const tenant = await insertTenant(tx, input)
 *     return changed(tenant, { action: 'tenant.created', crud: 'c', tenant, target: …, after: tenant })
 *   })
 */
export async function audited<Result>(
  db: Db,
  actor: Actor,
  fn: (tx: AuditedTx) => Promise<Outcome<Result>>,
): Promise<Result> {
  const run = async (transaction: Transaction<Schema>) => {
    const { result, changes, told } = await fn(transaction as unknown as AuditedTx)
    return { result, events: [...changes.map((change) => ownEvent(actor, change)), ...told] }
  }
  if (isPiece(db)) return await asPiece(db, run)
  return await db.transaction().execute(async (transaction) => {
    const { result, events } = await run(transaction)
    await appendEvents(transaction as unknown as AuditedTx, events)
    return result
  })
}
