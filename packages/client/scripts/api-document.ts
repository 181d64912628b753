/** As much of an OpenAPI document as the generator looks at itself. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

interface ApiOperation {
  readonly operationId: string
  readonly security?: readonly object[]
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, object>> }
}

/** How each operation is reached, as the source of a constant that the transport reads. */
export function operationTable({ paths }: ApiDocument): string {
  const rows = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]) => {
      const method = verb.toUpperCase()
      const flags = flagsOf(method, operation).map((flag) => `, ${flag}: true`)
      return `  ${operation.operationId}: { method: '${method}', path: '${path}'${flags.join('')} },`
    }),
  )
  return `/** How an operation is reached. */
export interface Operation {
  readonly method: string
  readonly path: string
  /** It needs no credential, and must not be sent one. */
  readonly public?: true
  /** It changes nothing, although it is a POST: one that has no Idempotency-Key only answers. */
  readonly reads?: true
  /** It is carried out once for each Idempotency-Key. */
  readonly idempotent?: true
  /** What it takes and gives are JSON documents, one in each line. */
  readonly lines?: true
}

/** How each operation is reached. */
export const operations = {
${rows.join('\n')}
} as const satisfies Record<keyof Ops, Operation>
`
}

function flagsOf(method: string, { security, parameters = [], requestBody }: ApiOperation): string[] {
  const idempotent = parameters.some(({ in: where, name }) => where === 'header' && name === 'Idempotency-Key')
  return [
    ...(security?.length === 0 ? ['public'] : []),
    ...(method === 'POST' && !idempotent ? ['reads'] : []),
    ...(idempotent ? ['idempotent'] : []),
    ...(requestBody && 'application/x-ndjson' in requestBody.content ? ['lines'] : []),
  ]
}

/** The name of the type of a string that a later release may add to an open enum. */
export const laterValue = 'LaterValue'

/**
 * Spells open enums (`x-extensible-enum`) so that a type generator understands them: one of these, or another string.
 * Otherwise they would be plain strings, and an editor would have nothing to offer.
 */
export function withOpenEnums(document: ApiDocument): ApiDocument {
  const opened = JSON.parse(JSON.stringify(document), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('x-extensible-enum' in value)) return value
    const { 'x-extensible-enum': known, type: _, ...rest } = value as Record<string, unknown>
    return { ...rest, anyOf: [{ type: 'string', enum: known }, { $ref: `#/components/schemas/${laterValue}` }] }
  }) as ApiDocument
  return {
    ...opened,
    components: { ...opened.components, schemas: { ...opened.components.schemas, [laterValue]: { type: 'string' } } },
  }
}
