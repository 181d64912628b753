import { isDeepStrictEqual } from 'node:util'
import { isObject, type Json, type JsonObject } from '../merge-patch.ts'
import { referredTo } from './config-dialect.ts'
import type { Manifest } from './manifest.ts'

const hidden = '[redacted]'
const hiddenAndAnother = '[redacted, changed]'

/** By what a product's configurations are judged: without a manifest nobody knows, without a schema nothing is secret. */
export const schemaOf = (manifest: Manifest | undefined): JsonObject | undefined =>
  manifest && (manifest.config_schema ?? {})

/**
 * A configuration without what its schema marks `writeOnly`, for the log. Every branch of the schema counts, whether
 * the configuration takes it or not: rather too little is shown than too much.
 * @param schema undefined when it is not known any more, and with it what is secret: then nothing is shown
 * @param other what it is compared with: a secret that differs from it says so
 */
export function withoutSecrets(config: JsonObject, schema: JsonObject | undefined, other?: JsonObject): Json {
  if (!schema) return other === undefined || isDeepStrictEqual(config, other) ? hidden : hiddenAndAnother
  return redact(config, other, [schema], schema)
}

function redact(value: Json, other: Json | undefined, schemas: readonly JsonObject[], root: JsonObject): Json {
  const all = applicable(schemas, root)
  if (all.size === 0) return value
  for (const schema of all) {
    if (schema['writeOnly'] !== true) continue
    return other === undefined || isDeepStrictEqual(value, other) ? hidden : hiddenAndAnother
  }
  if (Array.isArray(value)) {
    const others = Array.isArray(other) ? other : []
    return value.map((each, index) =>
      redact(
        each,
        others[index],
        [...all].flatMap((schema) => ofItem(schema, index)),
        root,
      ),
    )
  }
  if (!isObject(value)) return value
  const others = other !== undefined && isObject(other) ? other : {}
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      redact(
        each,
        others[name],
        [...all].flatMap((schema) => ofProperty(schema, name)),
        root,
      ),
    ]),
  )
}

const branches = ['if', 'then', 'else', 'not'] as const
const lists = ['allOf', 'anyOf', 'oneOf'] as const

/** These schemas and all that they bring along for the same value. */
function applicable(schemas: readonly JsonObject[], root: JsonObject): Set<JsonObject> {
  const all = new Set(schemas)
  // A set is walked through to its end, also when it grows on the way.
  for (const schema of all) {
    const reference = schema['$ref']
    const target = typeof reference === 'string' ? referredTo(root, reference) : undefined
    if (target) all.add(target)
    for (const keyword of branches) for (const each of asSchemas(schema[keyword])) all.add(each)
    for (const keyword of lists) for (const each of asSchemas(schema[keyword])) all.add(each)
    for (const each of Object.values(asMap(schema['dependentSchemas'])).flatMap(asSchemas)) all.add(each)
  }
  return all
}

function ofProperty(schema: JsonObject, name: string): JsonObject[] {
  const properties = asMap(schema['properties'])
  const own = Object.hasOwn(properties, name)
  const matching = Object.entries(asMap(schema['patternProperties'])).filter(([pattern]) =>
    new RegExp(pattern, 'u').test(name),
  )
  return [
    ...(own ? asSchemas(properties[name]) : []),
    ...matching.flatMap(([, each]) => asSchemas(each)),
    ...(own || matching.length > 0 ? [] : asSchemas(schema['additionalProperties'])),
    ...asSchemas(schema['unevaluatedProperties']),
  ]
}

function ofItem(schema: JsonObject, index: number): JsonObject[] {
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : []
  return [
    ...(index < prefix.length ? asSchemas(prefix[index]) : asSchemas(schema['items'])),
    ...asSchemas(schema['contains']),
    ...asSchemas(schema['unevaluatedItems']),
  ]
}

const asMap = (value: Json | undefined): JsonObject => (value !== undefined && isObject(value) ? value : {})

function asSchemas(value: Json | undefined): JsonObject[] {
  if (Array.isArray(value)) return value.filter((each) => isObject(each))
  return value !== undefined && isObject(value) ? [value] : []
}
