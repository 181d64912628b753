import { RegistryError, safeParse, type Violation, withoutKeys } from '@breakpilot/tenant-core'
import type { z } from 'zod'

/** Which part of a request is looked at, as the pointers of its violations begin. The body's begin with nothing. */
type Part = '' | '/path' | '/query'

/**
 * Parses one part of a request.
 * @throws {RegistryError} `request.invalid` with a violation for everything that is wrong
 */
export function validate<Schema extends z.ZodType>(schema: Schema, value: unknown, part: Part): z.output<Schema> {
  const parsed = safeParse(schema, value)
  if (parsed.success) return parsed.data
  throw new RegistryError('request.invalid', {
    violations: parsed.error.issues.slice(0, violationsMax).flatMap((issue) => violations(issue, part)),
  })
}

/** The query of a URL, every parameter once. */
export function parseQuery(search: string, schema: z.ZodObject | undefined): Record<string, string> {
  const known = schema?.shape ?? {}
  const query: Record<string, string> = {}
  const wrong: Violation[] = []
  let unknown = false
  for (const [name, value] of new URLSearchParams(search)) {
    const pointer = `/query/${escapePointer(name)}`
    if (!Object.hasOwn(known, name)) {
      unknown = true
      wrong.push({ pointer, code: 'unknown', message: 'there is no such parameter' })
    } else if (Object.hasOwn(query, name)) {
      wrong.push({ pointer, code: 'repeated', message: 'is given more than once' })
    } else {
      query[name] = value
    }
    if (wrong.length === violationsMax) break
  }
  // Ignoring a filter that is misspelt would answer with more than was asked for.
  if (wrong.length > 0) {
    throw new RegistryError(unknown ? 'request.query_unknown' : 'request.invalid', { violations: wrong })
  }
  return query
}

/** A body with a thousand mistakes is told of the first ones. */
const violationsMax = 50

function violations(issue: z.core.$ZodIssue, part: Part): Violation[] {
  const pointer = part + issue.path.map((key) => `/${escapePointer(String(key))}`).join('')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, violationsMax).map((key) => ({
      pointer: `${pointer}/${escapePointer(key)}`,
      code: 'unknown',
      message: 'there is no such field',
    }))
  }
  return [{ pointer, code: issue.code === 'custom' ? 'invalid' : issue.code, message: issue.message }]
}

/** RFC 6901. Names come from the caller: long ones are cut, so that an answer is not longer than its question. */
export function escapePointer(name: string): string {
  return withoutKeys(name).slice(0, 100).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')
}
