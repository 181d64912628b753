import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import type { SearchExpression } from './search-language.ts'
import { type Column, own, shown, shows } from './shown-columns.ts'

type Condition = RawBuilder<SqlBool>

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
 * @param tenant whose log is searched, if it is one tenant's: the index of words knows the streams too
 */
export function conditionOf(sight: Sight, expression: SearchExpression, tenant?: TenantId): Condition {
  const inside = (each: SearchExpression) => conditionOf(sight, each, tenant)
  switch (expression.kind) {
    case 'all':
      return sql`(${sql.join(expression.of.map(inside), sql` and `)})`
    case 'any':
      return sql`(${sql.join(expression.of.map(inside), sql` or `)})`
    case 'not':
      // What is not said is not so.
      return sql`(${inside(expression.of)}) is not true`
    case 'text':
      return words(sight, queryOf(expression), tenant)
    case 'action':
      return either([
        ...(expression.names.length > 0 ? [sql<SqlBool>`action = any(${expression.names}::text[])`] : []),
        ...expression.prefixes.map((prefix) => sql<SqlBool>`action ^@ ${prefix}`),
      ])
    case 'crud':
      return sql`crud = any(${expression.values}::text[])`
    case 'exact':
      return either(expression.values.map((value) => shows(sight, columnOf[expression.field], value)))
    case 'words':
      return either(expression.values.map((value) => wordsOf(sight, columnOf[expression.field], value, tenant)))
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

const either = (of: readonly Condition[]): Condition => sql`(${sql.join(of, sql` or `)})`

/** Lexemes as they stand in the index, of any text: `to_tsquery` reads what is in quotes as words. */
function queryOf({ text, as }: Extract<SearchExpression, { kind: 'text' }>): RawBuilder<unknown> {
  if (as === 'words') return sql`plainto_tsquery('simple', ${text})`
  if (as === 'phrase') return sql`phraseto_tsquery('simple', ${text})`
  return sql`to_tsquery('simple', ${`'${text.replaceAll(/['\\]/g, '$&$&')}':*`})`
}

/** Events with these words anywhere in them. */
function words(sight: Sight, query: RawBuilder<unknown>, tenant: TenantId | undefined): Condition {
  const found = inIndex(query, tenant)
  if (sight.kind === 'platform') return found
  // The index knows all of an event. It says where to look, what is shown says whether it is there.
  return sql`(${found} and (product <> ${own} or ${shownText} @@ ${query}))`
}

/**
 * A rare word is found by the index whoever has it; a frequent one by its stream as well. What has no word in it finds
 * nothing, with a stream or without.
 */
const inIndex = (query: RawBuilder<unknown>, tenant: TenantId | undefined): Condition =>
  tenant === undefined
    ? sql`search @@ ${query}`
    : sql`(search @@ (${query} && ${`'${tenant}'`}::tsquery) and numnode(${query}) > 0)`

/** The words of the registry's own events that everybody sees who sees the event. */
const shownText = sql`(to_tsvector('simple', concat_ws(' ', action, product, group_id, group_name, target_id, target_name,
  target_type, description, component, version, external_id)) || array_to_tsvector(array[lower(action)]))`

/** Events with these words in one column. */
function wordsOf(sight: Sight, column: Column, value: string, tenant: TenantId | undefined): Condition {
  const query = sql`plainto_tsquery('simple', ${value})`
  return sql`(${inIndex(query, tenant)} and to_tsvector('simple', ${shown(sight, column)}) @@ ${query})`
}

/** Events with an entry of this name in their `fields`, whose value is one of these or has one of them between commas. */
function entry(sight: Sight, name: string, values: readonly string[]): Condition {
  const found = sql<SqlBool>`regexp_split_to_array(btrim(fields ->> ${name}), '\\s*,\\s*') && ${values}::text[]`
  // What the registry changed is shown field by field.
  return sight.kind === 'platform' ? found : sql`(product <> ${own} and ${found})`
}
