import { problemError } from './problem-error.ts'

/** What may stand in a query. */
export type QueryValue = string | number | boolean | undefined

/**
 * Checks the address of a registry and spells it as a prefix for paths.
 * @throws {TypeError} when it is not an absolute http or https URL, or has a query, a fragment or credentials in it
 */
export function urlPrefix(baseUrl: string | URL): string {
  const { protocol, origin, pathname, search, hash, username, password } = new URL(baseUrl)
  if (!/^https?:$/.test(protocol)) throw new TypeError(`baseUrl has to be http or https, not ${protocol}`)
  if (search || hash || username || password) {
    throw new TypeError('baseUrl must not have a query, a fragment or credentials')
  }
  return origin + pathname.replace(/\/+$/, '')
}

/**
 * Fills a path's `{names}` and appends the query. Every value stays within its own segment, whatever is in it.
 * @throws {InvalidError} when a value cannot be a path segment; the registry would call it invalid as well
 * @throws {TypeError} when a value is not a string at all
 */
export function pathOf(
  operation: string,
  template: string,
  values: Readonly<Record<string, unknown>> = {},
  query: Readonly<Record<string, QueryValue>> = {},
): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => segment(operation, name, values[name]))
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.append(name, String(value))
  const search = given.toString()
  return search === '' ? path : `${path}?${search}`
}

function segment(operation: string, name: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${operation}: ${name} has to be a string, not ${typeof value}`)
  // No encoding saves these: every URL parser takes them, and %2e as well, for steps within the path.
  if (value !== '' && value !== '.' && value !== '..') {
    try {
      return encodeURIComponent(value)
    } catch {
      // Half of a surrogate pair has no encoding.
    }
  }
  throw problemError(`${operation}: ${name} cannot be ${JSON.stringify(value)}`, {
    status: 400,
    code: 'request.invalid',
    attempts: 0,
  })
}
