import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { z } from 'zod'
import type { Violation } from '../errors.ts'
import type { JsonObject } from '../merge-patch.ts'
import { dialectProblem, referredTo } from './config-dialect.ts'

/** The formats that a schema can ask for. Another one stops the boot: it would check nothing. */
const formats: Readonly<Record<string, z.ZodType>> = {
  date: z.iso.date(),
  'date-time': z.iso.datetime({ offset: true }),
  email: z.email(),
  hostname: z.hostname(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  time: z.iso.time(),
  uri: z.url(),
  uuid: z.guid(),
}

let shared: Ajv2020 | undefined

/** Made at first use: a script that configures nothing does not wait for it. */
function ajv(): Ajv2020 {
  if (shared) return shared
  shared = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    // Schemas do not know each other, whatever they call themselves.
    addUsedSchema: false,
    logger: false,
  })
  for (const [name, format] of Object.entries(formats)) {
    shared.addFormat(name, { type: 'string', validate: (value: string) => format.safeParse(value).success })
  }
  return shared
}

const compiled = new WeakMap<JsonObject, ValidateFunction>()

/**
 * Makes a schema of a product ready: JSON Schema 2020-12 in strict mode, complete in itself.
 * @throws {Error} saying what is wrong with it, and where
 */
export function compileConfigSchema(schema: JsonObject): void {
  const problem = dialectProblem(schema)
  if (problem !== undefined) throw new Error(problem)
  compiled.set(schema, ajv().compile(schema))
}

/** As many as a caller is told of. */
const violationsMax = 50

/**
 * What is wrong with a configuration, by its product's schema. No schema, nothing wrong. Values are never told, since
 * they may be secret.
 */
export function configViolations(schema: JsonObject | undefined, config: JsonObject): Violation[] {
  return schema ? errorsOf(schema, config).slice(0, violationsMax).map(asViolation) : []
}

/** What is wrong with a configuration that others will be laid over: what only they can say may be missing. */
export function layerViolations(schema: JsonObject, config: JsonObject): Violation[] {
  const errors = errorsOf(schema, config)
  const missing = errors.filter(({ keyword }) => ['required', 'dependentRequired', 'minProperties'].includes(keyword))
  // A choice that fails for what is missing is open until it is there, and so is what its branches say of that place.
  const open = errors
    .filter(({ keyword, instancePath }) => {
      return (
        ['if', 'anyOf', 'oneOf'].includes(keyword) && missing.some((each) => isWithin(each.instancePath, instancePath))
      )
    })
    .map(({ instancePath, keyword, schemaPath }) => ({ instancePath, said: partsOf(schema, keyword, schemaPath) }))
  const isOpen = ({ instancePath, schemaPath }: ErrorObject) =>
    open.some((each) => {
      return isWithin(instancePath, each.instancePath) && each.said.some((part) => isWithin(schemaPath, part))
    })
  return errors.filter((error) => !missing.includes(error) && !isOpen(error)).map(asViolation)
}

const isWithin = (path: string, outer: string) => `${path}/`.startsWith(`${outer}/`)

/** The parts of a schema that a choice consists of: its own, and what they refer to. */
function partsOf(schema: JsonObject, keyword: string, schemaPath: string): string[] {
  const own = keyword === 'if' ? ['if', 'then', 'else'].map((part) => schemaPath.replace(/if$/, part)) : [schemaPath]
  const parts = new Set(own)
  // A set is walked through to its end, also when it grows on the way.
  for (const part of parts) {
    const at = part.lastIndexOf('/')
    // The branches of a choice are a list, which no reference leads to.
    const said = referredTo(schema, part) ?? referredTo(schema, part.slice(0, at))?.[part.slice(at + 1)]
    const text = JSON.stringify(said ?? null)
    for (const [, reference = ''] of text.matchAll(/"\$ref":"(#[^"]*)"/g)) parts.add(reference)
  }
  return [...parts]
}

function errorsOf(schema: JsonObject, config: JsonObject): readonly ErrorObject[] {
  if (!compiled.has(schema)) compileConfigSchema(schema)
  const validate = compiled.get(schema)
  return !validate || validate(config) ? [] : (validate.errors ?? [])
}

function asViolation({ instancePath, keyword, params, message, propertyName }: ErrorObject): Violation {
  const { additionalProperty, unevaluatedProperty, missingProperty } = params as Record<string, string | undefined>
  const extra = additionalProperty ?? unevaluatedProperty
  const name = extra ?? missingProperty ?? propertyName
  return {
    pointer: `/config${pointer(instancePath)}${name === undefined ? '' : `/${escapeName(name)}`}`,
    code: extra === undefined ? keyword : 'unknown',
    message: messageOf(keyword, params, extra === undefined ? message : 'there is no such field'),
  }
}

function messageOf(keyword: string, params: ErrorObject['params'], message = 'is not valid'): string {
  if (keyword === 'required') return 'is required'
  const { allowedValues } = params as { allowedValues?: readonly unknown[] }
  return keyword === 'enum' && allowedValues ? `must be one of ${JSON.stringify(allowedValues)}` : message
}

/** Names come from the caller: long ones are cut. */
const pointer = (path: string) =>
  path
    .split('/')
    .map((name) => name.slice(0, 100).toWellFormed())
    .join('/')
const escapeName = (name: string) => pointer(name.replaceAll('~', '~0').replaceAll('/', '~1'))
