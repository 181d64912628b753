import { TenantClient } from '../client.ts'
import type { Ops } from '../generated/operations.gen.ts'
import type { Project, Tenant, TenantProduct } from '../generated/schemas.gen.ts'
import type { TenantClientOptions } from '../options.ts'
import { answersOf, showTenant } from './answers.ts'
import { FakeApiKeys } from './api-keys.ts'
import { aProduct, aTenant, type FakeProduct } from './builders.ts'
import type { FakeHandler, FakeHandlers, FakeRequest } from './handlers.ts'
import { type KeptTenant, showProject } from './lifecycle.ts'
import { FakeRefusal, refuse } from './refusal.ts'
import { problemOf, replyOf } from './reply.ts'
import { requestOf } from './routing.ts'
import { type GivenEntitlement, Store } from './store.ts'

type TenantRef = Pick<Tenant, 'id'>
/** What of a tenant can be said; the rest follows. */
export type FakeTenantFields = Partial<Omit<Tenant, 'effective_status' | 'allowed_transitions' | 'products'>>

/** How a fake registry behaves. */
export interface FakeRegistryOptions {
  /** The catalogue. A product that a tenant is entitled to need not be in it. */
  readonly products?: readonly FakeProduct[] | undefined
  /** The clock, in milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

/** Why a fake registry does not answer: it is there, but not its database; or nobody listens. */
export type Outage = 'unavailable' | 'unreachable'

/** A registry in memory, for the tests of a product. Made by `fakeRegistry`. */
export class FakeRegistry {
  /** Answers requests as the registry does; for whatever takes a `fetch`. */
  readonly fetch: typeof globalThis.fetch
  /** What it was asked so far. */
  readonly requests: FakeRequest[] = []
  /** The keys of its tenants. */
  readonly apiKeys: FakeApiKeys
  readonly #store: Store
  readonly #answers: Partial<FakeHandlers>
  #outage: Outage | undefined

  /** @internal */
  constructor({ products = [], now = Date.now }: FakeRegistryOptions) {
    const catalogue = products.map(aProduct).sort((a, b) => (a.key < b.key ? -1 : 1))
    this.#store = new Store(now, new Map(catalogue.map((product) => [product.key, product])))
    this.#answers = answersOf(this.#store)
    this.apiKeys = new FakeApiKeys(this.#store)
    this.fetch = (input, init) => this.#fetch(input, init)
  }

  /** A real client, whose requests end here. */
  client(options: Partial<TenantClientOptions> = {}): TenantClient {
    return new TenantClient({ baseUrl: 'http://registry.test', ...options, fetch: this.fetch })
  }

  /** Adds a tenant: an active customer unless you say otherwise. */
  tenant(fields: FakeTenantFields = {}): Tenant {
    const id = (fields.id ?? this.#store.newId()).toLowerCase()
    const time = this.#store.time()
    const slug = fields.slug ?? `tenant-${this.#store.tenants.size + 1}`
    const tenant = { ...aTenant(id, slug, time), ...fields, id }
    if (this.#store.tenants.has(id) || [...this.#store.tenants.values()].some((other) => other.slug === slug))
      throw new TypeError(`there is a tenant ${slug} with the id ${id} already`)
    return this.#keep(tenant)
  }

  /** Changes fields of a tenant. It is still found by a slug that it had before. */
  change(tenant: TenantRef, fields: Omit<FakeTenantFields, 'id'>): Tenant {
    const before = this.#find(tenant)
    if (fields.slug !== undefined) this.#store.formerSlugs.set(before.slug, before.id)
    return this.#keep({ ...before, version: before.version + 1, updated_at: this.#store.time(), ...fields })
  }

  /** Freezes a tenant. The reason decides what it may still see: it is `payment_overdue` unless you say otherwise. */
  freeze(tenant: TenantRef, reason: NonNullable<Tenant['status_reason']> = 'payment_overdue'): Tenant {
    const frozen_from = this.#find(tenant).status
    return this.change(tenant, {
      status: 'frozen',
      status_reason: reason,
      status_changed_at: this.#store.time(),
      frozen_from,
    })
  }

  /** Removes a tenant, as if it had been purged. */
  remove(tenant: TenantRef): void {
    const { id } = this.#find(tenant)
    this.#store.tenants.delete(id)
    this.#store.change('tenant', id, id)
  }

  /** Says what a tenant may use of a product, instead of what was said before. The tenant has that product then. */
  entitle(tenant: TenantRef, product: string, given: GivenEntitlement = {}): TenantProduct {
    const { id } = this.#find(tenant)
    const before = this.#store.assignment(id, product)
    const time = this.#store.time()
    const assignment: TenantProduct = {
      tenant_id: id,
      product,
      enabled: given.access !== 'none',
      config: given.config ?? {},
      limits: { ...given.limits },
      valid_from: null,
      valid_until: given.valid_until ?? null,
      source: 'manual',
      version: (before?.version ?? 0) + 1,
      created_at: before?.created_at ?? time,
      updated_at: time,
    }
    this.#store.give(assignment, given)
    return assignment
  }

  /** Takes a product away from a tenant. */
  disentitle(tenant: TenantRef, product: string): void {
    this.#store.takeAway(this.#find(tenant).id, product)
  }

  /** Adds a project, or changes the one with this id. */
  project(tenant: TenantRef, fields: Partial<Omit<Project, 'effective_status' | 'tenant_id'>> = {}): Project {
    const owner = this.#find(tenant)
    const id = (fields.id ?? this.#store.newId()).toLowerCase()
    const time = this.#store.time()
    const before = this.#store.projects.get(id)
    const slug = `project-${this.#store.projects.size + 1}`
    const made = { slug, name: slug, labels: {}, status: 'active', created_at: time, archived_at: null } as const
    const versioned = { version: (before?.version ?? 0) + 1, updated_at: time }
    const project = { ...made, ...before, ...versioned, ...fields, id, tenant_id: owner.id }
    this.#store.projects.set(id, project)
    this.#store.change('tenant_project', owner.id, id)
    return showProject(project, owner, this.#store.now())
  }

  /**
   * Answers an operation in your own way from now on, also one that the fake has no answer of its own to. Throw with
   * `refuse` to say no.
   * @example
   *   registry.answer('createTenant', ({ args }) => registry.tenant(args.body))
   */
  answer<Id extends keyof Ops>(operation: Id, handler: FakeHandler<Id>): void {
    Object.assign(this.#answers, { [operation]: handler })
  }

  /** Stops answering. Whoever waits for changes is told at once. */
  goDown(outage: Outage = 'unavailable'): void {
    this.#outage = outage
    this.#store.wake()
  }

  comeBack(): void {
    this.#outage = undefined
  }

  /** Forgets the changes until now: whoever follows them from before is told `changes.expired`. */
  forgetChanges(): void {
    // One that nobody has heard of, so that even who heard all of them has missed something.
    this.#store.change('tenant', this.#store.newId(), this.#store.newId())
    this.#store.forgottenTo = this.#store.changes.length
    this.#store.wake()
  }

  async #fetch(input: Parameters<typeof fetch>[0], init: RequestInit | undefined): Promise<Response> {
    // Without the signal: where a test has a DOM, that is none that the platform's own Request would take.
    const sent = new Request(input, { ...init, signal: null })
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
    let response: Response
    try {
      const text = sent.method === 'GET' ? '' : await sent.text()
      const request = requestOf(sent, text, signal)
      this.requests.push(request)
      response = replyOf(request, await this.#answer(request))
    } catch (error) {
      response = problemOf(refusalOf(error), new URL(sent.url).pathname, sent.headers)
    }
    signal?.throwIfAborted()
    if (this.#outage === 'unreachable') {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) })
    }
    return response
  }

  async #answer(request: FakeRequest): Promise<unknown> {
    const { operation } = request
    const handle = this.#answers[operation] as ((request: FakeRequest) => unknown) | undefined
    if (!handle) throw new TypeError(`no answer to ${operation}: give one with registry.answer('${operation}', …)`)
    // Who waited for an answer is told as well.
    this.#assertUp(operation)
    const result = await handle(request)
    this.#assertUp(operation)
    return result
  }

  #assertUp(operation: keyof Ops): void {
    if (this.#outage === undefined || operation === 'getHealth') return
    if (operation !== 'getReadiness') refuse('unavailable', 'database.unavailable', { retryAfterSeconds: 1 })
    const errors = [{ pointer: '/database', code: 'not_ready', message: 'cannot be reached' }]
    refuse('unavailable', 'service.not_ready', { errors, retryAfterSeconds: 1 })
  }

  #keep(tenant: KeptTenant): Tenant {
    this.#store.tenants.set(tenant.id, tenant)
    this.#store.change('tenant', tenant.id, tenant.id)
    return showTenant(this.#store, tenant)
  }

  #find(tenant: TenantRef): KeptTenant {
    const found = this.#store.tenants.get(tenant.id)
    if (!found) throw new TypeError(`the fake registry has no tenant ${tenant.id}`)
    return found
  }
}

/** A mistake in a test is no outage, which would be tried again: it is a fault of the registry, and says what it is. */
function refusalOf(error: unknown): FakeRefusal {
  if (error instanceof FakeRefusal) return error
  const detail = `the fake registry: ${error instanceof Error ? error.message : String(error)}`
  return new FakeRefusal(500, 'service.internal_error', { detail })
}
