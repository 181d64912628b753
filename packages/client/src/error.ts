import type { ErrorCodes } from './generated/error-codes.gen.ts'
import type { LaterValue, Problem } from './generated/schemas.gen.ts'

/** The codes that errors of one kind have. */
export type CodeOf<Kind extends string> = Kind extends keyof ErrorCodes ? keyof ErrorCodes[Kind] & string : never

/** A published error code, or one that a later release of the registry has added. */
export type ErrorCode = CodeOf<keyof ErrorCodes> | LaterValue

/** What is known about a request that failed. */
export interface Failure {
  /** How many times the request was sent; 0 when it was refused before that. */
  readonly attempts: number
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly requestId?: string | undefined
  readonly problem?: Problem | undefined
  readonly cause?: unknown
}

/** Everything that this client throws about a request. */
export class TenantClientError extends Error {
  override readonly name: string = 'TenantClientError'
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined
  /** What went wrong, for programs; undefined when the answer was not the registry's. */
  readonly code: ErrorCode | undefined
  /** The id under which the registry's log has the request. */
  readonly requestId: string | undefined
  /** The body of the answer, if it was a problem as RFC 9457 has it. */
  readonly problem: Problem | undefined
  /** How many times the request was sent; 0 when it was refused before that. */
  readonly attempts: number

  constructor(message: string, { attempts, status, code, requestId, problem, cause }: Failure) {
    super(message, cause === undefined ? undefined : { cause })
    this.attempts = attempts
    this.status = status
    this.code = code
    this.requestId = requestId
    this.problem = problem
  }
}

/** No answer came: the registry could not be reached, or the connection broke. */
export class ConnectionError extends TenantClientError {
  override readonly name = 'ConnectionError'
  /** Whether it is certain that the registry has not seen the request. */
  readonly unsent: boolean

  constructor(message: string, failure: Failure) {
    super(message, failure)
    this.unsent = neverConnected(failure.cause)
  }
}

/** No answer came in time: within `timeoutMs` for one attempt, or `deadlineMs` for all of them. */
export class TimeoutError extends TenantClientError {
  override readonly name = 'TimeoutError'
}

/** The caller's `AbortSignal` said to stop; `cause` is its reason. */
export class AbortError extends TenantClientError {
  override readonly name = 'AbortError'
}

/** An answer came that the registry does not give: a page of a proxy, a redirect, JSON of another shape. */
export class UnexpectedAnswerError extends TenantClientError {
  override readonly name = 'UnexpectedAnswerError'
}

const neverConnectedCodes = new Set<unknown>(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ConnectionRefused'])

/** Node and Bun say why fetch failed, somewhere below; browsers do not, so there it is never certain. */
function neverConnected(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && neverConnectedCodes.has(error.code)) || neverConnected(error.cause)
}
