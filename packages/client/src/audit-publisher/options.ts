import type { TenantClient } from '../client.ts'
import type { PublishedEvent } from '../generated/schemas.gen.ts'
import { inRange } from '../options.ts'

/** How a publisher works. */
export interface AuditPublisherOptions {
  /** A client whose token is a key with the scope `audit:publish`: it says for which product, and for which environment. */
  readonly client: Pick<TenantClient, 'audit'>
  /** The most events in one request: 1 to 1 000. 200 unless told. */
  readonly batchMax?: number | undefined
  /** Milliseconds that an event waits for others to go with it. 20 unless told. */
  readonly batchDelayMs?: number | undefined
  /** How many events may wait, in memory: with more, `publish` waits for room. 10 000 unless told. */
  readonly waitingMax?: number | undefined
  /**
   * Whether an event is not recorded again, and counts as recorded, when your product has published one with its
   * `external_id` and this option for the same group in the last seven days. For events that your own code may make twice.
   * Not unless told.
   */
  readonly uniqueBy?: 'external_id' | undefined
  /** How long one attempt may take, in milliseconds. 30 seconds unless told. */
  readonly timeoutMs?: number | undefined
  /** Hears of an event that the registry will never take, and why. Log it: nothing else will tell of it. */
  readonly onRefused?: ((event: PublishedEvent, error: unknown) => void) | undefined
  /** Hears why nothing can be delivered for now. It is tried again until it can. */
  readonly onDelay?: ((error: unknown) => void) | undefined
}

/** How a publisher works, complete. */
export interface Settings {
  readonly client: Pick<TenantClient, 'audit'>
  readonly batchMax: number
  readonly batchDelayMs: number
  readonly waitingMax: number
  readonly uniqueBy: 'external_id' | undefined
  readonly timeoutMs: number
  readonly onRefused: (event: PublishedEvent, error: unknown) => void
  readonly onDelay: (error: unknown) => void
}

/**
 * Completes the options.
 * @throws {TypeError} when a number makes no sense
 */
export function settingsOf(options: AuditPublisherOptions): Settings {
  const { client, batchMax = 200, batchDelayMs = 20, waitingMax = 10_000, uniqueBy, timeoutMs = 30_000 } = options
  if (batchMax > eventsMax) throw new TypeError(`batchMax: at most ${eventsMax}, not ${batchMax}`)
  return {
    client,
    batchMax: inRange('batchMax', 1, batchMax),
    batchDelayMs: inRange('batchDelayMs', 0, batchDelayMs),
    waitingMax: inRange('waitingMax', 1, waitingMax),
    uniqueBy,
    timeoutMs: inRange('timeoutMs', 1, timeoutMs),
    onRefused: (event, error) => unharmed(() => options.onRefused?.(event, error)),
    onDelay: (error) => unharmed(() => options.onDelay?.(error)),
  }
}

/** What one request may hold. */
const eventsMax = 1_000

/** Whoever cannot hear of something must not keep events from being delivered. */
function unharmed(tell: () => void): void {
  try {
    tell()
  } catch {
    // It was told.
  }
}
