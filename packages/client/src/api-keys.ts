import type { Call, Found } from './call.ts'
import type { ListApiKeysQuery } from './generated/operations.gen.ts'
import type {
  ApiKey,
  ApiKeyChanges,
  ApiKeyPage,
  ApiKeyRevocation,
  ApiKeyRotation,
  FoundApiKeys,
  IssuedApiKey,
  NewApiKey,
  OwnApiKey,
  OwnApiKeyPage,
  OwnIssuedApiKey,
  RevokedApiKeys,
  Verification,
  VerifiedKey,
  VerifiedKeys,
} from './generated/schemas.gen.ts'
import { List, pageQuery } from './list.ts'
import type { ChangeOptions, ReadOptions, RequestOptions, VersionOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** A key as the caller may see it: who made and ended it is for the platform's own people. */
export type ApiKeyView = ApiKey | OwnApiKey
/** A key that was just made, with its secret. */
export type IssuedApiKeyView = IssuedApiKey | OwnIssuedApiKey

/** The keys of tenants, and whether one that somebody brought is good. */
export class ApiKeys {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Makes a key and shows it, this once: `key` is what to hand over. An attempt that is repeated shows it again, for as
   * long as the registry keeps it.
   * @throws {ForbiddenError} `api_key.grant_exceeded`, when you would hand on more than you have
   * @throws {InvalidError} `api_key.scope_unknown`, `api_key.mixed_audience`
   * @throws {ConflictError} `api_key.policy_violated`, `idempotency.secret_gone`, `tenant.frozen` and the like
   */
  issue(tenantId: string, apiKey: NewApiKey, options?: ChangeOptions): Call<IssuedApiKeyView> {
    return this.#transport.call('issueApiKey', { path: { tenant_id: tenantId }, body: apiKey }, options)
  }

  /** The keys of a tenant, newest first; ended ones too, unless you filter. */
  list(
    tenantId: string,
    filter: ListApiKeysQuery = {},
    options?: RequestOptions,
  ): List<ApiKeyView, ApiKeyPage | OwnApiKeyPage> {
    const path = { tenant_id: tenantId }
    return new List('listApiKeys', filter.cursor, (cursor) =>
      this.#transport.call('listApiKeys', { path, query: pageQuery(filter, cursor) }, options),
    )
  }

  /**
   * The key with this id, if it is one of this tenant. Never its secret.
   * @throws {NotFoundError} `api_key.not_found`
   */
  get<O extends ReadOptions = {}>(tenantId: string, apiKeyId: string, options?: O): Call<Found<ApiKeyView, O>> {
    return this.#transport.read('getApiKey', at(tenantId, apiKeyId), options)
  }

  /**
   * Changes the fields that you name: null clears one, what is absent stays. `enabled: false` switches a key off.
   * @throws {StaleError} `resource.version_stale` when it no longer has the version of `ifMatch`
   * @throws {ConflictError} `api_key.revoked`, `api_key.replaced`, `api_key.policy_violated`
   */
  update(tenantId: string, apiKeyId: string, changes: ApiKeyChanges, options?: VersionOptions): Call<ApiKeyView> {
    return this.#transport.call('updateApiKey', { ...at(tenantId, apiKeyId), body: changes }, options)
  }

  /**
   * Makes a key that takes the place of this one, and shows it, this once. The old one lives on for `overlap_seconds`, a
   * day unless told.
   * @throws {ConflictError} `api_key.revoked`, `api_key.expired`, `api_key.replaced`
   */
  rotate(
    tenantId: string,
    apiKeyId: string,
    rotation: ApiKeyRotation = {},
    options?: ChangeOptions & VersionOptions,
  ): Call<IssuedApiKeyView> {
    return this.#transport.call('rotateApiKey', { ...at(tenantId, apiKeyId), body: rotation }, options)
  }

  /** Ends a key for good. One that has ended already stays as it is. */
  revoke(
    tenantId: string,
    apiKeyId: string,
    revocation: ApiKeyRevocation,
    options?: ChangeOptions & VersionOptions,
  ): Call<ApiKeyView> {
    return this.#transport.call('revokeApiKey', { ...at(tenantId, apiKeyId), body: revocation }, options)
  }

  /** Ends every key that the tenant has. Those that are made afterwards are valid. */
  revokeAll(tenantId: string, revocation: ApiKeyRevocation, options?: ChangeOptions): Call<RevokedApiKeys> {
    return this.#transport.call('revokeAllApiKeys', { path: { tenant_id: tenantId }, body: revocation }, options)
  }

  /** How many keys `revokeAll` would end. Changes nothing. */
  previewRevokeAll(tenantId: string, revocation: ApiKeyRevocation, options?: RequestOptions): Call<RevokedApiKeys> {
    const args = { path: { tenant_id: tenantId }, query: dryRun, body: revocation }
    return this.#transport.call('revokeAllApiKeys', args, options)
  }

  /** The key of whatever tenant that begins like this: at most one. For the platform's own people. */
  find(prefix: string, options?: RequestOptions): Call<FoundApiKeys> {
    return this.#transport.call('findApiKeys', { query: { prefix } }, options)
  }

  /**
   * Ends a key that leaked. It takes nothing but the key, so no token is sent; and it succeeds whatever the key is, so
   * that nobody learns whether it was one.
   */
  revokeLeaked(key: string, options?: RequestOptions): Call<void> {
    return this.#transport.call('revokeLeakedApiKey', { body: { key } }, options)
  }

  /**
   * Whether a key that somebody brought is good for what it is brought for. To ask on every request, keep the answers for
   * as long as they hold: `./verify`.
   * @throws {UnavailableError} `api_key.lane_full`, when its turn did not come: that says nothing of the key
   */
  verify(verification: Verification, options?: RequestOptions): Call<VerifiedKey> {
    return this.#transport.call('verifyApiKey', { body: verification }, options)
  }

  /** Answers up to a hundred such questions at once, in order. `RETRY` is no answer: ask about that key again. */
  verifyMany(items: readonly Verification[], options?: RequestOptions): Call<VerifiedKeys> {
    return this.#transport.call('verifyApiKeys', { body: { items: [...items] } }, options)
  }
}

const at = (tenantId: string, apiKeyId: string) => ({ path: { tenant_id: tenantId, api_key_id: apiKeyId } })
const dryRun = { dry_run: 'true' } as const
