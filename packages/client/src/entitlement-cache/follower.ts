import { ProblemError } from '../problem-error.ts'
import type { Settings } from './options.ts'
import { restMs } from './patience.ts'
import { rest } from './rest.ts'

/** Hears of changes. */
export interface Hearer {
  /** They are told from here on: anything may have changed before. */
  onBegin: () => void
  /** These tenants have changed; without more to come, that is all there is. */
  onChanges: (tenantIds: ReadonlySet<string>, more: boolean) => void
  /** They are not told for now, or not at all. */
  onLost: (error: unknown) => void
}

/** How long to wait before asking again for what one may not have, as a tenant's own people may not. */
const refusedMs = 300_000

/**
 * Follows the feed of changes until the signal says to stop. It never fails: what it cannot hear, it says so and tries
 * again, and until then whoever keeps something has to ask.
 */
export async function followChanges(
  { client, timeoutMs }: Settings,
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
        // Keys come and go without anything that may be used otherwise.
        const changes = page.data.filter(({ kind }) => kind !== 'api_key')
        onChanges(new Set(changes.map(({ tenant_id }) => tenant_id)), page.has_more)
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
