import {
  type AuditPage,
  type Db,
  isStreamScope,
  type LogScope,
  type PaginatedArguments,
  RegistryError,
  type SearchArguments,
  searchAuditEvents,
  searchAuditEventsPaginated,
} from '@breakpilot/tenant-core'
import { type DocumentNode, execute, GraphQLError, OperationTypeNode, parse, validate } from 'graphql'
import { statusOfCode } from '../../problem.ts'
import { textOf } from '../wire-error.ts'
import { boundsProblem, graphqlBounds } from './bounds.ts'
import { nodeOf } from './node.ts'
import { auditSchema } from './schema.ts'

/** What is asked, as it came. */
export interface GraphqlRequest {
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>> | undefined
  readonly operationName?: string | undefined
}

/** What is answered. */
export interface GraphqlAnswer {
  readonly status: number
  readonly result: { readonly data?: unknown; readonly errors?: readonly GraphQLError[] }
  /** Whether nothing was asked of the log, because the question is none. */
  readonly refused: boolean
  /** Whether it shows anything of the log: a search was carried out, be it beside one that failed. */
  readonly shows: boolean
  /** What went wrong on our side, for the log. */
  readonly error?: unknown
}

/** Answers a question about the events in a scope. */
export async function answerGraphql(db: Db, scope: LogScope, request: GraphqlRequest): Promise<GraphqlAnswer> {
  const document = documentOf(request.query)
  if ('errors' in document) return { status: 400, result: document, refused: true, shows: false }
  let shows = false
  const result = await execute({
    schema: auditSchema,
    document: document.document,
    rootValue: rootOf(db, scope, () => {
      shows = true
    }),
    variableValues: request.variables,
    operationName: request.operationName,
  })
  const { errors = [] } = result
  // Without data nothing was carried out: a variable that does not fit, or an operation that is not there.
  if (errors.length > 0 && result.data === undefined) {
    return { status: 400, result: { errors }, refused: true, shows: false }
  }
  const [failed] = errors
  if (!failed) return { status: 200, result: { data: result.data }, refused: false, shows }
  const { status, error } = judge(errors)
  return { status, result: { errors: errors.map(told), data: result.data }, refused: false, shows, error }
}

type Read = { readonly document: DocumentNode } | { readonly errors: readonly GraphQLError[] }

function documentOf(text: string): Read {
  if (text.length > graphqlBounds.length) {
    return { errors: [new GraphQLError(`A query has at most ${graphqlBounds.length} characters.`)] }
  }
  try {
    const document = parse(text, { maxTokens: graphqlBounds.tokens })
    const unbounded = boundsProblem(document)
    if (unbounded) return { errors: [unbounded] }
    const others = document.definitions.find(
      (each) => 'operation' in each && each.operation !== OperationTypeNode.QUERY,
    )
    if (others) return { errors: [new GraphQLError('There are queries, and nothing else.', { nodes: [others] })] }
    const errors = validate(auditSchema, document, undefined, { maxErrors: 20 })
    return errors.length > 0 ? { errors } : { document }
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] }
    throw error
  }
}

/** @param onFound called for each search that was carried out */
const rootOf = (db: Db, scope: LogScope, onFound: () => void) => ({
  search: async (asked: SearchArguments) => {
    const { pageInfo, ...page } = await searchAuditEvents(db, scope, asked)
    onFound()
    return { ...shown(page, scope), pageInfo }
  },
  searchPaginated: async (asked: PaginatedArguments) => {
    const page = await searchAuditEventsPaginated(db, scope, asked)
    onFound()
    return shown(page, scope)
  },
})

function shown({ edges, totalCount }: AuditPage, scope: LogScope) {
  const ofAll = isStreamScope(scope)
  return { edges: edges.map(({ node, cursor }) => ({ node: () => nodeOf(node, { ofAll }), cursor })), totalCount }
}

/** The status that errors of resolvers answer with, and what the log hears of them. */
function judge(errors: readonly GraphQLError[]): { status: number; error?: unknown } {
  const causes = errors.map(({ originalError }) => originalError)
  const fault = causes.find((cause) => !(cause instanceof RegistryError))
  if (fault !== undefined || causes.includes(undefined)) return { status: 500, error: fault ?? errors[0] }
  const [first] = causes as RegistryError[]
  return { status: first ? statusOfCode(first.code) : 400, error: first }
}

/** An error as the caller hears it: what is none of ours is a fault of ours, and says nothing. */
function told(error: GraphQLError): GraphQLError {
  const { originalError: cause, nodes, path } = error
  const message = cause instanceof RegistryError ? textOf(cause) : 'Something went wrong on our side'
  return new GraphQLError(message, { ...(nodes && { nodes }), ...(path && { path }) })
}
