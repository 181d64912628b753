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

/** The same with null in the place of members `length` that are objects. */
function withPlainLengths(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(withPlainLengths)
  const members = Object.entries(json).map(([name, value]): [string, unknown] =>
    name === 'length' && typeof value === 'object' ? [name, null] : [name, withPlainLengths(value)],
  )
  return Object.fromEntries(members)
}
