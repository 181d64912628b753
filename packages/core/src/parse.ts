import type { z } from 'zod'

/**
 * zod's `safeParse`, of JSON that somebody sent. zod compares the `length` of whatever is there with the bounds of a text
 * or an array, also of an object; and where that is an object that no number can be made of, comparing throws.
 */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  context?: z.core.ParseContext<z.core.$ZodIssue>,
): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return schema.safeParse(json, context)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const parsed = schema.safeParse(withPlainLengths(json), context)
    // What threw was an object in the place of something else, so that it is refused in any case.
    if (parsed.success) throw error
    return parsed
  }
}

/** Deeper than this no schema looks. */
const levelsMax = 100

/** The same with null in the place of members `length` that are objects. */
function withPlainLengths(json: unknown, level = 0): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (level > levelsMax) return null
  if (Array.isArray(json)) return json.map((each) => withPlainLengths(each, level + 1))
  const members = Object.entries(json).map(([name, value]): [string, unknown] =>
    name === 'length' && typeof value === 'object' ? [name, null] : [name, withPlainLengths(value, level + 1)],
  )
  return Object.fromEntries(members)
}
