import type { IssuedApiKey } from '../generated/schemas.gen.ts'
import { checksumOf } from '../key-verifier/key-shape.ts'
import { hasScopes } from '../key-verifier/scopes.ts'
import { randomKey } from '../transport.ts'
import type { KeptKey } from './keys.ts'
import type { Store } from './store.ts'

/** What can be changed of a key. */
export type FakeApiKeyChanges = Partial<
  Pick<IssuedApiKey, 'name' | 'scopes' | 'enabled' | 'expires_at' | 'ip_allow' | 'metadata'>
>

/** What can be said of a key; the rest follows. */
export interface FakeApiKeyFields extends Partial<Pick<IssuedApiKey, 'project_id' | 'audience'>>, FakeApiKeyChanges {
  readonly tenant_id: string
  /** What it may be used for. It opens the product that has the first of these, or whose key that begins with. */
  readonly scopes: string[]
  readonly environment?: 'live' | 'test'
}

type KeyRef = Pick<IssuedApiKey, 'key'>

/** The keys of a fake registry. */
export class FakeApiKeys {
  readonly #store: Store

  /** @internal */
  constructor(store: Store) {
    this.#store = store
  }

  /**
   * Makes a key. It can be verified like a real one; the tenant has to have the product that it opens, so `entitle` it.
   * @throws {TypeError} when there is no such tenant
   */
  issue({ tenant_id, scopes, environment = 'live', ...fields }: FakeApiKeyFields): IssuedApiKey {
    if (!this.#store.tenants.has(tenant_id)) throw new TypeError(`the fake registry has no tenant ${tenant_id}`)
    const id = this.#store.newId()
    const time = this.#store.time()
    const prefix = `bpk_${environment}_${randomKey().slice(0, 12)}`
    const marked = `${prefix}_${(randomKey() + randomKey()).slice(0, 51)}`
    const key = {
      id,
      tenant_id,
      project_id: null,
      name: 'A key',
      prefix,
      environment,
      audience: this.#audienceOf(scopes),
      scopes,
      enabled: true,
      expires_at: null,
      ip_allow: [],
      metadata: {},
      family_id: id,
      replaced_by: null,
      created_by: 'fake',
      revoked_at: null,
      revoked_reason: null,
      revoked_by: null,
      last_used_at: null,
      last_used_ip: null,
      version: 0,
      created_at: time,
      updated_at: time,
      key: marked + checksumOf(marked),
    }
    return this.#keep({ ...key, ...fields })
  }

  /** Changes fields of a key. */
  change({ key }: KeyRef, fields: FakeApiKeyChanges): IssuedApiKey {
    return this.#keep({ ...this.#find(key), ...fields })
  }

  /** Ends a key for good. */
  revoke({ key }: KeyRef, reason = 'no_longer_needed'): IssuedApiKey {
    const revoked = { revoked_at: this.#store.time(), revoked_reason: reason, revoked_by: 'fake' }
    return this.#keep({ ...this.#find(key), ...revoked })
  }

  /** Lets the end of a key be now. */
  expire(key: KeyRef): IssuedApiKey {
    return this.change(key, { expires_at: this.#store.time() })
  }

  #keep(key: KeptKey): IssuedApiKey {
    const kept = { ...key, version: key.version + 1, updated_at: this.#store.time() }
    this.#store.keys.set(key.key, kept)
    this.#store.change('api_key', key.tenant_id, key.id)
    return { ...kept, status: this.#statusOf(kept) }
  }

  #statusOf({ revoked_at, expires_at, enabled }: KeptKey): IssuedApiKey['status'] {
    if (revoked_at !== null) return 'revoked'
    if (expires_at !== null && Date.parse(expires_at) <= this.#store.now()) return 'expired'
    return enabled ? 'active' : 'disabled'
  }

  #audienceOf([first = '']: readonly string[]): string {
    const product = [...this.#store.products.values()].find(({ scopes }) =>
      scopes.some((each) => hasScopes([first], [each])),
    )
    return product?.key ?? first.split(':')[0] ?? ''
  }

  #find(key: string): KeptKey {
    const found = this.#store.keys.get(key)
    if (!found) throw new TypeError('the fake registry has no such key')
    return found
  }
}
