/** JSON Schema, as far as our document uses it and the walker looks at it. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly 'x-extensible-enum'?: readonly unknown[]
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly contentSchema?: Schema
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minItems?: number
  readonly maxItems?: number
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: Schema
}

interface OperationObject {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, unknown>>
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** An operation of the document, with what the walker needs of it. */
export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: { readonly type: string; readonly schema: Schema } | undefined
  /** The statuses that it says it answers with. */
  readonly statuses: ReadonlySet<number>
}

/** Every operation of a document. */
export function operationsOf(document: OpenApi): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId, parameters = [], requestBody, responses }]) => {
      const [content] = Object.entries(requestBody?.content ?? {})
      return {
        id: operationId,
        method: method.toUpperCase(),
        path,
        parameters,
        body: content && { type: content[0], schema: rowSchema(content[1].schema, document) },
        statuses: new Set(Object.keys(responses).map(Number)),
      }
    }),
  )
}

/** The schema of a body; that of a line, where it has lines. */
function rowSchema(schema: Schema, document: OpenApi): Schema {
  const row = schema.contentSchema
  return row ? { ...row, ...resolved(row, document) } : schema
}

/** Follows a reference. */
export function resolved(schema: Schema, document: OpenApi): Schema {
  const { $ref, ...rest } = schema
  if ($ref === undefined) return schema
  return { ...document.components.schemas[$ref.split('/').at(-1) ?? ''], ...rest }
}

/** A value that fits a schema: what it shows as an example, or the least that it allows. */
export function sample(given: Schema, document: OpenApi, depth = 0): unknown {
  const schema = resolved(given, document)
  const [example] = schema.examples ?? []
  if (example !== undefined) return example
  if (schema.const !== undefined) return schema.const
  const [word] = schema.enum ?? schema['x-extensible-enum'] ?? []
  if (word !== undefined) return word
  const [first, ...others] = schema.anyOf ?? schema.oneOf ?? []
  if (first) return sample([first, ...others].find((each) => each.type !== 'null') ?? first, document, depth)
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return depth > 8 ? {} : sampleObject(schema, document, depth)
    case 'array':
      return (schema.minItems ?? 0) === 0 || !schema.items ? [] : [sample(schema.items, document, depth + 1)]
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, (schema.exclusiveMinimum ?? 0) + 1)
    case 'boolean':
      return false
    case 'string':
      return sampleText(schema)
    default:
      return null
  }
}

function sampleText({ format, minLength = 1, pattern }: Schema): string {
  if (format === 'date-time') return '2027-01-01T00:00:00.000Z'
  if (format === 'uuid') return '00000000-0000-0000-0000-000000000001'
  return pattern?.includes('{8}') === true ? '00000000-0000-0000-0000-000000000001' : 'a'.repeat(Math.max(1, minLength))
}

/** Only what is required: a field more is a reason more to be refused. */
function sampleObject(schema: Schema, document: OpenApi, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    (schema.required ?? []).map((name) => [name, sample(schema.properties?.[name] ?? {}, document, depth + 1)]),
  )
}
