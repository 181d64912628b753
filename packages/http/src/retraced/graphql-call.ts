import { type LogScope, RegistryError } from '@breakpilot/tenant-core'
import { answerGraphql, type GraphqlAnswer, type GraphqlRequest } from './graphql/execute.ts'
import { WireError } from './wire-error.ts'
import type { WireCall, WireReply } from './wire-route.ts'

/** Carries out the GraphQL request that a call brings, by GET or POST. */
export async function graphqlOf(call: WireCall, scope: LogScope): Promise<GraphqlAnswer> {
  const asked = call.request.method === 'POST' ? readBody(await call.body()) : readQuery(call.query)
  return await answerGraphql(call.services.db, scope, asked)
}

/** @param bare whether what is refused is answered as a list alone, as Retraced does at one of its paths */
export function graphqlReply({ status, result, refused, error }: GraphqlAnswer, bare = false): WireReply {
  const retryAfter = error instanceof RegistryError ? error.retryAfterSeconds : undefined
  return {
    status,
    json: refused && bare ? result.errors : result,
    ...(status >= 500 && { error }),
    ...(retryAfter !== undefined && { headers: ['Retry-After', String(retryAfter)] }),
  }
}

function readBody(body: unknown): GraphqlRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw notOne('a JSON object')
  return requestOf({
    query: Reflect.get(body, 'query'),
    variables: Reflect.get(body, 'variables'),
    operationName: Reflect.get(body, 'operationName'),
  })
}

function readQuery(query: URLSearchParams): GraphqlRequest {
  return requestOf({
    query: query.get('query'),
    variables: variablesOf(query.get('variables')),
    operationName: query.get('operationName'),
  })
}

function variablesOf(text: string | null): unknown {
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw notOne('JSON as variables')
  }
}

function requestOf({ query, variables, operationName }: Record<keyof GraphqlRequest, unknown>): GraphqlRequest {
  if (typeof query !== 'string' || query === '') throw notOne('a query')
  const isMap = typeof variables === 'object' && !Array.isArray(variables)
  if (variables !== undefined && !isMap) throw notOne('an object as variables')
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw notOne('a text as operationName')
  }
  return {
    query,
    ...(variables && { variables: variables as Record<string, unknown> }),
    ...(operationName && { operationName }),
  }
}

const notOne = (what: string) => new WireError(400, `A GraphQL request has ${what}`)
