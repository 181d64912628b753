import { type Expression, expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Planning } from '../db/bounded-read.ts'
import type { Reader } from '../db/handles.ts'
import { executeShape } from '../db/prepared.ts'
import type { Schema } from '../db/schema.ts'
import type { TenantId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { conditionsOf, type EventFilter } from './event-filter.ts'
import { columns, eventBytes, type EventRow, shownColumns } from './shown-columns.ts'

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

/**
 * How a batch is to be planned: along the index that has all of a log or a product in order, unless something is asked for
 * that may be rare, which another index finds.
 */
export function planningOf({ filter }: Pick<ExportWindow, 'filter'>): Planning {
  const { search, action, actor_id, target_id, target_type, external_id, source_ip, group_id } = filter
  const rare = [search, action, actor_id, target_id, target_type, external_id, source_ip, group_id]
  return rare.every((each) => each === undefined) ? 'in_order' : 'freely'
}

/**
 * More branches than these are one part of the statement, which reads as much for each as for the whole batch: a plan of
 * several parts has a megabyte for each of them, and every connection keeps it.
 */
const branchesMax = 8

/** Events in the order in which they happened or the reverse of it, from the one after `after` on. None at the end. */
export async function readExport(db: Reader, window: ExportWindow): Promise<EventRow[]> {
  const { filter, branches, direction, rowsMax, bytesMax } = window
  const way = sql.raw(direction)
  const inOrder = sql`order by canonical_at ${way}, id ${way} limit ${rowsMax}`
  let found: Selection
  if (branches === undefined) found = select(window, filter)
  else if (branches.values.length > branchesMax) found = sql`select each.* from ${eachOf(window, branches)} ${inOrder}`
  else {
    const name = branches.column === 'product' ? 'product' : 'tenant_id'
    const each = branches.values.map((value) => sql`(${select(window, { ...filter, [name]: value })})`)
    // Nothing was recorded yet, so that there is no product.
    if (each.length === 0) return []
    found = sql`select each.* from (${sql.join(each, sql` union all `)}) as each ${inOrder}`
  }
  const measured = db
    .selectFrom(sql<EventRow & { size: number }>`(${found})`.as('found'))
    .selectAll()
    .select(
      sql<number>`sum(size) over (order by canonical_at ${way}, id ${way} rows unbounded preceding) - size`.as(
        'bytes_before',
      ),
    )
  const batch = db
    .selectFrom(measured.as('measured'))
    .select(columns.map((name) => sql.ref(name).as(name)))
    .where('bytes_before', '<', bytesMax)
    .orderBy('canonical_at', direction)
    .orderBy('id', direction)
    .$castTo<EventRow>()
  // Planning over dozens of partitions takes a tenth of what a batch takes.
  return planningOf(window) === 'in_order'
    ? await executeShape(db, 'audit_export', sql<EventRow>`${batch}`)
    : await batch.execute()
}

type Selection = RawBuilder<EventRow & { size: number }>

/** A batch of what matches the filter, and more conditions. */
function select(window: ExportWindow, filter: EventFilter, more: readonly Expression<SqlBool>[] = []): Selection {
  const { sight, direction, after, rowsMax } = window
  const way = sql.raw(direction)
  const comparison = sql.raw(direction === 'asc' ? '>' : '<')
  const beyond = after && sql<SqlBool>`(canonical_at, id) ${comparison} (${after.key}::timestamptz, ${after.id}::uuid)`
  const conditions = [...conditionsOf(sight, filter), ...(beyond ? [beyond] : []), ...more]
  return sql`select ${shownColumns(sight)}, ${eventBytes} as size from audit_log where ${eb.and(conditions)}
    order by canonical_at ${way}, id ${way} limit ${rowsMax}`
}

/** A batch of each branch. */
function eachOf(window: ExportWindow, { column, values }: Branches): RawBuilder<unknown> {
  const isProduct = column === 'product'
  const branch = sql<SqlBool>`${sql.ref(column)} = branch.branch`
  // Months in which nothing of a product is kept any more would be looked through for every batch.
  const floor = isProduct ? [sql<SqlBool>`received_at >= branch.floor`] : []
  return sql`(
      select branch, ${isProduct ? sql`registry.audit_floor(branch)` : sql`null`} as floor
      from unnest(${values}::${sql.raw(isProduct ? 'text' : 'uuid')}[]) as branch offset 0
    ) as branch cross join lateral (${select(window, window.filter, [branch, ...floor])}) as each`
}

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
