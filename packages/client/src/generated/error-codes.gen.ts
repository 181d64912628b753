// Made by packages/client/scripts/generate.ts from the error table of packages/core. Do not edit.

/** The published error codes, by what kind of error they are. */
export interface ErrorCodes {
  unauthenticated: {
    /** The token is not meant for this service. */
    'auth.audience_missing': true
    /** The credentials are not well-formed. */
    'auth.credentials_malformed': true
    /** Credentials are required. */
    'auth.credentials_missing': true
    /** The authorization scheme is not supported. */
    'auth.scheme_unsupported': true
    /** The token has expired. */
    'auth.token_expired': true
    /** The token is not valid. */
    'auth.token_invalid': true
    /** The token is not an access token. */
    'auth.token_wrong_type': true
  }
  forbidden: {
    /** You may not do this. */
    'auth.permission_denied': true
    /** Without authentication only local requests are answered. */
    'auth.request_not_local': true
  }
  unavailable: {
    /** The identity provider cannot be reached. */
    'auth.provider_unavailable': true
    /** The database is busy. */
    'database.busy': true
    /** The database cannot be reached. */
    'database.unavailable': true
    /** The service is not ready. */
    'service.not_ready': true
  }
  invalid: {
    /** The cursor is not one of this list. */
    'page.cursor_invalid': true
    /** There is no such product. */
    'product.unknown': true
    /** A body is required. */
    'request.body_missing': true
    /** A header is not valid. */
    'request.header_invalid': true
    /** The request is not valid. */
    'request.invalid': true
    /** The body is not well-formed JSON. */
    'request.json_malformed': true
    /** The path is not well-formed. */
    'request.path_malformed': true
    /** There is no such query parameter. */
    'request.query_unknown': true
    /** No product has this plan. */
    'tenant.plan_unknown': true
  }
  too_large: {
    /** The body is too large. */
    'request.body_too_large': true
  }
  unsupported_media_type: {
    /** The content encoding is not supported. */
    'request.content_encoding_unsupported': true
    /** The content type is not supported. */
    'request.content_type_unsupported': true
  }
  headers_too_large: {
    /** The headers are too large. */
    'request.headers_too_large': true
  }
  timeout: {
    /** The request took too long to arrive. */
    'request.timeout': true
  }
  method_not_allowed: {
    /** This path does not have that method. */
    'route.method_not_allowed': true
  }
  not_found: {
    /** There is nothing at this path. */
    'route.not_found': true
    /** There is no such tenant. */
    'tenant.not_found': true
  }
  internal: {
    /** Something went wrong on our side. */
    'service.internal_error': true
  }
  conflict: {
    /** Another tenant has this ERP id. */
    'tenant.erp_id_taken': true
    /** Another tenant has this id. */
    'tenant.id_taken': true
    /** An active tenant needs a plan. */
    'tenant.plan_required': true
    /** This slug is reserved. */
    'tenant.slug_reserved': true
    /** Another tenant has this slug. */
    'tenant.slug_taken': true
    /** Another tenant has this Stripe id. */
    'tenant.stripe_id_taken': true
  }
}
