import { sql, type Transaction } from 'kysely'
import type { Db } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import type { NewAuditEvent } from './audit-event.ts'
import { appendEvents } from './audit.repository.ts'

/**
 * A piece of a transaction: what is done in it is there as a whole or not at all, and what it owes to the log it owes
 * to the piece around it. The outermost pays.
 */
interface Piece {
  readonly transaction: Transaction<Schema>
  readonly depth: number
  readonly events: NewAuditEvent[]
  /** Whether a piece inside it is open. */
  busy: boolean
}

const pieces = new WeakMap<object, Piece>()

/** Whether a handle is a transaction that `oneTransaction` opened. */
export const isPiece = (db: Db): boolean => pieces.has(db)

/**
 * Runs several verbs in one transaction. Each of them is there as a whole or not at all: one that throws has done
 * nothing, and who catches its error can go on. When `fn` throws, none of them has done anything. Their events are
 * appended at the end, in the order of the verbs. Verbs go one after the other, never at once.
 *
 * Inside another one it is a part of that one.
 * @example
 *   await oneTransaction(db, async (unit) => {
 *     const tenant = await createTenant(unit, actor, catalogue, input)
 *     await assignProduct(unit, actor, catalogue, tenant.id, 'certifai')
 *   })
 */
export async function oneTransaction<Result>(db: Db, fn: (unit: Db) => Promise<Result>): Promise<Result> {
  if (isPiece(db)) return await asPiece(db, async (unit) => ({ result: await fn(unit), events: [] }))
  return await db.transaction().execute(async (transaction) => {
    const piece: Piece = { transaction, depth: 0, events: [], busy: false }
    pieces.set(transaction, piece)
    try {
      const result = await fn(transaction)
      if (piece.busy) throw overlapping()
      await appendEvents(transaction as never, piece.events)
      return result
    } finally {
      pieces.delete(transaction)
    }
  })
}

/**
 * Does what `fn` does and takes it back: what would have followed is what it answers. Nothing is written, and the log
 * hears nothing.
 */
export async function rehearse<Result>(db: Db, fn: (unit: Db) => Promise<Result>): Promise<Result> {
  const curtain = new Curtain<Result>()
  try {
    return await oneTransaction(db, async (unit) => {
      curtain.result = await fn(unit)
      throw curtain
    })
  } catch (error) {
    if (error !== curtain) throw error
    return curtain.result as Result
  }
}

/** What ends a rehearsal: no error, but only an error rolls back. */
class Curtain<Result> extends Error {
  result: Result | undefined
}

/**
 * Runs `fn` as a piece of the piece that `db` is, between a savepoint and its release.
 * @throws {Error} when another one is open: on one connection their statements would mix
 */
export async function asPiece<Result>(
  db: Db,
  fn: (unit: Transaction<Schema>) => Promise<{ readonly result: Result; readonly events: readonly NewAuditEvent[] }>,
): Promise<Result> {
  const outer = pieces.get(db)
  if (!outer) throw new Error('this transaction is over')
  if (outer.busy) throw overlapping()
  outer.busy = true
  // The same connection under another name, so that each piece knows what is open inside it.
  const transaction = outer.transaction.withoutPlugins()
  const piece: Piece = { transaction, depth: outer.depth + 1, events: [], busy: false }
  const savepoint = sql.raw(`piece_${piece.depth}`)
  pieces.set(transaction, piece)
  try {
    await sql`savepoint ${savepoint}`.execute(transaction)
    const { result, events } = await fn(transaction)
    if (piece.busy) throw overlapping()
    await sql`release savepoint ${savepoint}`.execute(transaction)
    outer.events.push(...piece.events, ...events)
    return result
  } catch (error) {
    // Where even this fails the connection is gone, and with it the whole transaction: the first error says why.
    await sql`rollback to savepoint ${savepoint}`.execute(transaction).catch(() => undefined)
    throw error
  } finally {
    pieces.delete(transaction)
    outer.busy = false
  }
}

const overlapping = () => new Error('the verbs of one transaction go one after the other: await each of them')
