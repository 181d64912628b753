import { type Expression, expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import { executeShape } from '../db/prepared.ts'
import type { Schema } from '../db/schema.ts'
import { StreamId, type TenantId } from '../id.ts'
import { prefixOf } from './action-pattern.ts'
import { askedOf, conditionsOf, type EventFilter, tenantOf, within } from './event-filter.ts'
import {
  acrossLogs,
  actionsOf,
  actionsSince,
  counted,
  countedAcrossLogs,
  merged,
  type Others,
  type PageOrder,
  type PageRow,
  type PageStatement,
  sorted,
  type StreamEnd,
  walked,
  walkedNear,
} from './event-page.ts'
import { partConditions } from './retention.repository.ts'
import { candidates } from './search-conditions.ts'

/** How a page is found, and what is in it if that came out on the way. */
export interface PagePlan {
  readonly statement: PageStatement
  readonly rows?: PageRow[]
  /** Whether the others are in it that the page is to have. */
  readonly hasOthers?: boolean
}

/**
 * How many events are looked at first: what is frequent fills a page with them. Of the few of those that have some words
 * nobody can tell how many there are in all: it is more of them by which that is judged.
 */
const near = { words: 400, moreWords: 4_000, actions: 2_000, logs: 2_000 } as const

/** Of how few of the newest that have some words these may be rare. */
const fewMax = 2

/** How many events of all logs together can have some words before it takes longer to look at each than to ask for a log. */
const fewWordsMax = 1_000

/** How many actions can begin alike before walking past all others is quicker. */
const actionsMax = 30

/** So many events that came since take as long as asking for all actions. */
const sinceMax = 1_000

/** How many logs are looked into one by one. */
const logsMax = 20_000

/** Microseconds that an event takes that is walked past, one that is found by its words and sorted, and a look into a log. */
const cost = { walked: 2, sorted: 6, log: 100 } as const

/** How much further than expected one walks before it is given up. */
const patience = 4

/**
 * Chooses how to find a page. Most filters have an index that holds their events in order. What begins alike, what has
 * some words in it and what is in several logs has none: if it is frequent the page is near, and if it is rare all of it
 * is soon sorted. Which of the two it is says a look at the newest.
 * @param others what else the page is to have; some plans leave them to whoever asks
 */
export async function planPage(db: Reader, order: PageOrder, filter: EventFilter, others?: Others): Promise<PagePlan> {
  const { sight } = order
  const tenant = tenantOf(sight, filter)
  if (sight.kind === 'tenants' && tenant === undefined) {
    return { statement: merged(order, { column: 'stream_id', type: 'uuid' }, sight.tenantIds) }
  }
  const found = foundBy(order, filter)
  if (found !== undefined)
    return filter.search ? await planSearch(db, order, filter, found) : { statement: sorted(order, found) }
  if (isOfAllLogs(order, filter)) return await planAcross(db, order, filter, others)
  const prefix = filter.action === undefined ? undefined : prefixOf(filter.action)
  if (prefix !== undefined && tenant !== undefined && !filter.search) {
    return await planPrefix(db, order, filter, { tenant, prefix }, others)
  }
  return { statement: walked(order, others), hasOthers: others !== undefined }
}

/** What an index finds of what is asked for, and not in order: rare things, or those that have some words. */
function foundBy({ sight }: Pick<PageOrder, 'sight'>, filter: EventFilter): Expression<SqlBool> | undefined {
  const tenant = tenantOf(sight, filter)
  if (tenant !== undefined && filter.external_id !== undefined) {
    return sql<SqlBool>`(${inStream(tenant)} and ${eb('external_id', '=', filter.external_id)})`
  }
  return filter.search && candidates(filter.search, tenant && [tenant])
}

async function planPrefix(
  db: Reader,
  order: PageOrder,
  filter: EventFilter,
  { tenant, prefix }: { readonly tenant: TenantId; readonly prefix: string },
  others: Others | undefined,
): Promise<PagePlan> {
  const { part: _, ...asked } = filter
  const key = JSON.stringify([tenant, asked])
  const hasOthers = others !== undefined
  const known = rare.get(key)
  if (known === undefined) {
    const statement = walkedNear(order, alongIndex(order, filter), near.actions, others)
    const rows = await read(db, statement, kindOf(filter))
    if (rows.length === order.limit) return { statement, rows, hasOthers }
  }
  const conditions = conditionsOf(order.sight, { ...filter, action: undefined })
  const pageOf = (actions: readonly string[]) =>
    merged({ ...order, conditions }, { column: 'action', type: 'text' }, actions, others)
  if (known !== undefined) {
    // Which there are seldom changes: what came since is looked through, and the page asked for at the same time.
    const statement = pageOf(known.actions)
    const [[since], rows] = await Promise.all([
      read(db, actionsSince(known, prefix, sinceMax)),
      read(db, statement, kindOf(filter)),
    ])
    const isShort = since !== undefined && since.is_same === true && since.events < sinceMax
    if (isShort && since.actions.every((action) => known.actions.includes(action)))
      return { statement, rows, hasOthers }
  }
  // Asked before the actions: they are those up to there, at least.
  const end = await endOf(db, tenant)
  const names = await read(db, actionsOf(StreamId.parse(tenant), prefix, actionsMax + 1))
  if (names.length > actionsMax) return { statement: walked(order, others), hasOthers }
  const actions = names.map(({ action }) => action)
  // The last page of what is frequent is not full either.
  if (end && (known !== undefined || order.after === undefined)) remember(key, { ...end, actions })
  return { statement: pageOf(actions), hasOthers }
}

/** The actions of a stream that begin alike, up to an event at least. */
interface KnownActions extends StreamEnd {
  readonly actions: readonly string[]
}

/**
 * What was asked of actions that begin alike, and the newest events did not fill a page with. Who reads page after page
 * would wait for the same look in vain each time. What is frequent by now is found by its actions all the same.
 */
const rare = new Map<string, KnownActions>()
const rareMax = 1_000

function remember(key: string, actions: KnownActions): void {
  const [oldest] = rare.size >= rareMax && !rare.has(key) ? rare.keys() : []
  if (oldest !== undefined) rare.delete(oldest)
  rare.set(key, actions)
}

async function planSearch(
  db: Reader,
  order: PageOrder,
  filter: EventFilter,
  by: Expression<SqlBool>,
): Promise<PagePlan> {
  const tenant = tenantOf(order.sight, filter)
  const along = alongIndex(order, filter)
  const statement = walkedNear(order, along, near.words)
  const rows = await read(db, statement, kindOf(filter))
  if (rows.length === order.limit) return { statement, rows }
  const byWords = rows.length <= fewMax && tenant !== undefined && filter.search && candidates(filter.search)
  if (byWords && (await isRare(db, byWords))) return { statement: sorted(order, byWords) }
  const events = tenant === undefined ? Number.POSITIVE_INFINITY : await eventsIn(db, tenant)
  if (events <= near.words) return { statement, rows }
  const further = walkedNear(order, along, near.moreWords)
  const more = await read(db, further, kindOf(filter))
  if (more.length === order.limit || events <= near.moreWords) return { statement: further, rows: more }
  const share = more.length / near.moreWords
  const found = { share, otherwise: share * events * cost.sorted }
  return (await walkFurther(db, order, along, found, kindOf(filter))) ?? { statement: sorted(order, by) }
}

/**
 * Whether so few events have some words that their logs are better not asked for: of each partition the index would go
 * through all that it has of a log, which takes several times as long as finding what is rare.
 */
async function isRare(db: Reader, byWords: Expression<SqlBool>): Promise<boolean> {
  const [found] = await read(db, counted([byWords], fewWordsMax), 'audit_search')
  return found !== undefined && found.total < fewWordsMax
}

/**
 * Walks on as far as a page should take by the share of what matched so far, and some times further.
 * @param otherwise microseconds that it takes to find the page in another way: undefined where that is less
 */
async function walkFurther(
  db: Reader,
  order: PageOrder,
  along: readonly Expression<SqlBool>[],
  { share, otherwise }: { readonly share: number; readonly otherwise: number },
  kind: StatementKind,
): Promise<PagePlan | undefined> {
  const walk = order.limit / share
  // Of nothing that matched there is no share to go by.
  if (share === 0 || walk * cost.walked >= otherwise) return undefined
  const statement = walkedNear(order, along, Math.ceil(walk * patience))
  const rows = await read(db, statement, kind)
  return rows.length === order.limit ? { statement, rows } : undefined
}

/** Whether something is asked of all logs that only has an index within each. */
function isOfAllLogs({ sight }: Pick<PageOrder, 'sight'>, filter: EventFilter): boolean {
  if (sight.kind === 'tenants' || filter.tenant_id !== undefined || filter.search) return false
  const { action, actor_id, target_id, external_id } = filter
  const isAction = action !== undefined && prefixOf(action) === undefined
  return isAction || actor_id !== undefined || target_id !== undefined || external_id !== undefined
}

async function planAcross(
  db: Reader,
  order: PageOrder,
  filter: EventFilter,
  others: Others | undefined,
): Promise<PagePlan> {
  const along = alongIndex(order, filter)
  const statement = walkedNear(order, along, near.logs, others)
  const rows = await read(db, statement, kindOf(filter))
  if (rows.length === order.limit) return { statement, rows, hasOthers: others !== undefined }
  const logs = await countLogs(db, logsMax + 1)
  if (logs > logsMax) return { statement: walked(order) }
  const found = { share: rows.length / near.logs, otherwise: logs * cost.log }
  return (await walkFurther(db, order, along, found, kindOf(filter))) ?? { statement: acrossLogs(order) }
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

/** The last event of a stream. */
async function endOf(db: Reader, tenant: TenantId): Promise<StreamEnd | undefined> {
  const [end] = await read(
    db,
    sql<StreamEnd>`
      select stream_id, last_seq, last_hash, last_received_at from registry.audit_streams where ${inStream(tenant)}`,
  )
  return end
}

/** How many events a stream has had. */
const eventsIn = async (db: Reader, tenant: TenantId): Promise<number> => (await endOf(db, tenant))?.last_seq ?? 0

const eb = expressionBuilder<Schema, 'audit_log'>()
const inStream = (tenant: TenantId): Expression<SqlBool> => eb('stream_id', '=', StreamId.parse(tenant))

/** What an index goes by that has the events in order, and what leaves partitions out. */
function alongIndex({ sight }: Pick<PageOrder, 'sight'>, filter: EventFilter): Expression<SqlBool>[] {
  const asked = askedOf(sight, filter)
  const tenant = tenantOf(sight, filter)
  const first =
    tenant === undefined ? asked.product !== undefined && eb('product', '=', asked.product) : inStream(tenant)
  return [
    ...(first ? [first] : []),
    ...partConditions(asked),
    ...within('canonical_at', filter.created_after, filter.created_before),
  ]
}

type StatementKind = 'audit_events' | 'audit_parts' | 'audit_search'

/** What counts the names of a statement: searches have as many texts as there are ways to search, and take none from others. */
export const kindOf = ({ search, part }: EventFilter): StatementKind =>
  search ? 'audit_search' : part ? 'audit_parts' : 'audit_events'

/** Reads what a statement finds. */
export const read = async <Row>(
  db: Reader,
  statement: RawBuilder<Row>,
  kind: StatementKind = 'audit_events',
): Promise<Row[]> => await executeShape(db, kind, statement)
