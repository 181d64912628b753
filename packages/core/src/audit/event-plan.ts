import { type Expression, expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import { executeShape } from '../db/prepared.ts'
import type { Schema } from '../db/schema.ts'
import { StreamId, type TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { prefixOf } from './action-pattern.ts'
import { conditionsOf, type EventFilter, tenantOf, within } from './event-filter.ts'
import {
  acrossLogs,
  actionsOf,
  counted,
  countedAcrossLogs,
  merged,
  type PageOrder,
  type PageStatement,
  sorted,
  walked,
  walkedNear,
} from './event-page.ts'
import { candidates } from './search-conditions.ts'
import type { EventRow } from './shown-columns.ts'

/** How a page is found, and what is in it if that came out on the way. */
export interface PagePlan {
  readonly statement: PageStatement
  readonly rows?: EventRow[]
}

/** How many events are looked at first: what is frequent fills a page with them. */
const near = { words: 400, actions: 2_000, logs: 2_000 } as const

/** How many actions can begin alike before walking past all others is quicker. */
const actionsMax = 30

/** How many logs are looked into one by one. */
const logsMax = 20_000

/** Microseconds that an event takes that is walked past, one that is found by its words and sorted, and a look into a log. */
const cost = { walked: 3, sorted: 6, log: 100 } as const

/** How much further than expected one walks before it is given up. */
const patience = 4

/**
 * Chooses how to find a page. Most filters have an index that holds their events in order. What begins alike, what has
 * some words in it and what is in several logs has none: if it is frequent the page is near, and if it is rare all of it
 * is soon sorted. Which of the two it is says a look at the newest.
 */
export async function planPage(db: Reader, order: PageOrder, filter: EventFilter): Promise<PagePlan> {
  const { sight } = order
  const tenant = tenantOf(sight, filter)
  if (sight.kind === 'tenants' && tenant === undefined) {
    return { statement: merged(order, { column: 'stream_id', type: 'uuid' }, sight.tenantIds) }
  }
  const found = foundBy(order, filter)
  if (found !== undefined)
    return filter.search ? await planSearch(db, order, filter, found) : { statement: sorted(order, found) }
  if (isOfAllLogs(order, filter)) return await planAcross(db, order, filter)
  const prefix = filter.action === undefined ? undefined : prefixOf(filter.action)
  if (prefix !== undefined && tenant !== undefined && !filter.search) {
    return await planPrefix(db, order, filter, tenant, prefix)
  }
  return { statement: walked(order) }
}

/** What an index finds of what is asked for, and not in order: rare things, or those that have some words. */
function foundBy({ sight }: Pick<PageOrder, 'sight'>, filter: EventFilter): Expression<SqlBool> | undefined {
  const tenant = tenantOf(sight, filter)
  if (tenant !== undefined && filter.external_id !== undefined) {
    return sql<SqlBool>`(${inStream(tenant)} and ${eb('external_id', '=', filter.external_id)})`
  }
  return filter.search && candidates(filter.search, tenant)
}

async function planPrefix(
  db: Reader,
  order: PageOrder,
  filter: EventFilter,
  tenant: TenantId,
  prefix: string,
): Promise<PagePlan> {
  const statement = walkedNear(order, alongIndex(filter, tenant), near.actions)
  const rows = await read(db, statement)
  if (rows.length === order.limit) return { statement, rows }
  const names = await read(db, actionsOf(StreamId.parse(tenant), prefix, actionsMax + 1))
  if (names.length > actionsMax) return { statement: walked(order) }
  const conditions = conditionsOf(order.sight, { ...filter, action: undefined })
  const actions = names.map(({ action }) => action)
  return { statement: merged({ ...order, conditions }, { column: 'action', type: 'text' }, actions) }
}

async function planSearch(
  db: Reader,
  order: PageOrder,
  filter: EventFilter,
  found: Expression<SqlBool>,
): Promise<PagePlan> {
  const tenant = tenantOf(order.sight, filter)
  const along = alongIndex(withOwn(order.sight, filter), tenant)
  const statement = walkedNear(order, along, near.words)
  const rows = await read(db, statement, 'audit_search')
  if (rows.length === order.limit) return { statement, rows }
  const events = tenant === undefined ? Number.POSITIVE_INFINITY : await eventsIn(db, tenant)
  if (events <= near.words) return { statement, rows }
  const share = rows.length / near.words
  const walk = order.limit / share
  if (walk * cost.walked < share * events * cost.sorted) {
    const further = walkedNear(order, along, Math.ceil(walk * patience))
    const more = await read(db, further, 'audit_search')
    if (more.length === order.limit) return { statement: further, rows: more }
  }
  return { statement: sorted(order, found) }
}

/** Whether something is asked of all logs that only has an index within each. */
function isOfAllLogs({ sight }: Pick<PageOrder, 'sight'>, filter: EventFilter): boolean {
  if (sight.kind === 'tenants' || filter.tenant_id !== undefined || filter.search) return false
  const { action, actor_id, target_id, external_id } = filter
  const isAction = action !== undefined && prefixOf(action) === undefined
  return isAction || actor_id !== undefined || target_id !== undefined || external_id !== undefined
}

async function planAcross(db: Reader, order: PageOrder, filter: EventFilter): Promise<PagePlan> {
  const along = alongIndex(withOwn(order.sight, filter), undefined)
  const statement = walkedNear(order, along, near.logs)
  const rows = await read(db, statement)
  if (rows.length === order.limit) return { statement, rows }
  const logs = await countLogs(db, logsMax + 1)
  if (logs > logsMax) return { statement: walked(order) }
  const walk = order.limit / (rows.length / near.logs)
  if (walk * cost.walked < logs * cost.log) {
    const further = walkedNear(order, along, Math.ceil(walk * patience))
    const more = await read(db, further)
    if (more.length === order.limit) return { statement: further, rows: more }
  }
  return { statement: acrossLogs(order) }
}

/** How many events match, up to `max`: by the index that has the fewest others. */
export function planCount(
  order: Pick<PageOrder, 'sight' | 'conditions'>,
  filter: EventFilter,
  max: number | undefined,
): RawBuilder<{ total: number }> {
  return isOfAllLogs(order, filter)
    ? countedAcrossLogs(order.conditions, max)
    : counted(order.conditions, max, foundBy(order, filter))
}

/** How many logs there are, up to `max`. */
async function countLogs(db: Reader, max: number): Promise<number> {
  const [found] = await read(
    db,
    sql<{
      logs: number
    }>`select count(*)::integer as logs from (select from registry.audit_streams limit ${max}) as found`,
  )
  return found?.logs ?? 0
}

/** How many events a stream has had. */
async function eventsIn(db: Reader, tenant: TenantId): Promise<number> {
  const [head] = await read(
    db,
    sql<{ last_seq: number }>`select last_seq from registry.audit_streams where ${inStream(tenant)}`,
  )
  return head?.last_seq ?? 0
}

const eb = expressionBuilder<Schema, 'audit_log'>()
const inStream = (tenant: TenantId): Expression<SqlBool> => eb('stream_id', '=', StreamId.parse(tenant))

/** A product sees what it recorded itself, and nothing else. */
const withOwn = (sight: Sight, filter: EventFilter): EventFilter =>
  sight.kind === 'product' ? { ...filter, product: sight.product } : filter

/** What an index goes by that has the events in order. */
function alongIndex({ product, created_after, created_before }: EventFilter, tenant: TenantId | undefined) {
  const first = tenant === undefined ? product !== undefined && eb('product', '=', product) : inStream(tenant)
  return [...(first ? [first] : []), ...within('canonical_at', created_after, created_before)]
}

/**
 * Reads what a statement finds.
 * @param kind searches have as many texts as there are ways to search: they take no name from the others
 */
export const read = async <Row>(
  db: Reader,
  statement: RawBuilder<Row>,
  kind: 'audit_events' | 'audit_recent' | 'audit_search' = 'audit_events',
): Promise<Row[]> => await executeShape(db, kind, statement)
