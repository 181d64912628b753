import type { Call } from './call.ts'
import type { Health, Me, Readiness } from './generated/schemas.gen.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** The registry itself. Whether it is alive and ready needs no token, and none is sent. */
export class Service {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** That the process is alive. */
  health(options?: RequestOptions): Call<Health> {
    return this.#transport.call('getHealth', {}, options)
  }

  /**
   * That the registry can do its work.
   * @throws {UnavailableError} `service.not_ready`; `problem.errors` says which parts are not
   */
  readiness(options?: RequestOptions): Call<Readiness> {
    return this.#transport.call('getReadiness', {}, options)
  }

  /** Who you are to the registry: `client.me()`. */
  me(options?: RequestOptions): Call<Me> {
    return this.#transport.call('getMe', {}, options)
  }
}
