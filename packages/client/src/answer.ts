import type { Answered } from './call.ts'
import { UnexpectedAnswerError } from './error.ts'
import type { Problem } from './generated/schemas.gen.ts'
import { problemError } from './problem-error.ts'
import { retryAfterSeconds } from './retry.ts'

/**
 * Reads what came back. What it gives is what the operation promises; the registry is held to its schemas on its own
 * side, and once is enough. That it is an object is asked here, so that what somebody else says does not pass for data.
 * @throws {ProblemError} when it says no
 * @throws {UnexpectedAnswerError} when it is not an answer of the registry
 */
export function readAnswer(operation: string, response: Response, text: string, attempts: number): Answered<unknown> {
  const { status, headers } = response
  const requestId = headers.get('x-request-id') ?? undefined
  const body = parse(text)
  if (status >= 400) {
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
  if (!response.ok || !isObject(body)) {
    const found = response.ok ? 'is not a JSON object' : 'leads elsewhere'
    throw new UnexpectedAnswerError(`${operation}: the answer ${found}; is baseUrl the registry's?`, {
      status,
      requestId,
      attempts,
    })
  }
  return { data: body, response, requestId, attempts }
}

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
