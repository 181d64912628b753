import { ApiKeys } from './api-keys.ts'
import { Audit } from './audit.ts'
import type { Call } from './call.ts'
import { Changes } from './changes.ts'
import { Entitlements } from './entitlements.ts'
import type { Me } from './generated/schemas.gen.ts'
import { type RequestOptions, settingsOf, type TenantClientOptions } from './options.ts'
import { Products } from './products.ts'
import { Projects } from './projects.ts'
import { Service } from './service.ts'
import { Slugs } from './slugs.ts'
import { TenantProducts } from './tenant-products.ts'
import { Tenants } from './tenants.ts'
import { Transport } from './transport.ts'

/**
 * The tenant registry, as a product sees it. Make one and share it: it keeps no connection and no state of its own.
 * Its calls throw `TenantClientError`s, and a `TypeError` when they are made wrongly.
 * @example
 *   const client = new TenantClient({ baseUrl: 'https://tenant-registry.breakpilot.com', getToken })
 *   const tenant = await client.tenants.getBySlug('acme')
 */
export class TenantClient {
  readonly tenants: Tenants
  readonly slugs: Slugs
  readonly projects: Projects
  readonly products: Products
  readonly tenantProducts: TenantProducts
  readonly entitlements: Entitlements
  readonly apiKeys: ApiKeys
  readonly changes: Changes
  readonly audit: Audit
  readonly service: Service

  /** @throws {TypeError} when an option makes no sense */
  constructor(options: TenantClientOptions) {
    const transport = new Transport(settingsOf(options))
    this.tenants = new Tenants(transport)
    this.slugs = new Slugs(transport)
    this.projects = new Projects(transport)
    this.products = new Products(transport)
    this.tenantProducts = new TenantProducts(transport)
    this.entitlements = new Entitlements(transport)
    this.apiKeys = new ApiKeys(transport)
    this.changes = new Changes(transport)
    this.audit = new Audit(transport)
    this.service = new Service(transport)
  }

  /** Who you are to the registry, and what that rests on: roles, memberships, or a key and its scopes. */
  me(options?: RequestOptions): Call<Me> {
    return this.service.me(options)
  }
}
