import type { Db, Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { EventId } from '../id.ts'
import { decodeCursor, type Page, pageLimit, toPage } from '../page.ts'
import type { Sight } from '../sight.ts'
import { TenantSummary } from '../tenants/tenant.ts'
import { ownProduct } from './audit-event.ts'
import { toJson, withFields } from './event-text.ts'
import { Moment, spellMoment } from './moment.ts'
import * as events from './recorded-event.repository.ts'
import { type RecordedEvent, type RecordedEventQuery, totalMax } from './recorded-event.ts'
import { parseSearch } from './search-language.ts'

/** A page of events, and how many there are on all pages, where that was asked for. */
export interface EventPage<Event = RecordedEvent> extends Page<Event> {
  readonly total?: number
  readonly total_is_exact?: boolean
}

/**
 * One page of the events in sight, newest first. A tenant's own people see what the registry did without who did it,
 * and nothing of the tenant that they do not see elsewhere.
 * @throws {RegistryError} `page.cursor_invalid`, `audit_search.invalid`, `database.busy` for what takes too long
 */
export async function listEvents(db: Db, sight: Sight, query: RecordedEventQuery): Promise<EventPage> {
  const { data, ...page } = await readPage(db, sight, query)
  return { data: data.map(({ is_cut: _, ...row }) => eventOf(row)), ...page }
}

/**
 * The same as JSON, with the entries of maps in the order in which they were sent: an object puts names that look like
 * numbers first.
 * @throws {RegistryError} as `listEvents` does
 */
export async function listEventsJson(db: Db, sight: Sight, query: RecordedEventQuery): Promise<string> {
  return pageJson(await readPage(db, sight, query), (row) => toJson(row))
}

/** A page of what is JSON already. */
export function pageJson<Row>(
  { data, ...rest }: { readonly data: readonly Row[] },
  json: (row: Row) => string,
): string {
  // A text that grows is put together where it is sent; joined, it would be once more.
  let items = ''
  for (const row of data) items += items === '' ? json(row) : `,${json(row)}`
  return `{"data":[${items}],${JSON.stringify(rest).slice(1)}`
}

async function readPage(db: Db, sight: Sight, query: RecordedEventQuery): Promise<EventPage<events.PageRow>> {
  const { limit = pageLimit.default, cursor, total: isCounted, ...filter } = query
  const after = cursor === undefined ? undefined : decodeCursor('audit-events', filter, cursor, Moment)
  const { q, ...rest } = filter
  const search = q === undefined ? undefined : parseSearch(q)
  // One more than are told says that there are more.
  const countMax = isCounted ? totalMax + 1 : undefined
  const { rows, total } = await events.listEvents(db, sight, { ...rest, search }, limit + 1, { after, countMax })
  // What there is no room for is on the next page.
  const cut = rows.findIndex(({ is_cut }) => is_cut)
  const room = cut === -1 ? limit : Math.min(limit, cut)
  const page = toPage(rows, room, 'audit-events', filter, ({ canonical_at, id }) => ({
    key: spellMoment(canonical_at),
    id,
  }))
  return {
    ...page,
    data: page.data.map((row) => asShown(sight, row)),
    ...(total !== undefined && { total: Math.min(total, totalMax), total_is_exact: total <= totalMax }),
  }
}

/** @throws {RegistryError} `audit_event.not_found` */
export async function getEvent(db: Reader, sight: Sight, id: EventId): Promise<RecordedEvent> {
  return eventOf(await readEvent(db, sight, id))
}

/**
 * The same as JSON, with the entries of maps in the order in which they were sent.
 * @throws {RegistryError} `audit_event.not_found`
 */
export async function getEventJson(db: Reader, sight: Sight, id: EventId): Promise<string> {
  return toJson(await readEvent(db, sight, id))
}

async function readEvent(db: Reader, sight: Sight, id: EventId): Promise<events.EventRow> {
  const row = await events.findEvent(db, sight, id)
  if (!row) throw new RegistryError('audit_event.not_found')
  return asShown(sight, row)
}

const summaryFields: ReadonlySet<string> = new Set(Object.keys(TenantSummary.shape))

/** Whose `before.…` and `after.…` a tenant's own people see whole: they see these things themselves. */
const ownThings: ReadonlySet<string | null> = new Set(['project', 'product', 'api_key'])

/** Whether a tenant's own people see this entry of what the registry changed. */
const showsEntry = (targetType: string | null, name: string): boolean =>
  ownThings.has(targetType) || summaryFields.has(name.replace(/^(?:before|after)\./, ''))

/** What changed, as far as it is shown: the columns are what they may be already. */
export function asShown<Row extends events.EventRow>(sight: Sight, row: Row): Row {
  if (sight.kind === 'platform' || row.product !== ownProduct) return row
  return withFields(row, (name) => showsEntry(row.target_type, name))
}

/** A row as an object. */
export function eventOf({
  group_id,
  group_name,
  actor_id,
  actor_name,
  actor_href,
  actor_fields,
  target_id,
  target_name,
  target_href,
  target_type,
  target_fields,
  fields,
  metadata,
  ...row
}: events.EventRow): RecordedEvent {
  return {
    ...row,
    environment: row.environment as RecordedEvent['environment'],
    crud: row.crud as RecordedEvent['crud'],
    group: { id: group_id, name: group_name },
    actor: { id: actor_id, name: actor_name, href: actor_href, fields: mapOf(actor_fields) },
    target: { id: target_id, name: target_name, href: target_href, type: target_type, fields: mapOf(target_fields) },
    fields: mapOf(fields),
    metadata: mapOf(metadata),
  }
}

/** The text of a map as an object: readers of one event look for names, and not at their order. */
function mapOf(json: unknown): Record<string, string> | null {
  return typeof json === 'string' ? (JSON.parse(json) as Record<string, string>) : null
}
