import type { Expression, SqlBool } from 'kysely'
import { boundedRead } from '../db/bounded-read.ts'
import type { Db, Reader } from '../db/handles.ts'
import type { EventId } from '../id.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { conditionsOf, type EventFilter, inSight } from './event-filter.ts'
import { withTotal } from './event-page.ts'
import { planCount, planPage, read } from './event-plan.ts'
import { columns, type EventRow, shown } from './shown-columns.ts'

export type { EventFilter } from './event-filter.ts'
export type { EventRow } from './shown-columns.ts'

/** Milliseconds that each statement of a list may take: less than anybody waits for a read. */
const statementMsMax = 4_000

/** A part of a list, and how many events are in all of it. */
export interface EventList {
  readonly rows: EventRow[]
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
  const list = async (reader: Reader): Promise<EventList> => {
    const order = { sight, conditions: conditionsOf(sight, filter), limit, after }
    const kind = filter.search ? 'audit_search' : 'audit_events'
    const { statement, rows } = await planPage(reader, order, filter)
    if (countMax === undefined) return { rows: rows ?? (await read(reader, statement, kind)), total: undefined }
    const total = planCount(order, filter, countMax)
    const counting = await read(reader, withTotal(statement, total), kind)
    return {
      // Without an event there is one row all the same, with the total alone.
      rows: counting.filter(({ id }) => id !== null).map(({ total: _, ...row }) => row as EventRow),
      total: counting[0]?.total,
    }
  }
  return await boundedRead(db, statementMsMax, list, 'in_order')
}

/**
 * How many events match, up to `max` if that is told.
 * @throws {RegistryError} `database.busy` when counting takes too long
 */
export async function countEvents(db: Db, sight: Sight, filter: EventFilter, max?: number): Promise<number> {
  const total = planCount({ sight, conditions: conditionsOf(sight, filter) }, filter, max)
  const rows = await boundedRead(
    db,
    statementMsMax,
    async (reader) => await read(reader, total, filter.search && 'audit_search'),
    'in_order',
  )
  return rows[0]?.total ?? 0
}

export async function findEvent(db: Reader, sight: Sight, id: EventId): Promise<EventRow | undefined> {
  const holds: Expression<SqlBool>[] = inSight(sight)
  return await db
    .selectFrom('audit_log')
    .select(columns.map((name) => shown(sight, name).as(name)))
    .$castTo<EventRow>()
    .where('id', '=', id)
    .where((eb) => eb.and(holds))
    .executeTakeFirst()
}
