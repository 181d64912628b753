import type { Entitlement, Product, RegistryChange, TenantProduct } from '../generated/schemas.gen.ts'
import type { KeptKey } from './keys.ts'
import type { KeptProject, KeptTenant } from './lifecycle.ts'
import { refuse } from './refusal.ts'

/** What a tenant may use of a product. All of it, unless you say otherwise. */
export interface GivenEntitlement extends Partial<Pick<Entitlement, 'reason' | 'config' | 'features'>> {
  readonly access?: 'full' | 'read_only' | 'none'
  readonly limits?: Readonly<Record<string, number>>
  /** When it is over: from then on there is no access. */
  readonly valid_until?: string | null
}

/** What a fake registry has in memory. */
export class Store {
  readonly now: () => number
  readonly tenants = new Map<string, KeptTenant>()
  /** Whose the slugs were that have been changed. */
  readonly formerSlugs = new Map<string, string>()
  readonly projects = new Map<string, KeptProject>()
  readonly products: ReadonlyMap<string, Product>
  /** By the key itself. */
  readonly keys = new Map<string, KeptKey>()
  readonly changes: RegistryChange[] = []
  /** The place up to which changes are no longer kept. */
  forgottenTo = 0
  readonly #had = new Map<string, { readonly assignment: TenantProduct; readonly given: GivenEntitlement }>()
  readonly #waiting = new Set<() => void>()
  #ids = 0

  constructor(now: () => number, products: ReadonlyMap<string, Product>) {
    this.now = now
    this.products = products
  }

  time(): string {
    return new Date(this.now()).toISOString()
  }

  newId(): string {
    this.#ids += 1
    return `00000000-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`
  }

  tenant(id: string): KeptTenant {
    return this.tenants.get(id.toLowerCase()) ?? refuse('not_found', 'tenant.not_found')
  }

  project(tenantId: string, projectId: string): KeptProject {
    const project = this.projects.get(projectId.toLowerCase())
    return project?.tenant_id === tenantId ? project : refuse('not_found', 'project.not_found')
  }

  assignmentsOf(tenantId: string): TenantProduct[] {
    const all = [...this.#had.values()].map(({ assignment }) => assignment)
    return all.filter(({ tenant_id }) => tenant_id === tenantId).sort((a, b) => (a.product < b.product ? -1 : 1))
  }

  assignment(tenantId: string, product: string): TenantProduct | undefined {
    return this.#had.get(pair(tenantId, product))?.assignment
  }

  given(tenantId: string, product: string): GivenEntitlement | undefined {
    return this.#had.get(pair(tenantId, product))?.given
  }

  give(assignment: TenantProduct, given: GivenEntitlement): void {
    this.#had.set(pair(assignment.tenant_id, assignment.product), { assignment, given })
    this.change('tenant_product', assignment.tenant_id, assignment.product)
  }

  takeAway(tenantId: string, product: string): void {
    if (this.#had.delete(pair(tenantId, product))) this.change('tenant_product', tenantId, product)
  }

  /** Notes that something has changed, and wakes whoever waits for that. */
  change(kind: 'tenant' | 'tenant_product' | 'tenant_project' | 'api_key', tenantId: string, refId: string): void {
    this.changes.push({ n: this.changes.length + 1, at: this.time(), kind, tenant_id: tenantId, ref_id: refId })
    this.wake()
  }

  wake(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Waits for the next change, for so long, or until the signal says to stop. */
  async next(ms: number, signal: AbortSignal | undefined): Promise<void> {
    let wake = () => {}
    const woken = new Promise<void>((resolve) => (wake = resolve))
    const timer = setTimeout(wake, ms)
    this.#waiting.add(wake)
    signal?.addEventListener('abort', wake)
    await woken
    clearTimeout(timer)
    this.#waiting.delete(wake)
    signal?.removeEventListener('abort', wake)
  }
}

const pair = (tenantId: string, product: string) => `${tenantId} ${product}`
