import type { Call } from './call.ts'
import type { LegalHold, NewLegalHold } from './generated/schemas.gen.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** Legal holds: while a tenant is under one, it is not purged and its log does not expire. */
export class LegalHolds {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Why, by whom and since when the tenant has to be kept.
   * @throws {NotFoundError} `legal_hold.not_found`
   */
  get(tenantId: string, options?: RequestOptions): Call<LegalHold> {
    return this.#transport.call('getLegalHold', { path: { tenant_id: tenantId } }, options)
  }

  /** Puts the tenant under a legal hold. */
  place(tenantId: string, hold: NewLegalHold, options?: RequestOptions): Call<LegalHold> {
    return this.#transport.call('placeLegalHold', { path: { tenant_id: tenantId }, body: hold }, options)
  }

  /**
   * Lifts the legal hold.
   * @throws {NotFoundError} `legal_hold.not_found`
   */
  lift(tenantId: string, options?: RequestOptions): Call<void> {
    return this.#transport.call('liftLegalHold', { path: { tenant_id: tenantId } }, options)
  }
}
