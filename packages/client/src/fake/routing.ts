import { type Operation, operations, type Ops } from '../generated/operations.gen.ts'
import type { FakeRequest } from './handlers.ts'
import { refuse } from './refusal.ts'

const routes = Object.entries(operations as Record<string, Operation>)
  .map(([id, { method, path, lines }]) => ({
    id: id as keyof Ops,
    method,
    path,
    lines,
    pattern: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
  }))
  // A brace comes after every letter: where one path has a word and another one anything, the word is tried first.
  .sort((a, b) => (a.path < b.path ? -1 : 1))

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Takes a request apart. */
export function requestOf(url: URL, { method = 'GET', headers, body, signal }: RequestInit): FakeRequest {
  const route = routes.find((each) => each.method === method && each.pattern.test(url.pathname))
  if (!route) refuse('not_found', 'route.not_found')
  const given = new Headers(headers)
  const [, version] = /^"(\d+)(?:-[^"]*)?"$/.exec(given.get('if-match') ?? '') ?? []
  const groups = Object.entries(route.pattern.exec(url.pathname)?.groups ?? {})
  const query = [...url.searchParams].map(([name, text]) => [name, numbers.has(name) ? Number(text) : text])
  const args = {
    path: Object.fromEntries(groups.map(([name, text]) => [name, decodeURIComponent(text)])),
    query: Object.fromEntries(query),
    body: typeof body === 'string' && !route.lines ? (JSON.parse(body) as unknown) : body,
  }
  assertIds(args.path)
  return {
    operation: route.id,
    args,
    headers: given,
    ifMatch: version === undefined ? undefined : Number(version),
    signal: signal ?? undefined,
  }
}

const numbers: ReadonlySet<string> = new Set(['limit', 'after', 'wait'])
const ids: ReadonlySet<string> = new Set(['tenant_id', 'project_id', 'event_id'])

function assertIds(path: Readonly<Record<string, string>>): void {
  const errors = Object.entries(path)
    .filter(([name, value]) => ids.has(name) && !uuid.test(value))
    .map(([name]) => ({ pointer: `/path/${name}`, code: 'invalid_format', message: 'Invalid GUID' }))
  if (errors.length > 0) refuse('invalid', 'request.invalid', { errors })
}
