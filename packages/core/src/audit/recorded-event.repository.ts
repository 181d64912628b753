import { sql } from 'kysely'
import { boundedRead, boundedReadAfter } from '../db/bounded-read.ts'
import type { Db, Reader } from '../db/handles.ts'
import { executeShape } from '../db/prepared.ts'
import type { EventId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { askedOf, conditionsOf, type EventFilter, inSight } from './event-filter.ts'
import { type PageOrder, type PageRow, walkedBefore, withTotal } from './event-page.ts'
import { kindOf, type PagePlan, planCount, planPage, read } from './event-plan.ts'
import { spellMoment } from './moment.ts'
import { always, hasParts, keptSince, type Part } from './retention.repository.ts'
import { type EventRow, shownColumns, withinRoom } from './shown-columns.ts'

export type { EventFilter } from './event-filter.ts'
export type { PageRow } from './event-page.ts'
export type { EventRow } from './shown-columns.ts'

/** Milliseconds that each statement of a list may take: less than anybody waits for a read. */
const statementMsMax = 4_000

/** A part of a list, and how many events are in all of it. */
export interface EventList {
  readonly rows: PageRow[]
  readonly total: number | undefined
}

/**
 * Events, newest first, from the one after `after` on.
 * @param countMax up to how many are counted, if they are: that and the page are of one moment
 * @throws {RegistryError} `database.busy` when it takes too long
 */
export async function listEvents(
  db: Db,
  sight: Sight,
  filter: EventFilter,
  limit: number,
  { after, countMax }: { readonly after?: Position | undefined; readonly countMax?: number | undefined } = {},
): Promise<EventList> {
  const asked = { sight, filter, limit, after, countMax }
  const about = askedOf(sight, filter)
  // What an index finds at once has no months to walk through.
  const isFound = filter.search !== undefined || (about.log !== undefined && filter.external_id !== undefined)
  if (isFound || !hasParts(about)) {
    return await boundedRead(db, statementMsMax, async (reader) => await listOne(reader, asked), 'in_order')
  }
  const inParts = async (reader: Reader, since: string) =>
    (await listInParts(reader, asked, since)) ?? (await listOne(reader, asked))
  return await boundedReadAfter(db, statementMsMax, keptSince(sight, about), inParts, 'in_order')
}

/** A list that is asked for. */
interface Asked {
  readonly sight: Sight
  readonly filter: EventFilter
  readonly limit: number
  readonly after: Position | undefined
  readonly countMax: number | undefined
}

const orderOf = ({ sight, filter, limit, after }: Asked): PageOrder => ({
  sight,
  conditions: conditionsOf(sight, filter, 'in_order'),
  limit,
  after,
})

async function listOne(reader: Reader, asked: Asked): Promise<EventList> {
  return await readPlanned(reader, asked, await planPage(reader, orderOf(asked), asked.filter))
}

async function readPlanned(reader: Reader, asked: Asked, { statement, rows }: PagePlan): Promise<EventList> {
  const { filter, countMax } = asked
  const kind = kindOf(filter)
  if (countMax === undefined) return { rows: rows ?? (await read(reader, statement, kind)), total: undefined }
  const total = planCount(orderOf(asked), filter, countMax)
  const counting = await read(reader, withTotal(statement, total), kind)
  return {
    // Without an event there is one row all the same, with the total alone.
    rows: counting.filter(({ id }) => id !== null).map(({ total: _, ...row }) => row as PageRow),
    total: counting[0]?.total,
  }
}

/**
 * The same, first of what every plan keeps still, and then of what is left of the rest: undefined where both would have to
 * be counted, which is to be of one moment. A walk along all partitions would begin with the first event of each that is
 * kept, and of months of which nothing is it would look at every one.
 */
async function listInParts(reader: Reader, asked: Asked, since: string): Promise<EventList | undefined> {
  const { filter, limit, countMax } = asked
  const partOf = (name: Part['name']): Asked => ({ ...asked, filter: { ...filter, part: { name, keptSince: since } } })
  const [recent, older] = [partOf('recent'), { ...partOf('older'), countMax: undefined }]
  const others = since === always || countMax !== undefined ? undefined : orderOf(older)
  const plan = await planPage(reader, orderOf(recent), recent.filter, others)
  const { rows, total } = await readPlanned(reader, recent, plan)
  if (since === always || plan.hasOthers) return { rows, total }
  if (total !== countMax) return undefined
  const last = rows.length === limit ? rows.at(-1) : undefined
  // What came in before may say that it happened later: an event may tell of any time.
  const before = last
    ? await read(reader, walkedBefore(orderOf(older), placeOf(last)), 'audit_parts')
    : (await listOne(reader, older)).rows
  return { rows: before.length > 0 ? withinRoom(newest([...rows, ...before], limit)) : rows, total }
}

const placeOf = ({ canonical_at, id }: PageRow): Position => ({ key: spellMoment(canonical_at), id })

const newest = (rows: readonly PageRow[], limit: number): PageRow[] =>
  rows.toSorted((a, b) => b.canonical_at.getTime() - a.canonical_at.getTime() || (a.id < b.id ? 1 : -1)).slice(0, limit)

/**
 * How many events match, up to `max` if that is told.
 * @throws {RegistryError} `database.busy` when counting takes too long
 */
export async function countEvents(db: Db, sight: Sight, filter: EventFilter, max?: number): Promise<number> {
  const total = planCount({ sight, conditions: conditionsOf(sight, filter, 'in_order') }, filter, max)
  const rows = await boundedRead(
    db,
    statementMsMax,
    async (reader) => await read(reader, total, filter.search && 'audit_search'),
    'in_order',
  )
  return rows[0]?.total ?? 0
}

export async function findEvent(db: Reader, sight: Sight, id: EventId): Promise<EventRow | undefined> {
  const conditions = sql.join([sql`id = ${id}`, ...inSight(sight)], sql` and `)
  const event = sql<EventRow>`select ${shownColumns(sight)} from audit_log where ${conditions}`
  return (await executeShape(db, 'audit_event', event))[0]
}
