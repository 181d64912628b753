import type { Call, Found } from './call.ts'
import type { Product, ProductPage } from './generated/schemas.gen.ts'
import { List } from './list.ts'
import type { ReadOptions, RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** The catalogue: what products there are, and what each offers. */
export class Products {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The products of the platform, retired ones too. */
  list(options?: RequestOptions): List<Product, ProductPage> {
    return new List('listProducts', undefined, () => this.#transport.call('listProducts', {}, options))
  }

  /**
   * What a product offers.
   * @throws {NotFoundError} `product.not_found`
   */
  get<O extends ReadOptions = {}>(product: string, options?: O): Call<Found<Product, O>> {
    return this.#transport.read('getProduct', { path: { product } }, options)
  }
}
