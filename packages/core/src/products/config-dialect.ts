import { isObject, type Json, type JsonObject } from '../merge-patch.ts'

/**
 * Where JSON Schema keeps schemas inside of a schema. Everything else a keyword holds is data, in which `$ref` is a name
 * like any other.
 */
const one = [
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'items',
  'unevaluatedItems',
  'contains',
  'not',
  'if',
  'then',
  'else',
] as const
const many = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const
const named = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'] as const

/** A schema inside of another, and where. */
interface Part {
  readonly schema: JsonObject
  readonly path: string
}

function* parts(schema: JsonObject, path: string): Generator<Part> {
  for (const keyword of one) yield* asPart(schema[keyword], `${path}/${keyword}`)
  for (const keyword of many) {
    const list = schema[keyword]
    if (Array.isArray(list))
      for (const [index, each] of list.entries()) yield* asPart(each, `${path}/${keyword}/${index}`)
  }
  for (const keyword of named) {
    const map = schema[keyword]
    if (map === undefined || !isObject(map)) continue
    for (const [name, each] of Object.entries(map)) yield* asPart(each, `${path}/${keyword}/${name}`)
  }
}

function* asPart(value: Json | undefined, path: string): Generator<Part> {
  if (value !== undefined && isObject(value)) yield { schema: value, path }
}

const unknownToUs = [
  '$anchor',
  '$dynamicAnchor',
  '$dynamicRef',
  '$recursiveRef',
  '$recursiveAnchor',
  '$vocabulary',
] as const

/**
 * What of JSON Schema a product cannot use, with the place: a reference to anything but a part of the same schema.
 * Nothing is ever fetched, and what is secret in a configuration can be found by following the schema.
 */
export function dialectProblem(schema: JsonObject, path = ''): string | undefined {
  const reference = schema['$ref']
  if (reference !== undefined && !(typeof reference === 'string' && /^#(?:\/|$)/.test(reference))) {
    return `${path}/$ref: must begin with #/, a place in this very schema`
  }
  for (const keyword of unknownToUs)
    if (Object.hasOwn(schema, keyword)) return `${path}/${keyword}: cannot be used here`
  if (path !== '' && Object.hasOwn(schema, '$id')) return `${path}/$id: only the whole schema can have one`
  for (const part of parts(schema, path)) {
    const problem = dialectProblem(part.schema, part.path)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** The part of a schema that a `$ref` of it names; undefined when there is none. */
export function referredTo(root: JsonObject, reference: string): JsonObject | undefined {
  let place: Json | undefined = root
  for (const name of reference.split('/').slice(1)) {
    const key = decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(place)) place = place[Number(key)]
    else place = place !== undefined && isObject(place) && Object.hasOwn(place, key) ? place[key] : undefined
  }
  return place !== undefined && isObject(place) ? place : undefined
}
