import type { Call, Found } from './call.ts'
import type {
  NewTenantProduct,
  TenantProduct,
  TenantProductChanges,
  TenantProductPage,
  TenantProductPreview,
} from './generated/schemas.gen.ts'
import { List } from './list.ts'
import type { PutOptions, ReadOptions, RequestOptions, VersionOptions } from './options.ts'
import type { Transport } from './transport.ts'

/**
 * Which products a tenant has, and on which terms. What it may use of them at this moment is its entitlements. Those
 * that change something throw a `ConflictError` such as `tenant_product.config_invalid` or `product.required_by_other`.
 */
export class TenantProducts {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The products that a tenant has. A product sees itself alone. */
  list(tenantId: string, options?: RequestOptions): List<TenantProduct, TenantProductPage> {
    return new List('listTenantProducts', undefined, () =>
      this.#transport.call('listTenantProducts', { path: { tenant_id: tenantId } }, options),
    )
  }

  /**
   * The terms on which a tenant has a product.
   * @throws {NotFoundError} `tenant_product.not_found`
   */
  get<O extends ReadOptions = {}>(tenantId: string, product: string, options?: O): Call<Found<TenantProduct, O>> {
    return this.#transport.read('getTenantProduct', at(tenantId, product), options)
  }

  /**
   * Gives a tenant a product on these terms, or replaces the terms on which it has it.
   * @throws {StaleError} `resource.version_stale` when it no longer has the version of `ifMatch`, or has it already
   * with `ifNoneMatch`
   */
  put(tenantId: string, product: string, terms: NewTenantProduct, options?: PutOptions): Call<TenantProduct> {
    const args = { ...at(tenantId, product), body: terms }
    return this.#transport.call<'putTenantProduct', TenantProduct>('putTenantProduct', args, options)
  }

  /** What would follow from `put`. Changes nothing. */
  previewPut(
    tenantId: string,
    product: string,
    terms: NewTenantProduct,
    options?: PutOptions,
  ): Call<TenantProductPreview> {
    const args = { ...at(tenantId, product), query: dryRun, body: terms }
    return this.#transport.call<'putTenantProduct', TenantProductPreview>('putTenantProduct', args, options)
  }

  /**
   * Changes the terms that you name: null clears one, what is absent stays.
   * @throws {StaleError} `resource.version_stale` when it no longer has the version of `ifMatch`
   */
  update(
    tenantId: string,
    product: string,
    changes: TenantProductChanges,
    options?: VersionOptions,
  ): Call<TenantProduct> {
    const args = { ...at(tenantId, product), body: changes }
    return this.#transport.call<'updateTenantProduct', TenantProduct>('updateTenantProduct', args, options)
  }

  /** What would follow from `update`. Changes nothing. */
  previewUpdate(
    tenantId: string,
    product: string,
    changes: TenantProductChanges,
    options?: VersionOptions,
  ): Call<TenantProductPreview> {
    const args = { ...at(tenantId, product), query: dryRun, body: changes }
    return this.#transport.call<'updateTenantProduct', TenantProductPreview>('updateTenantProduct', args, options)
  }

  /** Takes a product away from a tenant, with its configuration. To keep that, disable it instead. */
  remove(tenantId: string, product: string, options?: VersionOptions): Call<void> {
    return this.#transport.call<'removeTenantProduct', void>('removeTenantProduct', at(tenantId, product), options)
  }

  /** What would follow from `remove`. Changes nothing. */
  previewRemove(tenantId: string, product: string, options?: VersionOptions): Call<TenantProductPreview> {
    const args = { ...at(tenantId, product), query: dryRun }
    return this.#transport.call<'removeTenantProduct', TenantProductPreview>('removeTenantProduct', args, options)
  }
}

const at = (tenantId: string, product: string) => ({ path: { tenant_id: tenantId, product } })
const dryRun = { dry_run: 'true' } as const
