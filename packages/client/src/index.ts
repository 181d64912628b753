export type { Answered, Call } from './call.ts'
export { TenantClient } from './client.ts'
export {
  AbortError,
  type CodeOf,
  ConnectionError,
  type ErrorCode,
  type Failure,
  TenantClientError,
  TimeoutError,
  UnexpectedAnswerError,
} from './error.ts'
export type { ErrorCodes } from './generated/error-codes.gen.ts'
export type { ListTenantsQuery } from './generated/operations.gen.ts'
export type * from './generated/schemas.gen.ts'
export type { List, PageOf } from './list.ts'
export type { ChangeOptions, RequestOptions, TenantClientOptions } from './options.ts'
export {
  ConflictError,
  ForbiddenError,
  GoneError,
  InternalError,
  InvalidError,
  MethodNotAllowedError,
  NotFoundError,
  ProblemError,
  RateLimitedError,
  type Refusal,
  StaleError,
  TooLargeError,
  UnauthenticatedError,
  UnavailableError,
  UnsupportedMediaTypeError,
} from './problem-error.ts'
export type { Service } from './service.ts'
export type { Tenants } from './tenants.ts'
