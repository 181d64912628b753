import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { z } from 'zod'
import type { Violation } from '../errors.ts'
import type { JsonObject } from '../merge-patch.ts'
import { dialectProblem } from './config-dialect.ts'

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
  // A choice that fails for what is missing is open until it is there.
  const open = errors.filter(
    ({ keyword, instancePath }) =>
      ['if', 'anyOf', 'oneOf'].includes(keyword) &&
      missing.some((each) => `${each.instancePath}/`.startsWith(`${instancePath}/`)),
  )
  const excused = open.flatMap(({ keyword, schemaPath }) =>
    keyword === 'if' ? ['if', 'then', 'else'].map((branch) => schemaPath.replace(/if$/, branch)) : [schemaPath],
  )
  return errors
    .filter((error) => !missing.includes(error))
    .filter(({ schemaPath }) => !excused.some((path) => `${schemaPath}/`.startsWith(`${path}/`)))
    .map(asViolation)
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
