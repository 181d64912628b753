import { type RawBuilder, type SqlBool, sql } from 'kysely'

const cruds = ['c', 'r', 'u', 'd'] as const

/**
 * That the crud of an event is one of these, in as few comparisons as there are: counting a scope makes them for every
 * event in it, and an array takes three times as long as one of them.
 */
export function isCrud(values: readonly string[]): RawBuilder<SqlBool> {
  const wanted = new Set(values)
  const others = cruds.filter((crud) => !wanted.has(crud))
  if (others.length === 0) return sql`true`
  if (wanted.size === 0) return sql`false`
  if (wanted.size > others.length) return each(others, '<>', ' and ')
  return each([...wanted], '=', ' or ')
}

const each = (values: readonly string[], operator: '=' | '<>', between: ' and ' | ' or ') =>
  sql<SqlBool>`(${sql.join(
    values.map((value) => sql`crud ${sql.raw(operator)} ${value}`),
    sql.raw(between),
  )})`
