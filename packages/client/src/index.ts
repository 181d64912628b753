export type { ApiKeys, ApiKeyView, IssuedApiKeyView } from './api-keys.ts'
export type { Audit, AuditEventFilter } from './audit.ts'
export type { EventExport, ExportFilter } from './audit-export.ts'
export type { AuditStreams, FollowedEvents, StreamFollowOptions } from './audit-streams.ts'
export { type Answered, type Call, type Found, type NotModified, notModified } from './call.ts'
export type { ChangeFeed, FollowOptions } from './change-feed.ts'
export type { Changes } from './changes.ts'
export { TenantClient } from './client.ts'
export type { Entitlements as EntitlementsApi } from './entitlements.ts'
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
export type {
  GetEntitlementsQuery,
  ListApiKeysQuery,
  ListAuditCheckpointsQuery,
  ListAuditEventsQuery,
  ListChangesQuery,
  ListProjectsQuery,
  ListTenantsQuery,
} from './generated/operations.gen.ts'
export type * from './generated/schemas.gen.ts'
export type { List, PageOf } from './list.ts'
export type { LegalHolds } from './legal-holds.ts'
export type {
  ChangeOptions,
  PutOptions,
  ReadOptions,
  RequestOptions,
  TenantClientOptions,
  VersionOptions,
} from './options.ts'
export {
  ChangesExpiredError,
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
  UnprocessableError,
  UnsupportedMediaTypeError,
} from './problem-error.ts'
export type { Products } from './products.ts'
export type { Projects } from './projects.ts'
export type { Service } from './service.ts'
export type { Slugs } from './slugs.ts'
export type { TenantProducts } from './tenant-products.ts'
export { isWhole, type Rows, type Tenants, type TenantView } from './tenants.ts'
