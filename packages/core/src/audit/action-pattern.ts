import { type RawBuilder, type SqlBool, sql } from 'kysely'

/** The last code point, and the hole in the middle that UTF-8 has no bytes for. */
const last = 0x10ffff
const surrogates = { first: 0xd800, last: 0xdfff }

/**
 * The first text after all that begin with `prefix`, in the order of bytes, which is that of code points; undefined when
 * every later text begins with it.
 */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  for (let at = points.length - 1; at >= 0; at -= 1) {
    const point = points[at] ?? last
    if (point === last) continue
    const next = point + 1 === surrogates.first ? surrogates.last + 1 : point + 1
    return String.fromCodePoint(...points.slice(0, at), next)
  }
  return undefined
}

/** Whether an action begins like this: as a range, which an index finds whatever the plan knows of the prefix. */
export function actionBegins(prefix: string): RawBuilder<SqlBool> {
  const end = afterPrefix(prefix)
  if (prefix === '') return sql`true`
  return end === undefined ? sql`action >= ${prefix}` : sql`(action >= ${prefix} and action < ${end})`
}

/** An action, or the beginning of one with `*` behind it. */
export const prefixOf = (pattern: string): string | undefined =>
  pattern.endsWith('*') ? pattern.slice(0, -1) : undefined
