import type { Call, Found } from './call.ts'
import type { ListTenantsQuery } from './generated/operations.gen.ts'
import type {
  ImportedTenant,
  ImportResult,
  NewTenant,
  PurgeRequest,
  Tenant,
  TenantChanges,
  TenantExport,
  TenantPage,
  TenantSummary,
  TenantSummaryExport,
  TenantSummaryPage,
  Transition,
  TransitionPreview,
} from './generated/schemas.gen.ts'
import { LegalHolds } from './legal-holds.ts'
import { List, pageQuery } from './list.ts'
import type { ChangeOptions, ReadOptions, RequestOptions, VersionOptions } from './options.ts'
import { importTenants } from './tenant-import.ts'
import type { Transport } from './transport.ts'

/** A tenant as the caller may see it: the platform's own people see all of it, everybody else the summary. */
export type TenantView = Tenant | TenantSummary

/** Whether all of a tenant came, as it does to the platform's own people. */
export function isWhole(tenant: TenantView): tenant is Tenant {
  return 'kind' in tenant
}

/** The customers of the platform. */
export class Tenants {
  readonly legalHold: LegalHolds
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
    this.legalHold = new LegalHolds(transport)
  }

  /**
   * Creates a tenant: a trial of a customer unless you say otherwise.
   * @throws {ConflictError} `tenant.slug_taken` and the like, when what has to be unique is not
   */
  create(tenant: NewTenant, options?: ChangeOptions): Call<Tenant> {
    return this.#transport.call('createTenant', { body: tenant }, options)
  }

  /** The tenants that you see and that match every filter, newest first unless you sort otherwise. */
  list(filter: ListTenantsQuery = {}, options?: RequestOptions): List<TenantView, TenantPage | TenantSummaryPage> {
    return new List('listTenants', filter.cursor, (cursor) =>
      this.#transport.call('listTenants', { query: pageQuery(filter, cursor) }, options),
    )
  }

  /**
   * The tenant with this id.
   * @throws {NotFoundError} `tenant.not_found`
   */
  get<O extends ReadOptions = {}>(tenantId: string, options?: O): Call<Found<TenantView, O>> {
    return this.#transport.read('getTenant', { path: { tenant_id: tenantId } }, options)
  }

  /**
   * The tenant that has this slug, or had it before: then its `slug` is another one now.
   * @throws {NotFoundError} `tenant.not_found`
   */
  getBySlug<O extends ReadOptions = {}>(slug: string, options?: O): Call<Found<TenantView, O>> {
    return this.#transport.read('getTenantBySlug', { path: { slug } }, options)
  }

  /**
   * The tenant with this id in the ERP system. For the platform's own people.
   * @throws {NotFoundError} `tenant.not_found`
   * @throws {ForbiddenError} `auth.permission_denied`, to everybody else
   */
  getByErpId<O extends ReadOptions = {}>(erpId: string, options?: O): Call<Found<Tenant, O>> {
    return this.#transport.read('getTenantByErpId', { path: { erp_id: erpId } }, options)
  }

  /**
   * The tenant with this customer id at Stripe. For the platform's own people.
   * @throws {NotFoundError} `tenant.not_found`
   * @throws {ForbiddenError} `auth.permission_denied`, to everybody else
   */
  getByStripeId<O extends ReadOptions = {}>(stripeId: string, options?: O): Call<Found<Tenant, O>> {
    return this.#transport.read('getTenantByStripeId', { path: { stripe_id: stripeId } }, options)
  }

  /**
   * Changes the fields that you name: null clears one, what is absent stays. A new slug renames the tenant.
   * @throws {StaleError} `resource.version_stale` when it no longer has the version of `ifMatch`
   * @throws {ConflictError} `tenant.slug_taken`, `tenant.frozen` and the like
   */
  update(tenantId: string, changes: TenantChanges, options?: VersionOptions): Call<TenantView> {
    return this.#transport.call('updateTenant', { path: { tenant_id: tenantId }, body: changes }, options)
  }

  /**
   * Takes the tenant to another state. The state that it is in already changes nothing.
   * @throws {ConflictError} `tenant.transition_illegal`; `problem.allowed` says where it can go
   */
  transition(tenantId: string, transition: Transition, options?: ChangeOptions & VersionOptions): Call<Tenant> {
    const args = { path: { tenant_id: tenantId }, body: transition }
    return this.#transport.call<'transitionTenant', Tenant>('transitionTenant', args, options)
  }

  /** What would follow from a transition. Changes nothing, and throws what `transition` would throw. */
  previewTransition(tenantId: string, transition: Transition, options?: VersionOptions): Call<TransitionPreview> {
    const args = { path: { tenant_id: tenantId }, query: dryRun, body: transition }
    return this.#transport.call<'transitionTenant', TransitionPreview>('transitionTenant', args, options)
  }

  /**
   * Asks for the end of an archived tenant; its slug has to be repeated. A job of the registry does it.
   * @throws {ConflictError} `tenant.not_archived`, `tenant.legal_hold`, `tenant.purge_too_early` and the like
   */
  purge(tenantId: string, request: PurgeRequest, options?: ChangeOptions & VersionOptions): Call<Tenant> {
    return this.#transport.call('purgeTenant', { path: { tenant_id: tenantId }, body: request }, options)
  }

  /** All that the registry has of a tenant, as one document without secrets. */
  export(tenantId: string, options?: RequestOptions): Call<TenantExport | TenantSummaryExport> {
    return this.#transport.call('exportTenant', { path: { tenant_id: tenantId } }, options)
  }

  /**
   * Creates a tenant for each row, and says of each row, in order, what became of it. One that is refused keeps no other
   * from being created. Rows are sent a thousand at a time; when that breaks off, call it again with the same rows and
   * the same `idempotencyKey`: what was done then is not done again.
   */
  import(rows: Rows, options: ChangeOptions = {}): Promise<ImportResult[]> {
    return importTenants(rows, options, (body, options) => this.#transport.call('importTenants', { body }, options))
  }

  /** What `import` would answer. Changes nothing. */
  previewImport(rows: Rows, options: RequestOptions = {}): Promise<ImportResult[]> {
    return importTenants(rows, options, (body, options) =>
      this.#transport.call('importTenants', { query: dryRun, body }, options),
    )
  }
}

/** Where tenants to be imported come from. */
export type Rows = Iterable<ImportedTenant> | AsyncIterable<ImportedTenant>

const dryRun = { dry_run: 'true' } as const
