import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { StreamId } from '../id.ts'
import { pageLimit, type Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { actionBegins } from './action-pattern.ts'
import { columns, eventBytes, type EventRow, shownWithRoom } from './shown-columns.ts'

/**
 * A page of the log that is asked for, newest first. The texts of its statements depend on what kinds of filter there are
 * and on nothing else, so that each is planned once for each connection: the log has dozens of partitions, and planning
 * takes several times what reading does.
 */
export interface PageOrder {
  readonly sight: Sight
  readonly conditions: readonly Expression<SqlBool>[]
  readonly limit: number
  readonly after: Position | undefined
}

/** What a page has beside what is asked for first, as it is found by an index of its own. */
export type Others = Pick<PageOrder, 'conditions'>

/** A row of a page; one that the page has no room for has its place alone. */
export type PageRow = EventRow & { readonly is_cut: boolean }

export type PageStatement = RawBuilder<PageRow>

const names = sql.raw(columns.join(', '))
const newestFirst = sql`order by canonical_at desc, id desc`
/** What PostgreSQL takes for the size of a page before it knows: a plan for few rows, whatever their number. */
const planned = sql.lit(pageLimit.max + 1)

const all = (conditions: readonly Expression<unknown>[]): RawBuilder<SqlBool> =>
  conditions.length === 0 ? sql`true` : sql`(${sql.join(conditions, sql` and `)})`

const beyond = ({ after }: Pick<PageOrder, 'after'>): Expression<SqlBool>[] =>
  after === undefined ? [] : [sql<SqlBool>`(canonical_at, id) < (${after.key}::timestamptz, ${after.id}::uuid)`]

/** The first of some rows, as far as there is room for them. */
const firstOf = (sight: Sight, rows: RawBuilder<unknown>, limit: number): PageStatement =>
  sql`select ${shownWithRoom(sight)} from (
      select audit_log.*, sum(${eventBytes}) over (${newestFirst} rows between unbounded preceding and 1 preceding) as bytes_before
      from ${rows}
    ) as audit_log ${newestFirst} limit ${limit}`

/**
 * Walks along an index from the page's beginning on, until the page is full.
 * @param others more rows of the page: those before its last one, and all where it is not full
 */
export function walked(order: PageOrder, others?: Others): PageStatement {
  const rows = walk(order)
  return firstOf(order.sight, others ? withOthers(rows, order, walkOf(order, others), farthest) : rows, order.limit)
}

/** The same, of what stands before a place alone. */
export function walkedBefore(order: PageOrder, { key, id }: Position): PageStatement {
  const before = sql<SqlBool>`(canonical_at, id) > (${key}::timestamptz, ${id}::uuid)`
  return walked({ ...order, conditions: [...order.conditions, before] })
}

/**
 * The same, of the next `of` events alone for which `along` holds: what an index has in order.
 * @param along those of the conditions by which it goes
 * @param others more rows of the page: those before its last one, and none where it is not full
 */
export function walkedNear(
  order: PageOrder,
  along: readonly Expression<SqlBool>[],
  of: number,
  others?: Others,
): PageStatement {
  const { sight, conditions, limit } = order
  const rows = sql`(
      select ${names}, stream_id, search from audit_log where ${all([...along, ...beyond(order)])} ${newestFirst} limit ${of}
    ) as audit_log where ${all(conditions)}`
  return firstOf(sight, others ? withOthers(rows, order, walkOf(order, others), nearest) : rows, limit)
}

/** How others are found that have to be before a place. */
type FindOthers = (beforeEnd: Expression<SqlBool>) => RawBuilder<unknown>

const walkOf =
  ({ after }: PageOrder, { conditions }: Others): FindOthers =>
  (beforeEnd) =>
    walk({ conditions: [...conditions, beforeEnd], after })

/** The rows of an order, as many as a page can have. */
const walk = ({ conditions, ...order }: Pick<PageOrder, 'conditions' | 'after'>): RawBuilder<unknown> =>
  sql`(
      select ${names} from audit_log where ${all([...conditions, ...beyond(order)])} ${newestFirst} limit ${planned}
    ) as audit_log`

/** Before all that there may be, and behind it. */
const nearest: Position = { key: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }
const farthest: Position = { key: '-infinity', id: '00000000-0000-0000-0000-000000000000' }

/**
 * The first of some rows, and what others there are before the last of them, in one statement: mostly there are none, and
 * asking for them by itself would be a round trip.
 * @param find how the others are found
 * @param otherwise where the end of a page is that is not full
 */
function withOthers(
  rows: RawBuilder<unknown>,
  { limit }: Pick<PageOrder, 'limit'>,
  find: FindOthers,
  otherwise: Position,
): RawBuilder<unknown> {
  const beforeEnd = sql<SqlBool>`(canonical_at, id) > (
      coalesce((select canonical_at from page_end), ${sql.lit(otherwise.key)}),
      coalesce((select id from page_end), ${sql.lit(otherwise.id)})
    )`
  return sql`(
      with page as materialized (select ${names} from ${rows} ${newestFirst} limit ${limit}),
        page_end as materialized (select canonical_at, id from page ${newestFirst} offset ${limit - 1})
      select ${names} from page union all select ${names} from ${find(beforeEnd)}
    ) as audit_log`
}

/** Finds all that `found` holds for by its index, and sorts what matches of it: for what is rare. */
export function sorted(order: PageOrder, found: Expression<SqlBool>): PageStatement {
  const { sight, conditions, limit } = order
  // A fence: a plan that does not know how rare it is would rather walk. And one look for each row of the page, in order.
  const rows = sql`(
      select id as found_id, stream_id as found_stream, received_at as found_received from (
        select ${names}, stream_id, search from audit_log where ${found} offset 0
      ) as audit_log where ${all([...conditions, ...beyond(order)])} ${newestFirst} limit ${limit}
    ) as page cross join lateral (
      select ${names} from audit_log
      where id = page.found_id and stream_id = page.found_stream and received_at = page.found_received limit 1
    ) as audit_log`
  return firstOf(sight, rows, limit)
}

/**
 * Merges what there is for each of some values of a column, each along an index that begins with it.
 * @param by the column, and the type of its values
 * @param others more rows of the page: those before its last one, and all where it is not full
 */
export function merged(
  order: PageOrder,
  by: { readonly column: 'action' | 'stream_id'; readonly type: 'text' | 'uuid' },
  values: readonly string[],
  others?: Others,
): PageStatement {
  const { sight, conditions, limit } = order
  const each = sql`${sql.ref(by.column)} = one.value`
  const merge = (matching: readonly Expression<unknown>[]) =>
    sql`unnest(${values}::${sql.raw(by.type)}[]) as one (value) cross join lateral (
      select ${names} from audit_log where ${all([each, ...matching, ...beyond(order)])} ${newestFirst} limit ${planned}
    ) as audit_log`
  const rows = merge(conditions)
  if (others === undefined) return firstOf(sight, rows, limit)
  // Walked to, they would be looked for among all events wherever the page is not full.
  const find: FindOthers = (beforeEnd) => merge([...others.conditions, beforeEnd])
  return firstOf(sight, withOthers(rows, order, find, farthest), limit)
}

/**
 * Merges what there is in each log, along an index of its own: for what is rare in all of them together, and has an index
 * only within one.
 */
export function acrossLogs(order: PageOrder): PageStatement {
  const { sight, conditions, limit } = order
  const rows = sql`registry.audit_streams log cross join lateral (
      select ${names} from audit_log where ${all([inLog, ...conditions, ...beyond(order)])} ${newestFirst} limit ${planned}
    ) as audit_log`
  return firstOf(sight, rows, limit)
}

const inLog = sql<SqlBool>`stream_id = log.stream_id`

/** The first actions of a stream that begin alike, each found behind the one before. */
export function actionsOf(stream: StreamId, prefix: string, limit: number): RawBuilder<{ action: string }> {
  const among = sql`stream_id = ${stream} and ${actionBegins(prefix)}`
  return sql`with recursive actions (action) as (
      (select action from audit_log where ${among} order by action limit 1)
      union all
      select (
        select audit_log.action from audit_log
        where ${among} and audit_log.action > actions.action order by audit_log.action limit 1
      ) from actions where actions.action is not null
    )
    select action from actions where action is not null limit ${limit}`
}

/** An event of a stream, by its place, its link and when it came in. */
export interface StreamEnd {
  readonly stream_id: StreamId
  readonly last_seq: number
  readonly last_hash: Buffer
  readonly last_received_at: Date
}

/**
 * The actions that begin alike of the events from one of a stream on, and how many these are, up to `limit`; and whether that one
 * is among them still: not if its month is gone, or the database is a replica that had not all of it. None of them came in
 * before it did, so that older months are not looked into.
 */
export function actionsSince(
  { stream_id, last_seq, last_hash, last_received_at }: StreamEnd,
  prefix: string,
  limit: number,
): RawBuilder<{ events: number; actions: string[]; is_same: boolean | null }> {
  return sql`select count(*)::integer as events,
      coalesce(array_agg(distinct action::text) filter (where ${actionBegins(prefix)}), '{}') as actions,
      bool_or(stream_seq = ${last_seq} and chain_hash = ${last_hash}) as is_same
    from (
      select action, stream_seq, chain_hash from audit_log
      where stream_id = ${stream_id} and stream_seq >= ${last_seq} and received_at >= ${last_received_at}
      order by stream_seq limit ${limit}
    ) as audit_log`
}

/**
 * How many events match, up to `max`.
 * @param found what an index finds of them, and not in order
 */
export function counted(
  conditions: readonly Expression<SqlBool>[],
  max: number | undefined,
  found?: Expression<SqlBool>,
): RawBuilder<{ total: number }> {
  const from =
    found === undefined
      ? sql`audit_log`
      : sql`(select ${names}, stream_id, search from audit_log where ${found} offset 0) as audit_log`
  return sql`select count(*)::integer as total from (
      select from ${from} where ${all(conditions)} ${max === undefined ? sql`` : sql`limit ${max}`}
    ) as matching`
}

/** The same, log by log, up to `max`. */
export function countedAcrossLogs(
  conditions: readonly Expression<SqlBool>[],
  max: number | undefined,
): RawBuilder<{ total: number }> {
  const most = max === undefined ? sql`` : sql`limit ${max}`
  return sql`select count(*)::integer as total from (
      select from registry.audit_streams log cross join lateral (
        select from audit_log where ${all([inLog, ...conditions])} offset 0
      ) as event ${most}
    ) as matching`
}

/** A page and how many events match on all pages, as they are at one moment. A page without events has one empty row. */
export function withTotal(
  page: PageStatement,
  total: RawBuilder<{ total: number }>,
): RawBuilder<{ [Name in keyof PageRow]: PageRow[Name] | null } & { total: number }> {
  return sql`select page.*, counted.total from (${total}) as counted left join (${page}) as page on true ${newestFirst}`
}
