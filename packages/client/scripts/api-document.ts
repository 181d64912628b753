/** As much of an OpenAPI document as the generator looks at itself. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

interface ApiOperation {
  readonly operationId: string
  readonly security?: readonly object[]
}

/** How each operation is reached, as the source of a constant that the transport reads. */
export function operationTable({ paths }: ApiDocument): string {
  const rows = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId, security }]) => {
      // An operation without security must not be sent a credential that it does not need.
      const open = security?.length === 0 ? ', public: true' : ''
      return `  ${operationId}: { method: '${method.toUpperCase()}', path: '${path}'${open} },`
    }),
  )
  return `/** How each operation is reached. */
export const operations = {
${rows.join('\n')}
} as const satisfies Record<keyof Ops, { method: string; path: string; public?: true }>
`
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
