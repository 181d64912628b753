import type { TenantClient } from '../client.ts'
import { inRange } from '../options.ts'

/** How a verifier works. */
export interface KeyVerifierOptions {
  readonly client: Pick<TenantClient, 'apiKeys' | 'changes'>
  /**
   * What holds while the registry cannot be asked: what it said last of a key that was valid, for `staleIfErrorMs`
   * (`last_known`, which it is unless told), or nothing (`deny`).
   */
  readonly onUnavailable?: 'last_known' | 'deny' | undefined
  /**
   * For how long a key that was valid may still be used while the registry cannot be asked, in milliseconds since that
   * was asked last. A minute unless told.
   */
  readonly staleIfErrorMs?: number | undefined
  /**
   * How long to wait for the registry, in milliseconds, when there is such an answer to go by. A second unless told.
   * Without one, a question takes as long as the client lets it.
   */
  readonly staleAfterMs?: number | undefined
  /**
   * Whether to follow the feed of changes, so that a key that was revoked is refused at once. Without it, it is refused
   * when the last answer is over, after some seconds. It is followed unless told.
   */
  readonly follow?: boolean | undefined
  /** How many answers are kept of keys that are valid, and how many of others. 10 000 each unless told. */
  readonly cacheMax?: number | undefined
  /** Hears why the registry could not be asked or followed. */
  readonly onError?: ((error: unknown) => void) | undefined
  /** The clock, in milliseconds since 1970. For tests. */
  readonly now?: (() => number) | undefined
}

/** How a verifier works, complete. */
export interface Settings extends Pick<KeyVerifierOptions, 'client'> {
  readonly staleIfErrorMs: number
  readonly staleAfterMs: number
  readonly follow: boolean
  readonly cacheMax: number
  readonly onError: (error: unknown) => void
}

/**
 * Completes the options.
 * @throws {TypeError} when a number makes no sense
 */
export function settingsOf(options: KeyVerifierOptions): Settings {
  const {
    client,
    onUnavailable,
    staleIfErrorMs = 60_000,
    staleAfterMs = 1_000,
    follow = true,
    cacheMax = 10_000,
  } = options
  inRange('staleIfErrorMs', 0, staleIfErrorMs)
  return {
    client,
    staleIfErrorMs: onUnavailable === 'deny' ? 0 : staleIfErrorMs,
    staleAfterMs: inRange('staleAfterMs', 0, staleAfterMs),
    follow,
    cacheMax: inRange('cacheMax', 1, cacheMax),
    onError(error) {
      try {
        options.onError?.(error)
      } catch {
        // Whoever cannot hear of an error must not keep keys from being verified.
      }
    },
  }
}
