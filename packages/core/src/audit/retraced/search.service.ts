import { boundedRead } from '../../db/bounded-read.ts'
import type { Db, Reader } from '../../db/handles.ts'
import { RegistryError } from '../../errors.ts'
import { type EntityKey, findEntities } from '../entity.repository.ts'
import { parseSearch } from '../search-language.ts'
import { streamOf } from '../stream.ts'
import { decodePlace, decodeStart, encodePlace, encodeStart, type Walk } from './cursor.ts'
import { type AuditRow, pageBytesMax, planningOf, readEventPage } from './event-page.repository.ts'
import type { LogScope } from './scope.ts'

/** How much may be asked for, and what is answered where nothing is said. */
const auditSearchBounds = { page: 20, pageMax: 1_000, offsetMax: 1_000_000, queryLength: 2_000 } as const

/** Milliseconds that a search may take. */
export const auditSearchMsMax = 4_000

type Optional<Value> = Value | null | undefined

/** What `search` is asked. An empty text says nothing. */
export interface SearchArguments {
  readonly query?: Optional<string>
  readonly first?: Optional<number>
  readonly after?: Optional<string>
  readonly last?: Optional<number>
  readonly before?: Optional<string>
}

/** What `searchPaginated` is asked. */
export interface PaginatedArguments {
  readonly query?: Optional<string>
  readonly pageOffset?: Optional<number>
  readonly pageLimit?: Optional<number>
  readonly startCursor?: Optional<string>
  readonly sortOrder?: Optional<'asc' | 'desc'>
}

export interface AuditEdge {
  readonly node: AuditRow
  readonly cursor: string
}

export interface AuditPage {
  readonly edges: readonly AuditEdge[]
  readonly totalCount: number
}

export interface AuditConnection extends AuditPage {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean }
}

/**
 * A page of the events in scope, newest first with `last`, oldest first otherwise; `before` and `after` are places in
 * the log, whatever the order.
 *
 * Who goes on from a page by its cursor is told what they have seen and what is left. The official clients go on as long
 * as the total has more pages than they have seen: with what came in behind them in it, they would read the last page
 * without end.
 * @throws {RegistryError} `audit_search.invalid`, `page.cursor_invalid`, `database.busy` for what takes too long
 */
export async function searchAuditEvents(db: Db, scope: LogScope, asked: SearchArguments): Promise<AuditConnection> {
  const { first, last } = asked
  const [after, before] = [said(asked.after), said(asked.before)]
  if (isSaid(first) && isSaid(last)) throw invalid('Ask for the first ones or for the last ones, not for both.')
  if (after && before) throw invalid('Give one cursor: after or before.')
  const order = isSaid(last) ? 'desc' : 'asc'
  const places = {
    after: after === undefined ? undefined : decodePlace(after),
    before: before === undefined ? undefined : decodePlace(before),
  }
  const start = order === 'desc' ? places.before : places.after
  const seen = start ? seenBy(start.walk, order) : 0
  const page = await read(db, {
    scope,
    search: searchOf(asked.query),
    order,
    limit: sizeOf(isSaid(last) ? 'last' : 'first', last ?? first),
    ...places,
    seen,
  })
  const [hasNextPage, hasPreviousPage] =
    order === 'asc' ? [page.hasMore, page.hasPassed] : [page.hasPassed, page.hasMore]
  return {
    edges: page.rows.map((node, at) => ({
      node,
      cursor: encodePlace(placeOf(node), seen === undefined ? undefined : { order, seen: seen + at + 1 }),
    })),
    totalCount: page.total,
    pageInfo: { hasNextPage, hasPreviousPage },
  }
}

/**
 * A page by its number. A cursor of an earlier page holds the beginning and the total still, whatever comes in
 * meanwhile.
 * @throws {RegistryError} as `searchAuditEvents`
 */
export async function searchAuditEventsPaginated(
  db: Db,
  scope: LogScope,
  asked: PaginatedArguments,
): Promise<AuditPage> {
  const offset = asked.pageOffset ?? 0
  if (offset < 0 || offset > auditSearchBounds.offsetMax) {
    throw invalid(`pageOffset is 0 to ${auditSearchBounds.offsetMax}, not ${offset}.`)
  }
  const size = sizeOf('pageLimit', asked.pageLimit)
  const cursor = said(asked.startCursor)
  const start = cursor === undefined ? undefined : decodeStart(cursor)
  const limit = start ? Math.max(0, Math.min(size, start.total - offset)) : size
  const page = await read(db, {
    scope,
    search: searchOf(asked.query),
    order: asked.sortOrder ?? 'desc',
    limit,
    offset,
    from: start,
  })
  const total = start?.total ?? page.total
  return {
    edges: page.rows.map((node) => ({ node, cursor: encodeStart(placeOf(node), total) })),
    totalCount: total,
  }
}

async function read(db: Db, question: Parameters<typeof readEventPage>[1]) {
  const readPage = async (reader: Reader) => {
    const page = await readEventPage(reader, question)
    if (page.isCut)
      throw invalid(`What is asked for has more than ${pageBytesMax} bytes: ask for fewer events at once.`)
    return { ...page, rows: await withGroupNames(reader, page.rows) }
  }
  return await boundedRead(db, auditSearchMsMax, readPage, planningOf(question))
}

/** Fills in the names of groups that were not known when the event came in. What was erased stays so. */
export async function withGroupNames(
  db: Parameters<typeof findEntities>[0],
  rows: readonly AuditRow[],
): Promise<AuditRow[]> {
  const nameless = rows.filter((row) => lacksGroupName(row))
  if (nameless.length === 0) return [...rows]
  const keys = new Map(nameless.map((row) => [nameOf(groupKeyOf(row)), groupKeyOf(row)]))
  const known = new Map((await findEntities(db, [...keys.values()])).map((each) => [nameOf(each), each.name]))
  return rows.map((row) =>
    lacksGroupName(row) ? { ...row, group_name: known.get(nameOf(groupKeyOf(row))) ?? null } : row,
  )
}

/** Two products can know the same group by two names: its scope is theirs. */
const nameOf = ({ scope, entity_id }: Pick<EntityKey, 'scope' | 'entity_id'>) => `${scope} ${entity_id}`

const lacksGroupName = ({ group_id, group_name, erased }: AuditRow) =>
  group_id !== null && group_name === null && !erased

const groupKeyOf = ({ product, environment, group_id }: AuditRow) => ({
  scope: streamOf({ tenant_id: null, product, environment, group_id }),
  kind: 'group' as const,
  entity_id: group_id ?? '',
})

/** @throws {RegistryError} `audit_search.invalid` */
export function searchOf(query: Optional<string>) {
  if (!query) return undefined
  if (query.length > auditSearchBounds.queryLength) {
    throw invalid(`A query has at most ${auditSearchBounds.queryLength} characters.`)
  }
  // Neither stands in any text of the log, and the database takes none of them.
  if (query.includes('\0') || !query.isWellFormed()) throw invalid('The query has characters that no text has.')
  return parseSearch(query)
}

function sizeOf(name: string, size: Optional<number>): number {
  if (size === null || size === undefined) return auditSearchBounds.page
  if (size >= 1 && size <= auditSearchBounds.pageMax) return size
  throw invalid(`${name} is 1 to ${auditSearchBounds.pageMax}, not ${size}.`)
}

/** What a cursor of the other order saw is not what lies behind whoever goes this way. */
const seenBy = (walk: Walk | undefined, order: Walk['order']) => (walk?.order === order ? walk.seen : undefined)

const placeOf = ({ canonical_at, id }: AuditRow) => ({ at: canonical_at, id })
const isSaid = <Value>(value: Optional<Value>): value is Value => value !== null && value !== undefined
const said = (text: Optional<string>) => (text === '' || text === null ? undefined : text)
const invalid = (detail: string) => new RegistryError('audit_search.invalid', { detail })
