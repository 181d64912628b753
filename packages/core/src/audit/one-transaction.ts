import { sql, type Transaction } from 'kysely'
import type { AuditedTx, Db } from '../db/handles.ts'
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
  /** The piece inside it that is open, if one is. */
  open: Promise<unknown> | undefined
  over: boolean
}

const pieces = new WeakMap<object, Piece>()

/** Whether a handle is a transaction that `oneTransaction` opened. */
export const isPiece = (db: Db): boolean => pieces.has(db)

/**
 * Runs several verbs in one transaction. Each of them is there as a whole or not at all: one that throws has done
 * nothing, and who catches its error can go on. When `fn` throws, none of them has done anything. Their events are
 * appended at the end, in the order of the verbs. Verbs go one after the other: one that begins while another is
 * under way is refused.
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
    const piece = begin(transaction, 0)
    const result = await finish(piece, fn)
    await appendEvents(transaction as unknown as AuditedTx, piece.events)
    return result
  })
}

/**
 * Does what `fn` does and takes it back: what would have followed is what it answers. Nothing is written, and the log
 * hears nothing.
 */
export async function rehearse<Result>(db: Db, fn: (unit: Db) => Promise<Result>): Promise<Result> {
  // Only an error rolls back.
  const curtain = new Error('the rehearsal is over')
  const shown: { result?: Result } = {}
  try {
    return await oneTransaction(db, async (unit) => {
      shown.result = await fn(unit)
      throw curtain
    })
  } catch (error) {
    if (error !== curtain) throw error
    return shown.result as Result
  }
}

/** What a piece made, and what it owes to the log. */
interface Made<Result> {
  readonly result: Result
  readonly events: readonly NewAuditEvent[]
}

/**
 * Runs `fn` as a piece of the piece that `db` is, between a savepoint and its release.
 * @throws {Error} when another one is open: on one connection their statements would mix
 */
export async function asPiece<Result>(
  db: Db,
  fn: (unit: Transaction<Schema>) => Promise<Made<Result>>,
): Promise<Result> {
  const outer = pieces.get(db)
  if (!outer || outer.over) throw new Error('this transaction is over')
  if (outer.open) throw overlapping()
  const work = betweenSavepoints(outer, fn)
  outer.open = work
  try {
    return await work
  } finally {
    outer.open = undefined
  }
}

async function betweenSavepoints<Result>(
  outer: Piece,
  fn: (unit: Transaction<Schema>) => Promise<Made<Result>>,
): Promise<Result> {
  // The same connection under another name, so that each piece knows what is open inside it.
  const transaction = outer.transaction.withoutPlugins()
  const piece = begin(transaction, outer.depth + 1)
  const savepoint = sql.raw(`piece_${piece.depth}`)
  await sql`savepoint ${savepoint}`.execute(transaction)
  try {
    const { result, events } = await finish(piece, fn)
    await sql`release savepoint ${savepoint}`.execute(transaction)
    outer.events.push(...piece.events, ...events)
    return result
  } catch (error) {
    // Where this fails, nothing of the transaction can be committed any more: the first error says why.
    await takeBack(transaction, savepoint).catch(() => undefined)
    throw error
  }
}

/** Released as well: savepoints that pile up make every later statement dearer. */
async function takeBack(transaction: Transaction<Schema>, savepoint: ReturnType<typeof sql.raw>): Promise<void> {
  await sql`rollback to savepoint ${savepoint}`.execute(transaction)
  await sql`release savepoint ${savepoint}`.execute(transaction)
}

function begin(transaction: Transaction<Schema>, depth: number): Piece {
  const piece: Piece = { transaction, depth, events: [], open: undefined, over: false }
  pieces.set(transaction, piece)
  return piece
}

/**
 * Runs `fn`, and whatever it began without waiting for it, to the end: nothing may be under way when the piece is
 * released or rolled back, or it would go on outside of it.
 */
async function finish<Result>(piece: Piece, fn: (unit: Transaction<Schema>) => Promise<Result>): Promise<Result> {
  let left = false
  try {
    return await fn(piece.transaction)
  } finally {
    for (; piece.open; left = true) await piece.open.catch(() => undefined)
    piece.over = true
    // oxlint-disable-next-line no-unsafe-finally -- a verb that nobody waits for is a mistake, whatever else went wrong
    if (left) throw overlapping()
  }
}

const overlapping = () => new Error('the verbs of one transaction go one after the other: await each of them')
