import type { ApiKeyId, ProjectId, TenantId } from '../id.ts'
import type { ProjectStatus } from '../projects/project.ts'
import type { KeyState } from './key-state.ts'

/** What the process knows of a key. */
export interface KeptKey {
  readonly prefix: string
  readonly id: ApiKeyId
  readonly tenantId: TenantId
  /** As it was read; undefined when that is no longer so. */
  state: KeyState | undefined
  /** When the read began. */
  readAt: number
  /** What was proven, and of which hash. It never goes stale: the hash belongs to the state. */
  proof: { readonly digest: Buffer; readonly hash: string } | undefined
  /** What projects that were asked about are in: of a key that is bound to none. Goes with the state. */
  projects: Map<ProjectId, ProjectStatus | undefined> | undefined
}

/** The keys that a process has seen, so many at most: what is known of each, and what was proven. */
export class KeptKeys {
  readonly #max: number
  readonly #byPrefix = new Map<string, KeptKey>()
  readonly #byId = new Map<ApiKeyId, KeptKey>()
  readonly #byTenant = new Map<TenantId, Set<KeptKey>>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#byPrefix.size
  }

  get(prefix: string): KeptKey | undefined {
    return this.#byPrefix.get(prefix)
  }

  /** The entry of a key, as the latest one that was read: those that nobody asks for are the first to go. */
  keep({ prefix, id, tenant_id: tenantId }: KeyState): KeptKey {
    const known = this.#byPrefix.get(prefix)
    if (known?.id === id && known.tenantId === tenantId) {
      this.#byPrefix.delete(prefix)
      this.#byPrefix.set(prefix, known)
      return known
    }
    this.#remove(known)
    const key: KeptKey = { prefix, id, tenantId, state: undefined, readAt: 0, proof: undefined, projects: undefined }
    this.#byPrefix.set(prefix, key)
    this.#byId.set(id, key)
    const ofTenant = this.#byTenant.get(tenantId) ?? new Set()
    this.#byTenant.set(tenantId, ofTenant.add(key))
    if (this.#byPrefix.size > this.#max) this.#remove(this.#byPrefix.values().next().value)
    return key
  }

  /** Drops a key that is not there any more, and what was proven of it. */
  remove(prefix: string): void {
    this.#remove(this.#byPrefix.get(prefix))
  }

  /** Forgets the state of a key. What was proven of it stays: it is bound to the hash that the state has. */
  forget(id: ApiKeyId): void {
    const key = this.#byId.get(id)
    if (key) forget(key)
  }

  /** The same for all keys of a tenant. */
  forgetTenant(id: TenantId): void {
    for (const key of this.#byTenant.get(id) ?? []) forget(key)
  }

  /** The same for all keys. */
  forgetAll(): void {
    for (const key of this.#byPrefix.values()) forget(key)
  }

  #remove(key: KeptKey | undefined): void {
    if (!key) return
    this.#byPrefix.delete(key.prefix)
    this.#byId.delete(key.id)
    const ofTenant = this.#byTenant.get(key.tenantId)
    ofTenant?.delete(key)
    if (ofTenant?.size === 0) this.#byTenant.delete(key.tenantId)
  }
}

function forget(key: KeptKey): void {
  key.state = undefined
  key.projects = undefined
}
