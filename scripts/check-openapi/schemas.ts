import type { OpenApi, Schema } from './document.ts'

/** Whether callers send what a schema describes, or read it. */
export type Direction = 'request' | 'response'

/** Something that may break a caller: where, and what. Both stay the same as long as the change does. */
export interface Break {
  readonly at: string
  readonly what: string
}

interface Shape {
  /** The component that it is, if it is one. */
  readonly name: string | undefined
  readonly schema: Schema
}

/** Keywords that change nothing about what is valid. */
const annotations = new Set(['description', 'title', 'examples', 'example', 'default', 'deprecated', 'id'])

/** Bounds that may be loosened: with which sign a larger number is looser. */
const bounds: Readonly<Record<string, 1 | -1>> = {
  minLength: -1,
  minItems: -1,
  minProperties: -1,
  minimum: -1,
  exclusiveMinimum: -1,
  maxLength: 1,
  maxItems: 1,
  maxProperties: 1,
  maximum: 1,
  exclusiveMaximum: 1,
}

const looked = new Set(
  [
    '$ref type anyOf oneOf enum const x-extensible-enum format',
    'properties required additionalProperties items contentMediaType contentSchema',
  ].flatMap((line) => line.split(' ')),
)

/**
 * Compares the schemas of two documents. A request may only become wider: whatever was taken is still taken. A response
 * may only become narrower: whatever is answered is what callers already understand. Bounds of length and size are not
 * looked at in responses, since nobody's program breaks by them.
 */
export class SchemaComparison {
  readonly #before: OpenApi
  readonly #after: OpenApi
  /** Components are compared once for each direction, under their own name. */
  readonly #seen: Set<string>

  constructor(before: OpenApi, after: OpenApi, seen: Iterable<string> = []) {
    this.#before = before
    this.#after = after
    this.#seen = new Set(seen)
  }

  breaks(before: Schema, after: Schema, at: string, direction: Direction): Break[] {
    const old = shapesOf(before, this.#before)
    const now = shapesOf(after, this.#after)
    // A component of several shapes may hold itself, as JSON does.
    const several = before.$ref !== undefined && before.$ref === after.$ref && old.length > 1
    if (several && !this.#isFirst(`${direction} ${before.$ref}`)) return []
    const [sent, understood] = direction === 'request' ? [old, now] : [now, old]
    return sent.flatMap((shape): Break[] => {
      const known = understood.filter((other) => mayFit(shape, other))
      const namesake = known.find(({ name }) => name !== undefined && name === shape.name)
      const [only] = namesake ? [namesake] : known.length === 1 ? known : []
      const pair = (other: Shape) => (direction === 'request' ? ([shape, other] as const) : ([other, shape] as const))
      const rivals = sent.filter((other) => only && other !== shape && mayFit(other, only))
      if (only && (namesake || rivals.length === 0)) return this.#compare(...pair(only), at, direction)
      if (known.some((other) => this.#quietly(...pair(other), direction))) return []
      const verb = direction === 'request' ? 'no longer takes' : 'may now be'
      return [{ at, what: `${verb} ${nameOf(shape)}` }]
    })
  }

  #isFirst(key: string): boolean {
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }

  /** Whether two shapes agree, without a word about where they do not. */
  #quietly(before: Shape, after: Shape, direction: Direction): boolean {
    return (
      new SchemaComparison(this.#before, this.#after, this.#seen).#compare(before, after, '', direction).length === 0
    )
  }

  #compare(before: Shape, after: Shape, place: string, direction: Direction): Break[] {
    let at = place
    if (before.name !== undefined && before.name === after.name) {
      if (!this.#isFirst(`${direction} ${before.name} ${JSON.stringify(before.schema.type)}`)) return []
      at = `${before.name} (${direction})`
    }
    const old = before.schema
    const now = after.schema
    return [
      ...values(old, now, direction).map((what) => ({ at, what })),
      ...this.#properties(old, now, at, direction),
      ...this.#others(old, now, at, direction),
      ...(old.items && now.items ? this.breaks(old.items, now.items, `${at}[]`, direction) : []),
      ...this.#lines(old, now, at, direction),
    ]
  }

  #properties(old: Schema, now: Schema, at: string, direction: Direction): Break[] {
    const isNew = (name: string) => !old.required?.includes(name)
    const isOptional = (name: string) => !now.required?.includes(name)
    const found: Break[] =
      direction === 'request'
        ? (now.required ?? []).filter(isNew).map((name) => ({ at: `${at}.${name}`, what: 'is now required' }))
        : (old.required ?? [])
            .filter((name) => isOptional(name) && now.properties?.[name])
            .map((name) => ({ at: `${at}.${name}`, what: 'may now be missing' }))
    for (const [name, property] of Object.entries(old.properties ?? {})) {
      const successor = now.properties?.[name]
      if (successor) found.push(...this.breaks(property, successor, `${at}.${name}`, direction))
      else found.push({ at: `${at}.${name}`, what: 'was removed' })
    }
    return found
  }

  /** The documents that a string holds. Where nothing was said of them, nothing was promised. */
  #lines(old: Schema, now: Schema, at: string, direction: Direction): Break[] {
    const { contentMediaType: type, contentSchema: schema } = now
    const found: Break[] =
      old.contentMediaType === undefined || old.contentMediaType === type
        ? []
        : [{ at, what: `has another contentMediaType: ${type ?? 'none'}` }]
    if (!old.contentSchema || (direction === 'request' && !schema)) return found
    return [...found, ...this.breaks(old.contentSchema, schema ?? {}, `${at} line`, direction)]
  }

  /** The properties that have no name in the schema: the entries of a map. */
  #others(old: Schema, now: Schema, at: string, direction: Direction): Break[] {
    const before = old.additionalProperties ?? true
    const after = now.additionalProperties ?? true
    if (typeof before === 'object' && typeof after === 'object') {
      return this.breaks(before, after, `${at}.*`, direction)
    }
    const lost = direction === 'request' ? before !== false && after !== true : typeof before === 'object'
    return lost && before !== after ? [{ at: `${at}.*`, what: 'other properties changed' }] : []
  }
}

/** The shapes that a schema allows, references followed, one for each type. */
function shapesOf(schema: Schema, document: OpenApi, name?: string): Shape[] {
  if (schema.$ref !== undefined) {
    const component = schema.$ref.split('/').at(-1) ?? ''
    return shapesOf(document.components.schemas?.[component] ?? {}, document, component)
  }
  const some = schema.anyOf ?? schema.oneOf
  if (some) return some.flatMap((each) => shapesOf(each, document))
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type
  if (!types) return [{ name, schema }]
  return types.map((type) => ({ name, schema: { ...schema, type } }))
}

function mayFit({ schema: { type: sent } }: Shape, { schema: { type: understood } }: Shape): boolean {
  return understood === undefined || sent === understood || (sent === 'integer' && understood === 'number')
}

function nameOf({ name, schema: { type, properties } }: Shape): string {
  if (name !== undefined) return name
  if (properties) return `{ ${Object.keys(properties).join(', ')} }`
  return typeof type === 'string' ? type : 'anything'
}

/** What changed about single values. */
function values(old: Schema, now: Schema, direction: Direction): string[] {
  const found: string[] = []
  const words = (schema: Schema) => schema.enum ?? ('const' in schema ? [schema.const] : undefined)
  const [before, after] = [words(old), words(now)]
  const missing = (from: readonly unknown[], among: readonly unknown[]) =>
    from.filter((word) => !among.includes(word)).map((word) => JSON.stringify(word))
  if (before && after) {
    found.push(...missing(before, after).map((word) => `no longer has ${word}`))
    if (direction === 'response') found.push(...missing(after, before).map((word) => `now has ${word}`))
  } else if (direction === 'request' ? after : before) {
    found.push(direction === 'request' ? 'now takes only some values' : 'may now have any value')
  }
  const open = 'x-extensible-enum'
  found.push(...missing(old[open] ?? [], now[open] ?? []).map((word) => `no longer has ${word}`))
  if (old.format !== now.format && (direction === 'response' || now.format !== undefined)) {
    found.push(`has another format: ${now.format ?? 'none'}`)
  }
  return [...found, ...(direction === 'request' ? tightened(old, now) : []), ...unknown(old, now, direction)]
}

function tightened(old: Schema, now: Schema): string[] {
  return Object.entries(bounds)
    .filter(([keyword, sign]) => {
      const [before, after] = [old[keyword], now[keyword]]
      if (typeof after !== 'number') return false
      return typeof before !== 'number' ? !isAlways(keyword, after) : (after - before) * sign < 0
    })
    .map(([keyword]) => `has a tighter ${keyword}: ${JSON.stringify(now[keyword])}`)
}

const isAlways = (keyword: string, bound: number) => /^min(?!imum)/.test(keyword) && bound === 0

/** Keywords that this comparison knows nothing about, such as `pattern`, break when they come or change. */
function unknown(old: Schema, now: Schema, direction: Direction): string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((keyword) => !annotations.has(keyword) && !looked.has(keyword) && !(keyword in bounds))
    .filter((keyword) => direction === 'request' && keyword in now)
    .filter((keyword) => JSON.stringify(old[keyword]) !== JSON.stringify(now[keyword]))
    .map((keyword) => `has another ${keyword}`)
}
