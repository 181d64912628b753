import { type Operation, operations, type Ops } from '../generated/operations.gen.ts'
import { assertKept, assertWellFormed } from './form.ts'
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

/**
 * Takes a request apart.
 * @throws {FakeRefusal} when there is no such route, or something about it is malformed
 */
export function requestOf({ url: target, method, headers: given }: Request, text: string, signal: Signal): FakeRequest {
  const url = new URL(target)
  const route = routes.find((each) => each.method === method && each.pattern.test(url.pathname))
  if (!route) refuse('not_found', 'route.not_found')
  const [, version] = /^"(\d+)(?:-[^"]*)?"$/.exec(given.get('if-match') ?? '') ?? []
  const groups = Object.entries(route.pattern.exec(url.pathname)?.groups ?? {})
  const query = [...url.searchParams].map(([name, text]) => [name, numbers.has(name) ? Number(text) : text])
  const args = {
    path: Object.fromEntries(groups.map(([name, text]) => [name, decoded(text)])),
    query: Object.fromEntries(query),
    body: route.lines ? text : parsed(text),
  }
  assertKept(route.id, method, given)
  assertWellFormed(route.id, args)
  return {
    operation: route.id,
    args,
    headers: given,
    ifMatch: version === undefined ? undefined : Number(version),
    signal,
  }
}

const numbers: ReadonlySet<string> = new Set(['limit', 'after', 'wait'])

type Signal = AbortSignal | undefined

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return refuse('invalid', 'request.path_malformed')
  }
}

function parsed(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return refuse('invalid', 'request.json_malformed')
  }
}
