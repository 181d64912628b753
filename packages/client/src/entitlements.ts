import type { Call, Found } from './call.ts'
import type { GetEntitlementsQuery } from './generated/operations.gen.ts'
import type { Entitlements as Answer, EvaluationItem, EvaluationResults } from './generated/schemas.gen.ts'
import type { ReadOptions, RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What tenants may use, as the registry says at this moment. To ask often, keep answers: `./entitlements`. */
export class Entitlements {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * What a tenant may use, in all or in one of its projects.
   * @throws {NotFoundError} `tenant.not_found`, `project.not_found`
   */
  get<O extends ReadOptions = {}>(
    tenantId: string,
    query: GetEntitlementsQuery = {},
    options?: O,
  ): Call<Found<Answer, O>> {
    return this.#transport.read('getEntitlements', { path: { tenant_id: tenantId }, query }, options)
  }

  /** Answers up to a hundred questions at once, each by itself and in order: `error` says of one that it failed. */
  evaluate(items: readonly EvaluationItem[], options?: RequestOptions): Call<EvaluationResults> {
    return this.#transport.call('evaluateEntitlements', { body: { items: [...items] } }, options)
  }
}
