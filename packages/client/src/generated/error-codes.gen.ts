// Made by packages/client/scripts/generate.ts from the error table of packages/core. Do not edit.

/** The published error codes, by what kind of error they are. */
export interface ErrorCodes {
  conflict: {
    /** The key has expired. */
    'api_key.expired': true
    /** The tenant's key policy does not allow this. */
    'api_key.policy_violated': true
    /** Another key has taken the place of this one. */
    'api_key.replaced': true
    /** The key is revoked. */
    'api_key.revoked': true
    /** The group has another event with this external_id. */
    'audit_event.external_id_reused': true
    /** There are as many saved exports as there may be. */
    'audit_export.too_many': true
    /** The group has as many enterprise tokens as it may have. */
    'enterprise_token.too_many': true
    /** A request with this Idempotency-Key is being worked on. */
    'idempotency.in_flight': true
    /** The answer to this Idempotency-Key held a secret that is no longer kept. */
    'idempotency.secret_gone': true
    /** Another product of the tenant needs this one. */
    'product.required_by_other': true
    /** The product needs another one that the tenant does not have. */
    'product.requirement_missing': true
    /** The product is retired. */
    'product.retired': true
    /** The project is archived. */
    'project.archived': true
    /** No product of the tenant has projects. */
    'project.not_supported': true
    /** The tenant has as many projects as it may have. */
    'project.quota_exceeded': true
    /** Another project of the tenant has or had this slug. */
    'project.slug_taken': true
    /** The slug is the present name of a tenant. */
    'slug.in_use': true
    /** The tenant is archived. */
    'tenant.archived': true
    /** The tenant is being purged. */
    'tenant.being_purged': true
    /** The tenant is protected from deletion. */
    'tenant.deletion_protected': true
    /** Another tenant has this ERP id. */
    'tenant.erp_id_taken': true
    /** The tenant is frozen. */
    'tenant.frozen': true
    /** This id belonged to a tenant that was purged. */
    'tenant.id_retired': true
    /** Another tenant has this id. */
    'tenant.id_taken': true
    /** The tenant is under a legal hold. */
    'tenant.legal_hold': true
    /** Only an archived tenant can be purged. */
    'tenant.not_archived': true
    /** The platform's own tenant does not change. */
    'tenant.platform_own': true
    /** An active tenant needs a plan. */
    'tenant.plan_required': true
    /** The tenant cannot be purged yet. */
    'tenant.purge_too_early': true
    /** The slug is not that of the tenant. */
    'tenant.slug_mismatch': true
    /** This slug is reserved. */
    'tenant.slug_reserved': true
    /** Another tenant has this slug. */
    'tenant.slug_taken': true
    /** Another tenant has this Stripe id. */
    'tenant.stripe_id_taken': true
    /** The tenant cannot go from its state to that one. */
    'tenant.transition_illegal': true
  }
  forbidden: {
    /** You may not hand this on. */
    'api_key.grant_exceeded': true
    /** You may not do this. */
    'auth.permission_denied': true
    /** Without authentication only local requests are answered. */
    'auth.request_not_local': true
  }
  unavailable: {
    /** Too many keys are waiting to be proven. */
    'api_key.lane_full': true
    /** Too many events are waiting to be recorded. */
    'audit_event.queue_full': true
    /** Too many exports are being made. */
    'audit_export.too_many_running': true
    /** The identity provider cannot be reached. */
    'auth.provider_unavailable': true
    /** Too many are waiting for changes. */
    'changes.too_many_waiters': true
    /** The database is busy. */
    'database.busy': true
    /** The database cannot be reached. */
    'database.unavailable': true
    /** The server's keyring does not fit what was made with it. */
    'secrets.kid_unfit': true
    /** The service is not ready. */
    'service.not_ready': true
  }
  invalid: {
    /** The scopes open more than one audience. */
    'api_key.mixed_audience': true
    /** There is no such scope. */
    'api_key.scope_unknown': true
    /** The search cannot be read. */
    'audit_search.invalid': true
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
    /** The configuration does not fit the product's schema. */
    'tenant_product.config_invalid': true
    /** The product has no such limit. */
    'tenant_product.limit_unknown': true
  }
  not_found: {
    /** There is no such key. */
    'api_key.not_found': true
    /** There is no such event. */
    'audit_event.not_found': true
    /** There is no such export. */
    'audit_export.not_found': true
    /** There is no such stream. */
    'audit_stream.not_found': true
    /** There is no such viewer token. */
    'audit_viewer.not_found': true
    /** There is no such enterprise token. */
    'enterprise_token.not_found': true
    /** There is no legal hold on this tenant. */
    'legal_hold.not_found': true
    /** There is no such product. */
    'product.not_found': true
    /** There is no such project. */
    'project.not_found': true
    /** There is nothing at this path. */
    'route.not_found': true
    /** There is no such slug. */
    'slug.not_found': true
    /** There is no such tenant. */
    'tenant.not_found': true
    /** The tenant does not have this product. */
    'tenant_product.not_found': true
  }
  unauthenticated: {
    /** The API key is not valid. */
    'auth.api_key_invalid': true
    /** The API key cannot be used. */
    'auth.api_key_refused': true
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
  gone: {
    /** The feed no longer has what came after this position. */
    'changes.expired': true
  }
  unprocessable: {
    /** This Idempotency-Key was used for another request. */
    'idempotency.key_reused': true
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
  rate_limited: {
    /** Too many requests. */
    'request.rate_limited': true
  }
  timeout: {
    /** The request took too long to arrive. */
    'request.timeout': true
  }
  stale: {
    /** It was changed since you read it. */
    'resource.version_stale': true
  }
  method_not_allowed: {
    /** This path does not have that method. */
    'route.method_not_allowed': true
  }
  internal: {
    /** Something went wrong on our side. */
    'service.internal_error': true
  }
}
