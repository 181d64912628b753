import { settingsOf, type TenantClientOptions } from './options.ts'
import { Service } from './service.ts'
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
  readonly service: Service

  /** @throws {TypeError} when an option makes no sense */
  constructor(options: TenantClientOptions) {
    const transport = new Transport(settingsOf(options))
    this.tenants = new Tenants(transport)
    this.service = new Service(transport)
  }
}
