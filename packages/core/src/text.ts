import { z } from 'zod'

/** Unicode's line: a high surrogate without its low one, or the reverse, has no UTF-8 form. */
export const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/**
 * Any string that may come in: PostgreSQL's `text` cannot hold U+0000, and UTF-8 cannot hold half a surrogate pair.
 * @param max the most characters it may have: code points, as JSON Schema counts them
 */
export function text(max: number) {
  return z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), { error: 'must not contain U+0000', abort: true })
    .refine((value) => !loneSurrogate.test(value), { error: 'must not contain half of a surrogate pair' })
}

/** A character that leaves something to be seen. Spaces, joiners, fillers and the Braille blank do not. */
const visible = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\u2800]/u

/**
 * A name that a person gives: trimmed and in Unicode's composed form, so that equal looks equal; on one line, and not
 * of invisible characters alone.
 * @param max the most characters it may have, as it comes and composed: there are some that become two or three
 */
export function name(max: number) {
  return text(max)
    .trim()
    .normalize('NFC')
    .min(1)
    .max(max)
    .refine((value) => !/\p{Cc}/u.test(value), { error: 'must not contain control characters', abort: true })
    .refine((value) => value === '' || visible.test(value), { error: 'must have characters that can be seen' })
}

/** An id that another system gave: kept as it is, only never blank. */
export function foreignId(max: number) {
  return text(max).regex(/^\S(?:.*\S)?$/su, { error: 'must not begin or end with white space' })
}

/**
 * A closed list for us and an open one for the caller: a response may hold values of a later release (after a
 * roll-back), so its schema names the known ones without refusing others.
 */
export function openEnum<const Values extends readonly [string, ...string[]]>(values: Values) {
  const schema: unknown = z.string().meta({ examples: [values[0]], 'x-extensible-enum': values })
  return schema as z.ZodType<Values[number], Values[number]>
}
