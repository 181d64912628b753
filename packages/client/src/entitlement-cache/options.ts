import type { TenantClient } from '../client.ts'
import type { Entitlements } from '../generated/schemas.gen.ts'
import { inRange } from '../options.ts'
import { isUuid } from '../uuid.ts'
import type { Access, Verdict } from './verdict.ts'

/** What decides when the registry cannot be asked, and nothing that it said still counts. */
export interface Question {
  readonly tenantId: string
  readonly projectId: string | undefined
  readonly product: string
  /**
   * What the registry said for this moment, if it did, that is not too long ago, and no change of it has been known for
   * more than five minutes.
   */
  readonly last: Verdict | undefined
}

/**
 * What holds while the registry cannot be asked: nothing (`deny`); what it said last, and nothing without that
 * (`last_known`); or whatever you answer.
 */
export type OnUnavailable = 'deny' | 'last_known' | ((question: Question) => Access)

/** What the registry said, as JSON: what `snapshot()` gives and `bootstrap` takes. */
export interface Snapshot {
  readonly entries: readonly {
    /** When the registry was asked. */
    readonly asked_at: string
    /** Its answer, and what it foretold: each begins to hold at the `valid_until` of the one before. */
    readonly answers: readonly Entitlements[]
  }[]
}

/** How entitlements are kept. */
export interface EntitlementsOptions<Product extends string = string> {
  readonly client: Pick<TenantClient, 'entitlements' | 'changes'>
  /** The products that will be asked about; asking about another one is a mistake, and a `TypeError`. */
  readonly products: readonly Product[]
  readonly onUnavailable: OnUnavailable
  /** Tenants to be loaded at once, and kept up to date. Others are loaded when they are first asked about. */
  readonly tenantIds?: readonly string[] | undefined
  /** What to begin with. It holds as the last known, until the registry can be asked. */
  readonly bootstrap?: Snapshot | undefined
  /** How long an answer counts, in milliseconds, when changes cannot be followed. 60 seconds unless told. */
  readonly freshMs?: number | undefined
  /**
   * For how long an answer is the last known, in milliseconds. A day unless told; five minutes at most when it is known
   * to have changed and the change cannot be read.
   */
  readonly lastKnownMs?: number | undefined
  /** How long a question may take, in milliseconds, before it counts that the registry cannot be asked. 2 seconds unless told. */
  readonly timeoutMs?: number | undefined
  /** How many answers are kept, beside those of the `tenantIds`. 10 000 unless told. */
  readonly entriesMax?: number | undefined
  /** Hears why the registry could not be asked, and what your own functions threw. */
  readonly onError?: ((error: unknown) => void) | undefined
  /** The clock, in milliseconds since 1970. For tests. */
  readonly now?: (() => number) | undefined
}

/** How entitlements are kept, complete. */
export interface Settings extends Pick<EntitlementsOptions, 'client' | 'products' | 'onUnavailable'> {
  readonly freshMs: number
  readonly lastKnownMs: number
  readonly timeoutMs: number
  readonly tenantIds: readonly string[]
  readonly entriesMax: number
  readonly onError: (error: unknown) => void
}

/**
 * Completes the options.
 * @throws {TypeError} when a number makes no sense, or one of the `tenantIds` is no id
 */
export function settingsOf(options: EntitlementsOptions): Settings {
  const { client, products, onUnavailable, freshMs = 60_000, lastKnownMs = 86_400_000, timeoutMs = 2_000 } = options
  for (const [name, value] of Object.entries({ freshMs, lastKnownMs }))
    if (!(value >= 0)) throw new TypeError(`${name} has to be a number of milliseconds, not ${value}`)
  inRange('timeoutMs', 1, timeoutMs)
  const entriesMax = inRange('entriesMax', 1, options.entriesMax ?? 10_000)
  const { tenantIds = [] } = options
  const odd = tenantIds.find((id) => !isUuid(id))
  if (odd !== undefined) throw new TypeError(`${odd} in tenantIds is no id`)
  const onError = (error: unknown) => {
    try {
      options.onError?.(error)
    } catch {
      // Whoever cannot hear of an error must not keep answers from being kept.
    }
  }
  return { client, products, onUnavailable, freshMs, lastKnownMs, timeoutMs, tenantIds, entriesMax, onError }
}
