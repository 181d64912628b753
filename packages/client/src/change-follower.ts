import type { TenantClient } from './client.ts'
import type { RegistryChange } from './generated/schemas.gen.ts'
import { ProblemError } from './problem-error.ts'
import { rest, restMs } from './rest.ts'

/** Hears of changes. */
export interface Hearer {
  /** They are told from here on: anything may have changed before. */
  onBegin: () => void
  /** These were made; without more to come, that is all there is. */
  onChanges: (changes: readonly RegistryChange[], more: boolean) => void
  /** They are not told for now, or not at all. */
  onLost: (error: unknown) => void
}

/** Whom to follow, and how long it may take to hear where to begin. */
export interface Followed {
  readonly client: Pick<TenantClient, 'changes'>
  readonly timeoutMs: number
}

/** How long to wait before asking again for what one may not have, as a tenant's own people may not. */
const refusedMs = 300_000

/**
 * Follows the feed of changes until the signal says to stop. It never fails: what it cannot hear, it says so and tries
 * again, and until then whoever keeps something has to ask.
 */
export async function followChanges(
  { client, timeoutMs }: Followed,
  signal: AbortSignal,
  { onBegin, onChanges, onLost }: Hearer,
): Promise<void> {
  const options = { signal, timeoutMs, deadlineMs: timeoutMs, retries: 0 }
  for (let failures = 0; !signal.aborted;) {
    try {
      const { head } = await client.changes.list({ limit: 1 }, options)
      onBegin()
      for await (const page of client.changes.follow({ after: head, signal, onDelay: onLost }).pages()) {
        failures = 0
        onChanges(page.data, page.has_more)
      }
    } catch (error) {
      if (signal.aborted) return
      onLost(error)
      failures += 1
      const refused = error instanceof ProblemError && error.status === 403
      await rest(refused ? refusedMs : restMs(failures), signal)
    }
  }
}
