/** What went wrong, as far as a caller's reaction to it goes. The HTTP host maps each kind to one status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'gone'
  | 'stale'
  | 'too_large'
  | 'headers_too_large'
  | 'timeout'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'unavailable'
  | 'internal'

/**
 * Every error a caller can meet: its code, its kind and its title. Codes are `noun.problem`, published, and never
 * change their meaning; `pnpm generate` puts them into the OpenAPI document and the client.
 */
export const errorTable = {
  'auth.audience_missing': ['unauthenticated', 'The token is not meant for this service'],
  'auth.credentials_malformed': ['unauthenticated', 'The credentials are not well-formed'],
  'auth.credentials_missing': ['unauthenticated', 'Credentials are required'],
  'auth.permission_denied': ['forbidden', 'You may not do this'],
  'auth.provider_unavailable': ['unavailable', 'The identity provider cannot be reached'],
  'auth.request_not_local': ['forbidden', 'Without authentication only local requests are answered'],
  'auth.scheme_unsupported': ['unauthenticated', 'The authorization scheme is not supported'],
  'auth.token_expired': ['unauthenticated', 'The token has expired'],
  'auth.token_invalid': ['unauthenticated', 'The token is not valid'],
  'auth.token_wrong_type': ['unauthenticated', 'The token is not an access token'],
  'database.busy': ['unavailable', 'The database is busy'],
  'database.unavailable': ['unavailable', 'The database cannot be reached'],
  'page.cursor_invalid': ['invalid', 'The cursor is not one of this list'],
  'product.unknown': ['invalid', 'There is no such product'],
  'request.body_missing': ['invalid', 'A body is required'],
  'request.body_too_large': ['too_large', 'The body is too large'],
  'request.content_encoding_unsupported': ['unsupported_media_type', 'The content encoding is not supported'],
  'request.content_type_unsupported': ['unsupported_media_type', 'The content type is not supported'],
  'request.header_invalid': ['invalid', 'A header is not valid'],
  'request.headers_too_large': ['headers_too_large', 'The headers are too large'],
  'request.invalid': ['invalid', 'The request is not valid'],
  'request.json_malformed': ['invalid', 'The body is not well-formed JSON'],
  'request.path_malformed': ['invalid', 'The path is not well-formed'],
  'request.query_unknown': ['invalid', 'There is no such query parameter'],
  'request.timeout': ['timeout', 'The request took too long to arrive'],
  'route.method_not_allowed': ['method_not_allowed', 'This path does not have that method'],
  'route.not_found': ['not_found', 'There is nothing at this path'],
  'service.internal_error': ['internal', 'Something went wrong on our side'],
  'service.not_ready': ['unavailable', 'The service is not ready'],
  'tenant.erp_id_taken': ['conflict', 'Another tenant has this ERP id'],
  'tenant.id_taken': ['conflict', 'Another tenant has this id'],
  'tenant.not_found': ['not_found', 'There is no such tenant'],
  'tenant.plan_required': ['conflict', 'An active tenant needs a plan'],
  'tenant.plan_unknown': ['invalid', 'No product has this plan'],
  'tenant.slug_reserved': ['conflict', 'This slug is reserved'],
  'tenant.slug_taken': ['conflict', 'Another tenant has this slug'],
  'tenant.stripe_id_taken': ['conflict', 'Another tenant has this Stripe id'],
} as const satisfies Record<string, readonly [kind: ErrorKind, title: string]>

/** A published error code. */
export type ErrorCode = keyof typeof errorTable

/** One thing that is wrong with a request, and where: `pointer` is a JSON pointer (RFC 6901) into what was sent. */
export interface Violation {
  readonly pointer: string
  readonly code: string
  readonly message: string
}

/** What an error says beside its code. */
export interface ErrorDetails {
  /** For the caller, in one or two sentences; it must not name what the caller may not see. */
  readonly detail?: string
  /** Everything that is wrong with the request, for `invalid` errors. */
  readonly violations?: readonly Violation[]
  /** Seconds after which it makes sense to try again. */
  readonly retryAfterSeconds?: number
  /** For us: goes to the log, never to the caller. */
  readonly cause?: unknown
}

/** An error that a caller can do something about. A broken invariant is a plain `Error` instead. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly title: string
  readonly detail: string | undefined
  readonly violations: readonly Violation[] | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const [kind, title] = errorTable[code]
    super(`${code}: ${details.detail ?? title}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.kind = kind
    this.title = title
    this.detail = details.detail
    this.violations = details.violations
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}
