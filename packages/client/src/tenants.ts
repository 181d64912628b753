import type { Call } from './call.ts'
import type { ListTenantsQuery } from './generated/operations.gen.ts'
import type { NewTenant, Tenant, TenantPage } from './generated/schemas.gen.ts'
import { List } from './list.ts'
import type { ChangeOptions, RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** The customers of the platform. */
export class Tenants {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Creates a tenant: a trial of a customer unless you say otherwise.
   * @throws {ConflictError} `tenant.slug_taken` and the like, when what has to be unique is not
   */
  create(tenant: NewTenant, options?: ChangeOptions): Call<Tenant> {
    return this.#transport.call('createTenant', { body: tenant }, options)
  }

  /** The tenants that match every filter, newest first. */
  list(filter: ListTenantsQuery = {}, options?: RequestOptions): List<Tenant, TenantPage> {
    return new List('listTenants', filter.cursor, (cursor) =>
      this.#transport.call('listTenants', { query: { ...filter, ...(cursor !== undefined && { cursor }) } }, options),
    )
  }

  /**
   * The tenant with this id.
   * @throws {NotFoundError} `tenant.not_found`
   */
  get(tenantId: string, options?: RequestOptions): Call<Tenant> {
    return this.#transport.call('getTenant', { path: { tenant_id: tenantId } }, options)
  }

  /**
   * The tenant with this slug.
   * @throws {NotFoundError} `tenant.not_found`
   */
  getBySlug(slug: string, options?: RequestOptions): Call<Tenant> {
    return this.#transport.call('getTenantBySlug', { path: { slug } }, options)
  }

  /**
   * The tenant with this id in the ERP system.
   * @throws {NotFoundError} `tenant.not_found`
   */
  getByErpId(erpId: string, options?: RequestOptions): Call<Tenant> {
    return this.#transport.call('getTenantByErpId', { path: { erp_id: erpId } }, options)
  }

  /**
   * The tenant with this customer id at Stripe.
   * @throws {NotFoundError} `tenant.not_found`
   */
  getByStripeId(stripeId: string, options?: RequestOptions): Call<Tenant> {
    return this.#transport.call('getTenantByStripeId', { path: { stripe_id: stripeId } }, options)
  }
}
