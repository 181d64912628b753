import { sql } from 'kysely'
import type { HousekeepingTx, Reader } from '../db/handles.ts'
import { type Param, prepared } from '../db/prepared.ts'
import type { RegistryChange } from './registry-change.ts'

type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null }

/** A change, beside what is known of the feed; or that alone, once, when there is no change to show. */
type FeedRow = Nullable<RegistryChange> & {
  /** The number of the latest change of all. */
  readonly head: number
  /** The last change that was looked at, in sight or not; null when there was none. */
  readonly reached: number | null
}

/**
 * The changes after a position, as far as they go without a gap, and of them those in sight. Everything is of one
 * moment: with a head read a moment later, what was committed between the two would be passed over.
 */
const changesAfter = prepared(
  'changes_after',
  (db, after: Param<number | null>, considered: Param<number>, product: Param<string | null>, limit: Param<number>) =>
    db
      .selectFrom(
        sql<FeedRow>`(
          with feed as (
            select n as head, coalesce(${after}::bigint, (select min(n) - 1 from registry.changes), n) as start
            from registry.change_counter
          ),
          candidates as (
            select n, at, kind, tenant_id, ref_id
            from registry.changes where n > (select start from feed)
            order by n limit ${considered}::integer
          ),
          considered as materialized (
            select n, at, kind, tenant_id, ref_id
            from (select *, row_number() over (order by n) as place from candidates) numbered
            where n = (select start from feed) + place
          ),
          visible as (
            select n, at, kind, tenant_id, ref_id
            from considered
            where ${product}::text is null
              or (kind = 'tenant_product' and ref_id = ${product}::text)
              or exists (
                select from tenant_products
                where tenant_products.product = ${product}::text and tenant_products.tenant_id = considered.tenant_id
              )
            order by n limit ${limit}::integer
          )
          select head, (select max(n) from considered) as reached, visible.*
          from feed left join visible on true
        )`.as('feed'),
      )
      .select(['head', 'reached', 'n', 'at', 'kind', 'tenant_id', 'ref_id'])
      .orderBy('n'),
)

/** What a read of the feed looks at. */
export interface FeedWindow {
  /** Where to go on; null for the oldest change that is kept. */
  readonly after: number | null
  /** How many changes to look at. */
  readonly considered: number
  /** Only what concerns the tenants that have this product. */
  readonly product: string | null
  /** How many changes to answer. */
  readonly limit: number
}

/** Reads a part of the feed. At least one row, which may have no change. */
export async function readFeed(db: Reader, { after, considered, product, limit }: FeedWindow): Promise<FeedRow[]> {
  return await changesAfter(db, after, considered, product, limit)
}

const counter = prepared('changes_head', (db) => db.selectFrom('registry.change_counter').select('n'))

/** The number of the latest change. */
export async function readHead(db: Reader): Promise<number> {
  const [row] = await counter(db)
  if (!row) throw new Error('registry.change_counter has no row')
  return row.n
}

const plainChanges = prepared('changes_plain', (db, after: Param<number>, limit: Param<number>) =>
  db
    .selectFrom('registry.change_counter as counter')
    .leftJoin(
      (feed) =>
        feed
          .selectFrom('registry.changes')
          .select(['n', 'kind', 'tenant_id', 'ref_id'])
          .where('n', '>', after)
          .orderBy('n')
          .limit(limit)
          .as('feed'),
      (join) => join.onTrue(),
    )
    .select(['counter.n as head', 'feed.n', 'feed.kind', 'feed.tenant_id', 'feed.ref_id'])
    .orderBy('feed.n'),
)

/** The changes after a position, for the process itself: whatever they are of, and whether or not there is a gap. */
export async function findChanges(db: Reader, after: number, limit: number) {
  const rows = await plainChanges(db, after, limit)
  const [first] = rows
  if (!first) throw new Error('registry.change_counter has no row')
  const changes = rows.flatMap(({ n, kind, tenant_id, ref_id }) =>
    n === null || kind === null || tenant_id === null || ref_id === null ? [] : [{ n, kind, tenant_id, ref_id }],
  )
  return { head: first.head, changes }
}

/**
 * Deletes the oldest changes, those before the first that is to be kept: never one from the middle, whatever the clock
 * was when they were made.
 */
export async function deleteChangesBefore(tx: HousekeepingTx, time: Date, rowsMax: number): Promise<number> {
  const firstKept = tx.selectFrom('registry.changes').select('n').where('at', '>=', time).orderBy('n').limit(1)
  const oldest = tx
    .selectFrom('registry.changes')
    .select('n')
    .where('n', '<', sql<number>`coalesce((${firstKept}), (select n + 1 from registry.change_counter))`)
    .orderBy('n')
    .limit(rowsMax)
  const { numDeletedRows } = await tx.deleteFrom('registry.changes').where('n', 'in', oldest).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** Whether this process has the turn to delete changes, until the transaction ends. */
export async function tryCleaningTurn(tx: HousekeepingTx): Promise<boolean> {
  const turn = await tx
    .selectFrom(sql<{ granted: boolean }>`(select pg_try_advisory_xact_lock(7268302092) as granted)`.as('turn'))
    .select('granted')
    .executeTakeFirstOrThrow()
  return turn.granted
}
