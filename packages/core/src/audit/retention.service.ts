import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { planLayerOf } from '../entitlements/layers.ts'
import type { Catalogue } from '../products/catalogue.ts'
import type { Actor } from './actor.ts'
import { ownEvent } from './audit-event.ts'
import { appendEvents } from './audit.repository.ts'
import * as retention from './retention.repository.ts'

/** The limit by which manifests and assignments say for how many days events are kept. */
const limitName = 'audit_retention_days'

/** More days than this are as many: PostgreSQL's calendar ends somewhere. Assignments are read by the same bound. */
const daysMax = 1_000_000

/** What the manifests say, plan by plan, with the default of each product under the empty one. */
export function retentionTerms({ products }: Catalogue): retention.RetentionTerm[] {
  return [...products.values()].flatMap((manifest) =>
    [null, ...Object.keys(manifest.plans ?? {})].map((plan) => {
      const days = planLayerOf(manifest, plan).limits[limitName]?.value
      return { product: manifest.key, plan: plan ?? '', days: days === undefined ? null : Math.min(days, daysMax) }
    }),
  )
}

/**
 * Puts down in the database for how long this server's manifests keep events: there reads look it up, and whoever
 * drops months, who has no manifests. During a roll-out the servers may differ, and the last one to say it counts;
 * nothing is dropped by what has not been said for a week.
 * @returns how much of it is new
 */
export async function saveRetention(db: Db, catalogue: Catalogue): Promise<number> {
  return await housekeeping(db, async (tx) => await retention.saveTerms(tx, retentionTerms(catalogue)))
}

/**
 * Tells in the log of the months that were dropped from it, each once.
 * @returns how many there were
 */
export async function recordDrops(db: Db, actor: Actor): Promise<number> {
  return await housekeeping(db, async (tx) => {
    const dropped = await retention.lockUntoldDrops(tx)
    await retention.markTold(
      tx,
      dropped.map(({ month }) => month),
    )
    const events = dropped.map(({ month, ...counts }) =>
      ownEvent(actor, {
        action: retention.monthDroppedAction,
        crud: 'd',
        tenant: null,
        target: { id: month.slice(0, 7), type: 'audit_log' },
        before: counts,
      }),
    )
    await appendEvents(tx, events)
    return dropped.length
  })
}

export { countPartitionsAhead } from './retention.repository.ts'
