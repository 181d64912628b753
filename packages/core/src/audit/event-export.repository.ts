import { expressionBuilder, sql } from 'kysely'
import type { Reader } from '../db/handles.ts'
import type { Schema } from '../db/schema.ts'
import type { Position } from '../page.ts'
import type { Sight } from '../sight.ts'
import { conditionsOf, type EventFilter, type EventRow } from './recorded-event.repository.ts'
import { columns, shown } from './shown-columns.ts'

const eb = expressionBuilder<Schema, 'audit_log'>()

/** Which events to read, and how many of them. */
export interface ExportWindow {
  readonly sight: Sight
  readonly filter: EventFilter
  readonly direction: 'asc' | 'desc'
  readonly after: Position | undefined
  readonly rowsMax: number
  /** An event may be hundreds of times as large as most: no more than about this many bytes, but at least one event. */
  readonly bytesMax: number
}

/** What an event may have much of. */
const wide = ['fields', 'metadata', 'actor_fields', 'target_fields', 'description', 'group_name'] as const

/** How many bytes an event has, roughly, without unpacking what was compressed. */
const size = sql`(1000 + ${sql.join(
  wide.map((name) => sql`coalesce(octet_length(${sql.ref(name)}::text), 0)`),
  sql` + `,
)})`

/** Events in the order in which they happened or the reverse of it, from the one after `after` on. None at the end. */
export async function readExport(db: Reader, window: ExportWindow): Promise<EventRow[]> {
  const { sight, filter, direction, after, rowsMax, bytesMax } = window
  const conditions = conditionsOf(sight, filter)
  const comparison = sql.raw(direction === 'asc' ? '>' : '<')
  const way = sql.raw(direction)
  if (after) conditions.push(sql`(canonical_at, id) ${comparison} (${after.key}::timestamptz, ${after.id}::uuid)`)
  const found = db
    .selectFrom('audit_log')
    .select(columns.map((name) => shown(sight, name).as(name)))
    .select(size.as('size'))
    .where(eb.and(conditions))
    .orderBy('canonical_at', direction)
    .orderBy('id', direction)
    .limit(rowsMax)
    .as('found')
  const measured = db
    .selectFrom(found)
    .selectAll()
    .select(sql<number>`sum(size) over (order by canonical_at ${way}, id ${way}) - size`.as('bytes_before'))
    .as('measured')
  return await db
    .selectFrom(measured)
    .select(columns.map((name) => sql.ref(name).as(name)))
    .where('bytes_before', '<', bytesMax)
    .orderBy('canonical_at', direction)
    .orderBy('id', direction)
    .$castTo<EventRow>()
    .execute()
}
