import type { SchemaObject } from 'openapi3-ts/oas31'
import { z } from 'zod'
import { exampleOf } from './openapi-examples.ts'

/** Schemas with an id become components, each once; the others stay where they are. */
export class Components {
  readonly schemas = new Map<string, SchemaObject>()

  /** An example of what a schema that was added describes. */
  example(schema: SchemaObject): unknown {
    return exampleOf(schema, this.schemas)
  }

  add(schema: z.ZodType): SchemaObject {
    // What is on the wire is a codec's input, in both directions.
    const { $schema: _, $defs, ...root } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' })
    for (const [id, definition] of Object.entries($defs ?? {})) this.#register(id, definition)
    const { id } = z.globalRegistry.get(schema) ?? {}
    if (id === undefined) return relocate(root) as SchemaObject
    // A wrapped schema is its own definition already.
    if (!(id in ($defs ?? {}))) this.#register(id, root)
    return { $ref: `#/components/schemas/${id}` }
  }

  #register(id: string, schema: object): void {
    const { id: _, ...rest } = relocate(schema) as { id?: string }
    this.schemas.set(id, rest)
  }
}

/** JSON Schema keeps its definitions in `$defs`, OpenAPI in `components`. */
function relocate(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as object
}
