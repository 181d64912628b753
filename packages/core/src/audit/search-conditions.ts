import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Planning } from '../db/bounded-read.ts'
import type { StreamId, TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import { actionBegins } from './action-pattern.ts'
import { isCrud } from './crud-condition.ts'
import type { SearchExpression } from './search-language.ts'
import { searchable } from './search-text.ts'
import { type Column, own, shown, shows } from './shown-columns.ts'
import { cameFrom } from './source-address.ts'

type Condition = RawBuilder<SqlBool>

/** Streams, or tenants, whose streams have their ids. None stands for whichever. */
type Logs = readonly (StreamId | TenantId)[]

/** How the index of words is asked. */
interface Asked {
  /** Which logs are searched, where these are all: the index knows the streams too. */
  readonly logs: Logs
  /** What is planned for the very words may go by how frequent they are, as far as they stand in the statement. */
  readonly planning: Planning
}

const columnOf = {
  'actor.id': 'actor_id',
  'actor.name': 'actor_name',
  'target.id': 'target_id',
  'target.name': 'target_name',
  'target.type': 'target_type',
  'group.id': 'group_id',
  'group.name': 'group_name',
  external_id: 'external_id',
  product: 'product',
  component: 'component',
  version: 'version',
  source_ip: 'source_ip',
  description: 'description',
  is_failure: 'is_failure',
  is_anonymous: 'is_anonymous',
  received: 'received_at',
  created: 'created_at',
} as const satisfies Record<string, Column>

/**
 * What a search asks of a row of the log. Nothing finds what its reader is not shown: of the registry's own events a
 * tenant's people find what they see of them, and nothing of what only the platform does.
 * @param logs which are searched, where these are all: the index of words knows the streams too
 * @param planning of the statement that it is for
 */
export function conditionOf(
  sight: Sight,
  expression: SearchExpression,
  logs: Logs = [],
  planning: Planning = 'freely',
): Condition {
  return condition(sight, expression, { logs, planning })
}

function condition(sight: Sight, expression: SearchExpression, asked: Asked): Condition {
  const inside = (each: SearchExpression) => condition(sight, each, asked)
  switch (expression.kind) {
    case 'all': {
      // All words together are one question to the index, and one look at what is shown.
      const texts = expression.of.filter((each) => each.kind === 'text')
      const rest = expression.of.filter((each) => each.kind !== 'text').map(inside)
      const found = texts.length > 0 ? [words(sight, texts, asked)] : []
      return sql`(${sql.join([...found, ...rest], sql` and `)})`
    }
    case 'any':
      return sql`(${sql.join(expression.of.map(inside), sql` or `)})`
    case 'not':
      // What is not said is not so.
      return sql`(${inside(expression.of)}) is not true`
    case 'text':
      return words(sight, [expression], asked)
    case 'action':
      return either([
        ...(expression.names.length > 0 ? [sql<SqlBool>`action = any(${expression.names}::text[])`] : []),
        ...expression.prefixes.map(actionBegins),
      ])
    case 'crud':
      return isCrud(expression.values)
    case 'exact':
      return either(
        expression.values.map((value) =>
          expression.field === 'source_ip' ? cameFrom(sight, value) : shows(sight, columnOf[expression.field], value),
        ),
      )
    case 'words':
      return wordsOf(sight, columnOf[expression.field], expression.values, asked)
    case 'flag':
      return sql`${sql.ref(columnOf[expression.field])} = any(${expression.values}::boolean[])`
    case 'time': {
      const column = sql.ref(columnOf[expression.field])
      const { from, to } = expression
      const ends = [from && sql<SqlBool>`${column} >= ${from}`, to && sql<SqlBool>`${column} < ${to}`]
      return sql`(${sql.join(
        ends.filter((end) => end !== undefined),
        sql` and `,
      )})`
    }
    case 'entry':
    default:
      return entry(sight, expression.name, expression.values)
  }
}

/**
 * What the index of words finds of what a search finds, and more: undefined when it cannot say, since what is searched
 * for need not have words. The index knows of an event also what its reader is not shown. For statements that are planned
 * once for all words.
 */
export function candidates(expression: SearchExpression, logs: Logs = []): Condition | undefined {
  const all = expression.kind === 'all' ? expression.of : [expression]
  const queries = all.flatMap((each) => {
    if (each.kind === 'text') return [anywhere(each)]
    return each.kind === 'words' ? [oneOf(each.values.map(plain))] : []
  })
  return queries.length === 0 ? undefined : inIndex(both(queries), { logs, planning: 'in_order' })
}

const either = (of: readonly Condition[]): Condition => sql`(${sql.join(of, sql` or `)})`

type Text = Extract<SearchExpression, { kind: 'text' }>
type Query = RawBuilder<unknown>

/** Lexemes as they stand in the index, of any text: `to_tsquery` reads what is in quotes as words. */
function queryOf({ text, as }: Text): Query {
  const sought = searchable(text)
  if (as !== 'prefix' && isDotted(text)) return dottedName(sought)
  if (as === 'words') return asItStands(sought)
  if (as === 'phrase') return sql`phraseto_tsquery('simple', ${sought})`
  const beginning = `'${sought.replaceAll(/['\\]/g, '$&$&')}':*`
  const asWords = sql`to_tsquery('simple', ${beginning})`
  if (Buffer.byteLength(sought) > lexemeBytes) return asWords
  // What is one word as a whole, such as an address or a dotted name, need not be one in its beginning.
  return sql`(${asWords} || lower(${beginning})::tsquery)`
}

/** Not a mere number, such as a price or one half of a place on the earth: what stands behind one may well be below zero. */
const isDotted = (text: string) => /^[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+$/u.test(text) && !/^-?\d+\.\d+$/.test(text)

/**
 * A dotted name is one word, also with a number behind it, of which PostgreSQL makes another one: `report.read-1` is found by
 * that, and not by `report.read`. Nothing to ask the index for, which would read all numbers below zero that it has.
 */
const dottedName = (sought: string): Query => sql`(phraseto_tsquery('simple', ${sought}) <-> '!''-'':*'::tsquery)`

/** A lexeme has less than 2 kB, also when its letters become small ones that are longer. */
const lexemeBytes = 1_000

/** The same words wherever they stand: no lexeme of this configuration has the sign of an order in it. */
const anywhere = (text: Text): Query =>
  text.as === 'words' || (text.as === 'phrase' && isDotted(text.text))
    ? plain(text.text)
    : sql`replace(${queryOf(text)}::text, '<->', '&')::tsquery`

const plain = (text: string): Query => asItStands(searchable(text))
const asItStands = (text: string): Query => sql`plainto_tsquery('simple', ${text})`
const both = (queries: readonly Query[]): Query => sql`(${sql.join(queries, sql` && `)})`
const oneOf = (queries: readonly Query[]): Query => sql`(${sql.join(queries, sql` || `)})`

/**
 * Events with all of these words anywhere in them.
 *
 * The index knows all of an event, also what its reader is not shown. Of the registry's own events it may therefore only
 * be asked which have the words, wherever they stand: in which order, and next to what, only what is shown may say.
 */
function words(sight: Sight, texts: readonly Text[], asked: Asked): Condition {
  const query = both(texts.map(queryOf))
  const hasDotted = texts.some(({ text }) => isDotted(text))
  const found = inIndex(hasDotted ? both(texts.map(anywhere)) : query, asked)
  // A lexeme without a place in the text is the stream's id, or the action once more.
  const isRead = hasDotted || texts.some(({ as }) => as === 'prefix')
  const inText = isRead ? sql<SqlBool>`(${found} and ts_filter(search, '{d}') @@ ${query})` : found
  if (sight.kind === 'platform') return inText
  const ofOwn = sql<SqlBool>`(product = ${own} and ${inIndex(both(texts.map(anywhere)), asked)} and ${shownText} @@ ${query})`
  return sql`((product <> ${own} and ${inText}) or ${ofOwn})`
}

/**
 * A rare word is found by the index whoever has it; a frequent one by its stream as well. What has no word in it finds
 * nothing, with a stream or without. What is planned for all words would make the query anew for each row that it looks
 * at, which took half of the time of a walk.
 */
function inIndex(query: Query, { logs, planning }: Asked): Condition {
  const once = (asked: Query) => (planning === 'in_order' ? sql`(select ${asked})` : asked)
  if (logs.length === 0) return sql`search @@ ${once(query)}`
  const ofLogs = sql`(${query} && ${logs.map((log) => `'${log}'`).join(' | ')}::tsquery)`
  return sql`(search @@ ${once(ofLogs)} and numnode(${query}) > 0)`
}

/** How much of a text is looked at, as when it is written: beyond a megabyte there is no vector of it. */
const start = (text: RawBuilder<unknown>) => sql`left(${text}, 65536)`

/** The words of the registry's own events that everybody sees who sees the event. */
const shownText = sql`(to_tsvector('simple', ${start(sql`concat_ws(' ', action, product, group_id, group_name,
  target_id, target_name, target_type, description, component, version, external_id)`)})
  || array_to_tsvector(array[lower(action)]))`

/** Events with the words of one of these values in one column. */
function wordsOf(sight: Sight, column: Column, values: readonly string[], asked: Asked): Condition {
  const text = start(shown(sight, column))
  const within = (value: string) => (isDotted(value) ? dottedName(value) : asItStands(value))
  const parted = values.map((value) => value.replaceAll(/[<@_/~]/g, ' '))
  // A long text is read without the signs by which it could take PostgreSQL minutes: search-text.ts.
  return sql`(${inIndex(oneOf(values.map(plain)), asked)} and case when length(${text}) <= ${sql.lit(shortLength)}
    then to_tsvector('simple', ${text}) @@ ${oneOf(values.map(within))}
    else to_tsvector('simple', translate(${text}, '<@_/~', '     ')) @@ ${oneOf(parted.map(within))} end)`
}

/** Characters of a text that are read as they stand. */
const shortLength = 1_000

/** An escape that no text of the database can hold. */
const halfPair = String.raw`(?:^|[^\\])(?:\\\\)*\\u(?:d[89a-f]|0000)`

/** Events with an entry of this name in their `fields`, whose value is one of these or has one of them between commas. */
function entry(sight: Sight, name: string, values: readonly string[]): Condition {
  // Half a surrogate pair can stand in a map, and nowhere in a text: reading it would be an error.
  // Behind an even number of backslashes there is none, but a text such as `C:\\udata`.
  const map = sql`case when fields::text ~* ${sql.lit(halfPair)} then null else fields end`
  const found = sql<SqlBool>`regexp_split_to_array(btrim((${map}) ->> ${name}), '\\s*,\\s*') && ${values}::text[]`
  // What the registry changed is shown field by field.
  return sight.kind === 'platform' ? found : sql`(product <> ${own} and ${found})`
}
