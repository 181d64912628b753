import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
} from 'graphql'

/** How much one request may ask for. */
export const graphqlBounds = {
  /** Characters of the request. */
  length: 100_000,
  /** Tokens of it. The parser goes a level deeper for some of them: with twice as many its stack can end. */
  tokens: 1_000,
  /** How deep fields may nest: deeper than the schema goes, and as deep as introspection asks. */
  depth: 20,
  /** Fields in all, those of fragments wherever they are spread. */
  fields: 500,
} as const

/**
 * What is wrong with how much a request asks for: nothing, or the one error. Looked at before the request is validated,
 * which can itself be made dear.
 *
 * A field must not stand twice beside itself, by whatever alias: each would be found again for every event. What asks for
 * the schema may.
 */
export function boundsProblem(document: DocumentNode): GraphQLError | undefined {
  try {
    new Walk(document).all()
    return undefined
  } catch (error) {
    if (error instanceof GraphQLError) return error
    throw error
  }
}

class Walk {
  readonly #document: DocumentNode
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  #fields = 0

  constructor(document: DocumentNode) {
    this.#document = document
    this.#fragments = new Map(
      document.definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each]] : [])),
    )
  }

  all(): void {
    for (const each of this.#document.definitions) {
      if (each.kind === Kind.OPERATION_DEFINITION) this.#selection(each.selectionSet, 1, false, new Set())
    }
  }

  /** @param seen the fields that stand beside each other, those of fragments among them */
  #selection(set: SelectionSetNode, depth: number, introspects: boolean, seen: Set<string>): void {
    if (depth > graphqlBounds.depth) throw refusal(`Fields nest at most ${graphqlBounds.depth} deep.`)
    for (const each of set.selections) {
      // What is spread counts as well: a spread of a spread of nothing can be repeated without end.
      this.#fields += 1
      if (this.#fields > graphqlBounds.fields) throw refusal(`There are at most ${graphqlBounds.fields} fields.`)
      if (each.kind === Kind.FIELD) this.#field(each, depth, introspects, seen)
      else if (each.kind === Kind.INLINE_FRAGMENT) this.#selection(each.selectionSet, depth + 1, introspects, seen)
      else {
        const fragment = this.#fragments.get(each.name.value)
        if (fragment) this.#selection(fragment.selectionSet, depth + 1, introspects, seen)
      }
    }
  }

  #field(field: FieldNode, depth: number, introspects: boolean, seen: Set<string>): void {
    const name = field.name.value
    const asksForSchema = introspects || name === '__schema' || name === '__type'
    if (!asksForSchema && seen.has(name)) throw refusal(`Duplicate field ${name}.`, field)
    seen.add(name)
    if (field.selectionSet) this.#selection(field.selectionSet, depth + 1, asksForSchema, new Set())
  }
}

const refusal = (message: string, node?: FieldNode) => new GraphQLError(message, node ? { nodes: [node] } : {})
