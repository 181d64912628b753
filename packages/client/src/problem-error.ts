import { type CodeOf, type ErrorCode, type Failure, TenantClientError } from './error.ts'
import type { LaterValue } from './generated/schemas.gen.ts'

/** What is known about an answer that says no. */
export interface Refusal extends Failure {
  readonly status: number
  readonly retryAfterSeconds?: number | undefined
}

/** The registry, or something before it, answered with an error. The subclasses say of which kind. */
export class ProblemError<Code extends string = ErrorCode> extends TenantClientError {
  override readonly name: string = 'ProblemError'
  declare readonly status: number
  declare readonly code: Code | LaterValue | undefined
  /** How long the registry asked to be left alone. */
  readonly retryAfterSeconds: number | undefined

  constructor(message: string, refusal: Refusal) {
    super(message, refusal)
    this.retryAfterSeconds = refusal.retryAfterSeconds
  }
}

/** 400: the request is malformed or not valid; `problem.errors` says where. */
export class InvalidError extends ProblemError<CodeOf<'invalid'>> {
  override readonly name = 'InvalidError'
}

/** 401: there are no credentials, or none that count. */
export class UnauthenticatedError extends ProblemError<CodeOf<'unauthenticated'>> {
  override readonly name = 'UnauthenticatedError'
}

/** 403: the credentials do not permit this. */
export class ForbiddenError extends ProblemError<CodeOf<'forbidden'>> {
  override readonly name = 'ForbiddenError'
}

/** 404: there is no such thing, or not for you. */
export class NotFoundError extends ProblemError<CodeOf<'not_found'>> {
  override readonly name = 'NotFoundError'
}

/** 405: the path does not have the method. This client and the registry do not fit each other. */
export class MethodNotAllowedError extends ProblemError<CodeOf<'method_not_allowed'>> {
  override readonly name = 'MethodNotAllowedError'
}

/** 409: the request conflicts with what is there now. */
export class ConflictError extends ProblemError<CodeOf<'conflict'>> {
  override readonly name = 'ConflictError'
}

/** 410: the position in a feed is no longer kept. */
export class GoneError extends ProblemError<CodeOf<'gone'>> {
  override readonly name: string = 'GoneError'
}

/** 410: what came next in the feed of changes is no longer kept. Reload what you keep of the registry. */
export class ChangesExpiredError extends GoneError {
  override readonly name = 'ChangesExpiredError'
}

/**
 * 412: the thing has changed since it was read; `problem.current_version` is what it has now. With `attempts` above 1 it
 * may have been an earlier attempt that changed it.
 */
export class StaleError extends ProblemError<CodeOf<'stale'>> {
  override readonly name = 'StaleError'
}

/** 413: the body is too large. */
export class TooLargeError extends ProblemError<CodeOf<'too_large'>> {
  override readonly name = 'TooLargeError'
}

/** 415: the body is of a kind that is not read. */
export class UnsupportedMediaTypeError extends ProblemError<CodeOf<'unsupported_media_type'>> {
  override readonly name = 'UnsupportedMediaTypeError'
}

/** 422: the request makes no sense together with an earlier one, such as one with the same `idempotencyKey`. */
export class UnprocessableError extends ProblemError<CodeOf<'unprocessable'>> {
  override readonly name = 'UnprocessableError'
}

/** 429: too many requests. */
export class RateLimitedError extends ProblemError<CodeOf<'rate_limited'>> {
  override readonly name = 'RateLimitedError'
}

/** 500: a fault of the registry itself. */
export class InternalError extends ProblemError<CodeOf<'internal'>> {
  override readonly name = 'InternalError'
}

/** 502, 503, 504: the registry, or something it needs, cannot be reached just now. */
export class UnavailableError extends ProblemError<CodeOf<'unavailable'>> {
  override readonly name = 'UnavailableError'
}

const byStatus = new Map<number, new (message: string, refusal: Refusal) => ProblemError>([
  [400, InvalidError],
  [401, UnauthenticatedError],
  [403, ForbiddenError],
  [404, NotFoundError],
  [405, MethodNotAllowedError],
  [409, ConflictError],
  [410, GoneError],
  [412, StaleError],
  [413, TooLargeError],
  [415, UnsupportedMediaTypeError],
  [422, UnprocessableError],
  [429, RateLimitedError],
  [500, InternalError],
  [502, UnavailableError],
  [503, UnavailableError],
  [504, UnavailableError],
])

/** Makes the error of the class that the status calls for. */
export function problemError(operation: string, refusal: Refusal): ProblemError {
  const { status, code, problem } = refusal
  const said = problem && [problem.detail ?? problem.title, ...(problem.errors ?? []).map(spellViolation)].join(' ')
  const message = [operation, [status, code].filter(Boolean).join(' '), said].filter(Boolean).join(': ')
  const Class = code === 'changes.expired' ? ChangesExpiredError : (byStatus.get(status) ?? ProblemError)
  return new Class(message, refusal)
}

function spellViolation({ pointer, message }: { pointer: string; message: string }): string {
  return `(${pointer}: ${message})`
}
