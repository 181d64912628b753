import type { Call } from './call.ts'
import type { ReleasedSlug, SlugRelease } from './generated/schemas.gen.ts'
import type { ChangeOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** The names of tenants, also those of before. */
export class Slugs {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Gives back a name that a tenant had before: it leads nowhere from now on, and anybody may take it.
   * @throws {NotFoundError} `slug.not_found`
   * @throws {ConflictError} `slug.in_use`
   */
  release(slug: string, release: SlugRelease, options?: ChangeOptions): Call<ReleasedSlug> {
    return this.#transport.call('releaseSlug', { path: { slug }, body: release }, options)
  }
}
