import type { Answer, OpenApi, Operation, Parameter, SecurityScheme } from './document.ts'
import { type Break, SchemaComparison } from './schemas.ts'

/**
 * What may break a caller of the first document who meets the second one. Each change is one line, the same one as long
 * as the change is the same: it is by that line that a change is acknowledged.
 */
export function breakingChanges(before: OpenApi, after: OpenApi): string[] {
  const schemas = new SchemaComparison(before, after)
  const breaks = Object.entries(before.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, old]): Break[] => {
      const at = `${method.toUpperCase()} ${path}`
      const now = after.paths[path]?.[method]
      if (!now) return [{ at, what: 'was removed' }]
      return [
        ...itself(old, now, at),
        ...parameters(old, now, at, schemas),
        ...body(old, now, at, schemas),
        ...answers(old, now, at, schemas, before, after),
      ]
    }),
  )
  return [...new Set([...securitySchemes(before, after), ...breaks].map(({ at, what }) => `${at} ${what}`))]
}

/** Whoever can prove who he is by a scheme can do so by the same one. */
function securitySchemes(before: OpenApi, after: OpenApi): Break[] {
  const spell = ({ description: _, ...scheme }: SecurityScheme) =>
    JSON.stringify(Object.entries(scheme).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return Object.entries(before.components.securitySchemes ?? {}).flatMap(([name, old]): Break[] => {
    const now = after.components.securitySchemes?.[name]
    if (now && spell(now) === spell(old)) return []
    return [{ at: `credentials ${name}`, what: now ? 'are no longer the same' : 'were removed' }]
  })
}

function itself(old: Operation, now: Operation, at: string): Break[] {
  const found: Break[] = []
  if (old.operationId !== now.operationId) {
    found.push({ at, what: `is now called ${now.operationId}, no longer ${old.operationId}` })
  }
  // No security at all and a list of none both let everybody in.
  const ways = ({ security }: Operation) => (security?.length ? security : [{}]).map((way) => JSON.stringify(way))
  const allowed = ways(now)
  if (ways(old).some((way) => !allowed.includes(way) && !allowed.includes('{}'))) {
    found.push({ at, what: 'asks for other credentials' })
  }
  return found
}

function parameters(old: Operation, now: Operation, at: string, schemas: SchemaComparison): Break[] {
  const key = (parameter: Parameter) => `${parameter.in} ${parameter.name}`
  const before = new Map((old.parameters ?? []).map((each) => [key(each), each]))
  const after = new Map((now.parameters ?? []).map((each) => [key(each), each]))
  const found: Break[] = []
  for (const [name, parameter] of before) {
    const successor = after.get(name)
    if (!successor) found.push({ at: `${at} ${name}`, what: 'was removed' })
    else found.push(...schemas.breaks(parameter.schema ?? {}, successor.schema ?? {}, `${at} ${name}`, 'request'))
  }
  for (const [name, { required }] of after) {
    if (required && !before.get(name)?.required) found.push({ at: `${at} ${name}`, what: 'is now required' })
  }
  return found
}

function body({ requestBody: old }: Operation, now: Operation, at: string, schemas: SchemaComparison): Break[] {
  const { required = false, content = {} } = now.requestBody ?? {}
  const found: Break[] = required && !old?.required ? [{ at: `${at} body`, what: 'is now required' }] : []
  for (const [type, { schema }] of Object.entries(old?.content ?? {})) {
    const successor = content[type]
    if (!successor) found.push({ at: `${at} body`, what: `may no longer be ${type}` })
    else found.push(...schemas.breaks(schema ?? {}, successor.schema ?? {}, `${at} body`, 'request'))
  }
  return found
}

function answers(
  old: Operation,
  now: Operation,
  at: string,
  schemas: SchemaComparison,
  before: OpenApi,
  after: OpenApi,
): Break[] {
  return Object.entries(old.responses ?? {}).flatMap(([status, given]): Break[] => {
    const place = `${at} ${status}`
    const successor = now.responses?.[status]
    if (!successor) return [{ at: place, what: 'was removed' }]
    const was = resolved(given, before)
    const is = resolved(successor, after)
    const headers = Object.keys(was.headers ?? {}).filter((name) => !is.headers || !(name in is.headers))
    const contents = Object.entries(was.content ?? {}).flatMap(([type, { schema }]): Break[] => {
      const other = is.content?.[type]
      if (!other) return [{ at: place, what: `is no longer ${type}` }]
      return schemas.breaks(schema ?? {}, other.schema ?? {}, place, 'response')
    })
    return [
      ...headers.map((name) => ({ at: place, what: `no longer has the header ${name}` })),
      ...codes(was, is).map((code) => ({ at: place, what: `is no longer ${code}` })),
      ...contents,
    ]
  })
}

/** The codes that an answer does not have any more: somebody waits for them. */
function codes(was: Answer, is: Answer): string[] {
  return (was['x-error-codes'] ?? []).filter((code) => !is['x-error-codes']?.includes(code))
}

function resolved(answer: Answer, { components }: OpenApi): Answer {
  return answer.$ref === undefined ? answer : (components.responses?.[answer.$ref.split('/').at(-1) ?? ''] ?? {})
}
