import { type Answered, notModified } from './call.ts'
import { UnexpectedAnswerError } from './error.ts'
import type { Problem } from './generated/schemas.gen.ts'
import { problemError } from './problem-error.ts'
import { retryAfterSeconds } from './retry.ts'

/** What an answer is the answer to. */
export interface Asked {
  readonly operation: string
  readonly attempts: number
  /** Whether it is for lines, each of them JSON. */
  readonly lines: boolean
  /** Whether the caller has it already, perhaps. */
  readonly conditional: boolean
}

/**
 * Reads what came back. What it gives is what the operation promises; the registry is held to its schemas on its own
 * side, and once is enough. That it is an object is asked here, so that what somebody else says does not pass for data.
 * @throws {ProblemError} when it says no
 * @throws {UnexpectedAnswerError} when it is not an answer of the registry
 */
export function readAnswer(asked: Asked, response: Response, text: string): Answered<unknown> {
  const { operation, attempts } = asked
  const { status, headers } = response
  const header = (name: string) => headers.get(name) ?? undefined
  const requestId = header('x-request-id')
  if (status >= 400) {
    const body = parse(text)
    const problem = isProblem(body) ? body : undefined
    throw problemError(operation, {
      status,
      code: problem?.code,
      requestId: problem?.request_id ?? requestId,
      problem,
      attempts,
      retryAfterSeconds: retryAfterSeconds(headers.get('retry-after')),
    })
  }
  const data = dataOf(asked, response, text)
  if (data === unexpected) {
    const found = response.ok ? 'is not what the registry answers' : 'leads elsewhere'
    throw new UnexpectedAnswerError(`${operation}: the answer ${found}; is baseUrl the registry's?`, {
      status,
      requestId,
      attempts,
    })
  }
  return {
    data,
    status,
    headers,
    etag: header('etag'),
    replayed: header('idempotency-replayed') === 'true',
    contentLocation: header('content-location'),
    response,
    requestId,
    attempts,
  }
}

const unexpected = Symbol('unexpected')

function dataOf({ lines, conditional }: Asked, { status, ok, headers }: Response, text: string): unknown {
  if (status === 304) return conditional ? notModified : unexpected
  if (!ok) return unexpected
  if (status === 204) return undefined
  if (lines) return headers.get('content-type')?.startsWith(ndjson) ? text : unexpected
  const body = parse(text)
  return isObject(body) ? body : unexpected
}

/** The media type of JSON documents, one in each line. */
export const ndjson = 'application/x-ndjson'

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Errors also come from what stands before the registry, in shapes of their own; what is used of one is checked. */
function isProblem(body: unknown): body is Problem {
  if (!isObject(body)) return false
  const { title, code, detail = '', request_id = '', errors = [] } = body
  return areStrings(title, code, detail, request_id) && Array.isArray(errors) && errors.every(isViolation)
}

function isViolation(value: unknown): boolean {
  return isObject(value) && areStrings(value['pointer'], value['code'], value['message'])
}

function areStrings(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}
