import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import type { TenantId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { conditionsOf, type EventFilter } from './event-filter.ts'
import { columns, type EventRow, shown } from './shown-columns.ts'

const eb = expressionBuilder<Schema, 'audit_log'>()

/**
 * What the rows of an export are found by: the indexes of the log begin with a stream or a product, so what is of
 * several is read from the index of each, and put together in order. Without any, all of the log would be sorted for
 * every batch.
 */
export interface Branches {
  readonly column: 'stream_id' | 'product'
  readonly values: readonly string[]
}

/** Which events to read, and how many of them. */
export interface ExportWindow {
  readonly sight: Sight
  readonly filter: EventFilter
  /** Undefined where the filter itself names a stream or a product. */
  readonly branches: Branches | undefined
  readonly direction: 'asc' | 'desc'
  readonly after: Position | undefined
  readonly rowsMax: number
  /** An event may be hundreds of times as large as most: no more than about this many bytes, but at least one event. */
  readonly bytesMax: number
}

/** What an event may have much of. */
const wide = ['fields', 'metadata', 'actor_fields', 'target_fields', 'description', 'group_name'] as const

/** How many bytes an event has, roughly. */
const size = sql<number>`(1000 + ${sql.join(
  wide.map((name) => sql`coalesce(octet_length(${sql.ref(name)}::text), 0)`),
  sql` + `,
)})`

/** Events in the order in which they happened or the reverse of it, from the one after `after` on. None at the end. */
export async function readExport(db: Reader, window: ExportWindow): Promise<EventRow[]> {
  const { sight, filter, branches, direction, after, rowsMax, bytesMax } = window
  const way = sql.raw(direction)
  const conditions = conditionsOf(sight, filter)
  const comparison = sql.raw(direction === 'asc' ? '>' : '<')
  if (after) conditions.push(sql`(canonical_at, id) ${comparison} (${after.key}::timestamptz, ${after.id}::uuid)`)
  const select = (more: readonly Expression<SqlBool>[]) =>
    db
      .selectFrom('audit_log')
      .select(columns.map((name) => shown(sight, name).as(name)))
      .select(size.as('size'))
      .where(eb.and([...conditions, ...more]))
      .orderBy('canonical_at', direction)
      .orderBy('id', direction)
      .limit(rowsMax)
  const found = branches
    ? db
        .selectFrom(
          sql<{ branch: string; floor: Date }>`(
            select branch, ${branches.column === 'product' ? sql`registry.audit_floor(branch)` : sql`null`} as floor
            from unnest(${branches.values}::${typeOf(branches)}[]) as branch offset 0
          )`.as('branch'),
        )
        .innerJoinLateral(
          select([sql<SqlBool>`${sql.ref(branches.column)} = branch.branch`, ...floorOf(branches)]).as('each'),
          (join) => join.onTrue(),
        )
        .selectAll('each')
        .orderBy('each.canonical_at', direction)
        .orderBy('each.id', direction)
        .limit(rowsMax)
    : select([])
  const measured = db
    .selectFrom(found.as('found'))
    .selectAll()
    .select(
      sql<number>`sum(size) over (order by canonical_at ${way}, id ${way} rows unbounded preceding) - size`.as(
        'bytes_before',
      ),
    )
  return await db
    .selectFrom(measured.as('measured'))
    .select(columns.map((name) => sql.ref(name).as(name)))
    .where('bytes_before', '<', bytesMax)
    .orderBy('canonical_at', direction)
    .orderBy('id', direction)
    .$castTo<EventRow>()
    .execute()
}

/** Months in which nothing of a product is kept any more would be looked through for every batch. */
const floorOf = ({ column }: Branches): Expression<SqlBool>[] =>
  column === 'product' ? [sql`received_at >= branch.floor`] : []

const typeOf = ({ column }: Branches) => sql.raw(column === 'stream_id' ? 'uuid' : 'text')

/** The products that the log has events of, from one to the next in the index. */
export async function listLoggedProducts(db: Reader): Promise<string[]> {
  const rows = await db
    .selectFrom(
      sql<{ product: string }>`(
        with recursive logged (product) as (
          (select product from audit_log order by product limit 1)
          union all
          select (select l.product from audit_log l where l.product > logged.product order by l.product limit 1)
          from logged where logged.product is not null
        )
        select product from logged where product is not null
      )`.as('logged'),
    )
    .select('product')
    .execute()
  return rows.map(({ product }) => product)
}

/** The tenant whose log is exported, unless it is gone. */
export async function findTenantOfLog(db: Reader, id: TenantId) {
  return await db.selectFrom('tenants').select(['id', 'name']).where('id', '=', id).executeTakeFirst()
}
