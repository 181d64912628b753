import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Planning } from '../../db/bounded-read.ts'
import { type Reader, unwrap } from '../../db/handles.ts'
import { executeShape } from '../../db/prepared.ts'
import type { StreamId } from '../../id.ts'
import { everything, type Sight } from '../../sight.ts'
import { spellMoment } from '../moment.ts'
import type { EventRow } from '../recorded-event.repository.ts'
import { retentionConditions } from '../retention.repository.ts'
import { conditionOf } from '../search-conditions.ts'
import type { SearchExpression } from '../search-language.ts'
import { columns } from '../shown-columns.ts'
import { intMax, type Place } from './cursor.ts'
import { inScope, isStreamScope, type LogScope, logsOfScope } from './scope.ts'

/** A row of the log as Retraced's wire shows it. */
export interface AuditRow extends EventRow {
  /** Whether what told of persons was erased. */
  readonly erased: boolean
}

/** Which events are asked for. */
export interface EventQuestion {
  readonly scope: LogScope
  readonly search?: SearchExpression | undefined
  /** Only what is older than this, newer than this. */
  readonly before?: Place | undefined
  readonly after?: Place | undefined
  /** Only this one and what comes after it in the order that is asked for. */
  readonly from?: Place | undefined
  readonly order: 'asc' | 'desc'
  /** How many were seen on the way to where the page begins. Without it, all that match are counted. */
  readonly seen?: number | undefined
  readonly offset?: number
  readonly limit: number
}

/** A page and all that is said with it, of one moment. */
export interface EventPage {
  readonly rows: AuditRow[]
  /** How many there are in all, wherever the page begins; with `seen`, these and what is left. */
  readonly total: number
  /** Whether more come after the page, and whether some come before it. */
  readonly hasMore: boolean
  readonly hasPassed: boolean
  /** Whether the rest of it was left out, since all of it has too many bytes. */
  readonly isCut: boolean
}

type Condition = Expression<SqlBool>
const all = (conditions: readonly Condition[]) => sql.join(conditions, sql` and `)

const shown = sql.raw([...columns, 'row_salt is null as erased'].join(', '))
const columnNames = sql.raw([...columns, 'erased'].map((name) => `page.${name}`).join(', '))

/** Bytes that the texts of a page have at most, but for its last event: answers are held in memory as a whole. */
export const pageBytesMax = 32 * 1024 * 1024

/** A page as far as its bytes go, its first event in any case, and how many events it has. */
function bounded(page: RawBuilder<unknown>, direction: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select * from (
      select measured.*, count(*) over ()::integer as there, sum(bytes) over (
        order by canonical_at ${direction}, id ${direction} rows between unbounded preceding and 1 preceding
      ) as bytes_before
      from (
        select found.*, octet_length(concat(group_name, actor_name, actor_href, actor_fields, target_name, target_href,
          target_type, target_fields, description, component, version, fields, metadata)) as bytes
        from (${page}) as found
      ) as measured
    ) as bounded where coalesce(bytes_before, 0) < ${pageBytesMax}`
}

const newer = ({ at, id }: Place): Condition => sql`(canonical_at, id) > (${spellMoment(at)}::timestamptz, ${id}::uuid)`
const older = ({ at, id }: Place): Condition => sql`(canonical_at, id) < (${spellMoment(at)}::timestamptz, ${id}::uuid)`
const not = (condition: Condition): Condition => sql`not ${condition}`

/**
 * How a page is to be planned: by what is asked for, unless no index could find that sooner than the one that has the
 * group in order. Planning for dozens of partitions takes longer than to read the page.
 */
export function planningOf({ scope, search }: Pick<EventQuestion, 'scope' | 'search'>): Planning {
  const isOfTarget = !isStreamScope(scope) && scope.target_id !== undefined
  if (isOfTarget || logsOfScope(scope).length > 1) return 'freely'
  const asked = search?.kind === 'all' ? search.of : search ? [search] : []
  return asked.every(({ kind }) => kind === 'crud' || kind === 'flag') ? 'in_order' : 'freely'
}

/** One statement, so that the page and what is counted are of one snapshot. */
export async function readEventPage(db: Reader, question: EventQuestion): Promise<EventPage> {
  const { limit, offset = 0, order, seen } = question
  const matching = matchingOf(question)
  const { within, passed, ahead } = placesOf(question)
  const toCount = seen !== undefined && ahead ? [...matching, ahead] : matching
  const direction = sql.raw(order)
  const page = sql`
    select ${shown} from audit_log where ${all([...matching, ...within])}
    order by canonical_at ${direction}, id ${direction} limit ${limit + 1} offset ${offset}`
  const statement = sql<AuditRow & { total: number; passed: boolean; there: number }>`
    select counted.total, counted.passed, page.there, ${columnNames}
    from (
      select (select count(*)::integer from audit_log where ${all(toCount)}) as total,
        ${passed ? sql`exists (select from audit_log where ${all([...matching, passed])})` : sql`false`} as passed
    ) counted
    left join lateral (${bounded(page, direction)}) page on true
    order by page.canonical_at ${direction}, page.id ${direction}`
  const rows =
    planningOf(question) === 'in_order'
      ? await executeShape(db, 'audit_viewer', statement)
      : (await statement.execute(unwrap(db))).rows
  const [first] = rows
  const found = rows.filter(({ id }) => id !== null)
  return {
    rows: found.slice(0, limit),
    // What was seen is what somebody says.
    total: Math.min((seen ?? 0) + (first?.total ?? 0), intMax),
    hasMore: (first?.there ?? 0) > limit,
    hasPassed: first?.passed ?? false,
    isCut: found.length < Math.min(first?.there ?? 0, limit),
  }
}

/** The next events after a place, without counting any, and whether they are the last: for who reads all of them. */
export async function readNextEvents(
  db: Reader,
  question: Pick<EventQuestion, 'scope' | 'search' | 'before' | 'limit'>,
): Promise<{ readonly rows: AuditRow[]; readonly isLast: boolean }> {
  const { limit } = question
  const conditions = [...matchingOf(question), ...(question.before ? [older(question.before)] : [])]
  const page = sql`
    select ${shown} from audit_log where ${all(conditions)} order by canonical_at desc, id desc limit ${limit}`
  const { rows } = await sql<AuditRow & { there: number }>`
    select page.there, ${columnNames} from (${bounded(page, sql.raw('desc'))}) page
    order by page.canonical_at desc, page.id desc`.execute(unwrap(db))
  const there = rows[0]?.there ?? 0
  return { rows, isLast: there < limit && rows.length === there }
}

/**
 * A product is never the registry itself, so nothing of what is hidden of the registry's own events is in its scope; and
 * from the platform's people, who see a whole stream, nothing is hidden.
 */
function matchingOf({ scope, search }: Pick<EventQuestion, 'scope' | 'search'>): Condition[] {
  const logs = logsOfScope(scope)
  return [...inScope(scope), ...keptOf(scope, logs), ...(search ? [conditionOf(everything, search, logs)] : [])]
}

/** What of a scope is not over: of each of its logs, by what is agreed for that one. */
function keptOf(scope: LogScope, logs: readonly StreamId[]): readonly Condition[] {
  const { product } = scope
  const sight: Sight = isStreamScope(scope) ? everything : { kind: 'product', product: scope.product }
  const [log, ...others] = logs
  if (others.length === 0) return retentionConditions(sight, { log, product })
  return logs.map((each) => {
    const kept = retentionConditions(sight, { log: each, product })
    return sql<SqlBool>`(stream_id <> ${each} or (${all(kept)}))`
  })
}

/** What is on the page as far as places go, and what lies on either side of where it begins. */
function placesOf({ before, after, from, order }: EventQuestion): {
  within: Condition[]
  passed?: Condition
  ahead?: Condition
} {
  const start = order === 'desc' ? before : after
  const startsAfter = order === 'desc' ? older : newer
  const isBeyond = order === 'desc' ? newer : older
  const within = [
    ...(before ? [older(before)] : []),
    ...(after ? [newer(after)] : []),
    ...(from ? [not(isBeyond(from))] : []),
  ]
  if (start) return { within, passed: not(startsAfter(start)), ahead: startsAfter(start) }
  return from ? { within, passed: isBeyond(from) } : { within }
}
