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
  | 'unprocessable'
  | 'rate_limited'
  | 'unavailable'
  | 'internal'

/**
 * Every error a caller can meet: its code, its kind and its title. Codes are `noun.problem`, published, and never
 * change their meaning; `pnpm generate` puts them into the OpenAPI document and the client.
 */
export const errorTable = {
  'api_key.expired': ['conflict', 'The key has expired'],
  'api_key.grant_exceeded': ['forbidden', 'You may not hand this on'],
  'api_key.lane_full': ['unavailable', 'Too many keys are waiting to be proven'],
  'api_key.mixed_audience': ['invalid', 'The scopes open more than one audience'],
  'api_key.not_found': ['not_found', 'There is no such key'],
  'api_key.policy_violated': ['conflict', "The tenant's key policy does not allow this"],
  'api_key.replaced': ['conflict', 'Another key has taken the place of this one'],
  'api_key.revoked': ['conflict', 'The key is revoked'],
  'api_key.scope_unknown': ['invalid', 'There is no such scope'],
  'audit_event.external_id_reused': ['conflict', 'The group has another event with this external_id'],
  'audit_event.not_found': ['not_found', 'There is no such event'],
  'audit_event.queue_full': ['unavailable', 'Too many events are waiting to be recorded'],
  'audit_export.not_found': ['not_found', 'There is no such export'],
  'audit_export.too_many': ['conflict', 'There are as many saved exports as there may be'],
  'audit_export.too_many_running': ['unavailable', 'Too many exports are being made'],
  'audit_stream.not_found': ['not_found', 'There is no such stream'],
  'audit_viewer.not_found': ['not_found', 'There is no such viewer token'],
  'audit_search.invalid': ['invalid', 'The search cannot be read'],
  'auth.api_key_invalid': ['unauthenticated', 'The API key is not valid'],
  'auth.api_key_refused': ['unauthenticated', 'The API key cannot be used'],
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
  'changes.expired': ['gone', 'The feed no longer has what came after this position'],
  'changes.too_many_waiters': ['unavailable', 'Too many are waiting for changes'],
  'database.busy': ['unavailable', 'The database is busy'],
  'database.unavailable': ['unavailable', 'The database cannot be reached'],
  'enterprise_token.not_found': ['not_found', 'There is no such enterprise token'],
  'enterprise_token.too_many': ['conflict', 'The group has as many enterprise tokens as it may have'],
  'idempotency.in_flight': ['conflict', 'A request with this Idempotency-Key is being worked on'],
  'idempotency.key_reused': ['unprocessable', 'This Idempotency-Key was used for another request'],
  'idempotency.secret_gone': ['conflict', 'The answer to this Idempotency-Key held a secret that is no longer kept'],
  'legal_hold.not_found': ['not_found', 'There is no legal hold on this tenant'],
  'page.cursor_invalid': ['invalid', 'The cursor is not one of this list'],
  'product.not_found': ['not_found', 'There is no such product'],
  'product.required_by_other': ['conflict', 'Another product of the tenant needs this one'],
  'product.requirement_missing': ['conflict', 'The product needs another one that the tenant does not have'],
  'product.retired': ['conflict', 'The product is retired'],
  'product.unknown': ['invalid', 'There is no such product'],
  'project.archived': ['conflict', 'The project is archived'],
  'project.not_found': ['not_found', 'There is no such project'],
  'project.not_supported': ['conflict', 'No product of the tenant has projects'],
  'project.quota_exceeded': ['conflict', 'The tenant has as many projects as it may have'],
  'project.slug_taken': ['conflict', 'Another project of the tenant has or had this slug'],
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
  'request.rate_limited': ['rate_limited', 'Too many requests'],
  'request.timeout': ['timeout', 'The request took too long to arrive'],
  'resource.version_stale': ['stale', 'It was changed since you read it'],
  'route.method_not_allowed': ['method_not_allowed', 'This path does not have that method'],
  'route.not_found': ['not_found', 'There is nothing at this path'],
  'secrets.kid_unfit': ['unavailable', "The server's keyring does not fit what was made with it"],
  'service.internal_error': ['internal', 'Something went wrong on our side'],
  'service.not_ready': ['unavailable', 'The service is not ready'],
  'slug.in_use': ['conflict', 'The slug is the present name of a tenant'],
  'slug.not_found': ['not_found', 'There is no such slug'],
  'tenant.archived': ['conflict', 'The tenant is archived'],
  'tenant.being_purged': ['conflict', 'The tenant is being purged'],
  'tenant.deletion_protected': ['conflict', 'The tenant is protected from deletion'],
  'tenant.erp_id_taken': ['conflict', 'Another tenant has this ERP id'],
  'tenant.frozen': ['conflict', 'The tenant is frozen'],
  'tenant.id_retired': ['conflict', 'This id belonged to a tenant that was purged'],
  'tenant.id_taken': ['conflict', 'Another tenant has this id'],
  'tenant.legal_hold': ['conflict', 'The tenant is under a legal hold'],
  'tenant.not_archived': ['conflict', 'Only an archived tenant can be purged'],
  'tenant.not_found': ['not_found', 'There is no such tenant'],
  'tenant.platform_own': ['conflict', "The platform's own tenant does not change"],
  'tenant.plan_required': ['conflict', 'An active tenant needs a plan'],
  'tenant.plan_unknown': ['invalid', 'No product has this plan'],
  'tenant.purge_too_early': ['conflict', 'The tenant cannot be purged yet'],
  'tenant.slug_mismatch': ['conflict', 'The slug is not that of the tenant'],
  'tenant.slug_reserved': ['conflict', 'This slug is reserved'],
  'tenant.slug_taken': ['conflict', 'Another tenant has this slug'],
  'tenant.stripe_id_taken': ['conflict', 'Another tenant has this Stripe id'],
  'tenant.transition_illegal': ['conflict', 'The tenant cannot go from its state to that one'],
  'tenant_product.config_invalid': ['invalid', "The configuration does not fit the product's schema"],
  'tenant_product.limit_unknown': ['invalid', 'The product has no such limit'],
  'tenant_product.not_found': ['not_found', 'The tenant does not have this product'],
} as const satisfies Record<string, readonly [kind: ErrorKind, title: string]>

/** A published error code. */
export type ErrorCode = keyof typeof errorTable

/** One thing that is wrong with a request, and where: `pointer` is a JSON pointer (RFC 6901) into what was sent. */
export interface Violation {
  readonly pointer: string
  readonly code: string
  readonly message: string
}

/** What some errors tell programs, beside their code. */
export interface Facts {
  /** The version that the thing has now: what `If-Match` would have had to say. */
  readonly current_version?: number
  /** What could be done instead: the states that a tenant can go to. */
  readonly allowed?: readonly string[]
  /** The products that the tenant has. */
  readonly products?: readonly string[]
  /** The id of what an earlier request with this key made. */
  readonly id?: string
}

/** What an error says beside its code. */
export interface ErrorDetails {
  /** For the caller, in one or two sentences; it must not name what the caller may not see. */
  readonly detail?: string
  /** Everything that is wrong with the request, for `invalid` errors. */
  readonly violations?: readonly Violation[]
  /** What programs can use of it: extension members of the problem. Nothing that the caller may not see. */
  readonly facts?: Facts
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
  readonly facts: Facts | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const [kind, title] = errorTable[code]
    super(`${code}: ${details.detail ?? title}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.kind = kind
    this.title = title
    this.detail = details.detail
    this.violations = details.violations
    this.facts = details.facts
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/** The error of a request whose field at `pointer` is not right in a way that its schema cannot say. */
export function invalidAt(pointer: string, message: string): RegistryError {
  return new RegistryError('request.invalid', { violations: [{ pointer, code: 'invalid', message }] })
}
