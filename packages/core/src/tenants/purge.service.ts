import { z } from 'zod'
import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import { text } from '../text.ts'
import { findLegalHold } from './legal-hold.repository.ts'
import * as purges from './purge.repository.ts'
import { lockSeen, tenantAt, tenantChange } from './tenant-state.ts'
import { type TenantRow, updateTenant } from './tenant.repository.ts'
import type { Tenant } from './tenant.ts'
import { purgeAfter, purgeAfterDaysDefault, type TransitionOptions } from './transition.service.ts'

/** What it takes to purge a tenant: its slug once more, so that it is this one that was meant. */
export const PurgeRequest = z
  .strictObject({
    slug: text(63).meta({ description: 'The slug of the tenant, to be sure that it is this one.', examples: ['acme'] }),
  })
  .meta({ id: 'PurgeRequest', description: 'The slug of the tenant that is to go for good.' })
export type PurgeRequest = z.output<typeof PurgeRequest>

/**
 * Asks for the end of an archived tenant. From here on nobody but a platform owner sees it; a job takes away what it
 * had. Asking again changes nothing.
 * @throws {RegistryError} `tenant.not_found`, `resource.version_stale`, `tenant.not_archived`, `tenant.slug_mismatch`,
 *   `tenant.deletion_protected`, `tenant.legal_hold`, `tenant.purge_too_early`
 */
export async function requestPurge(
  db: Db,
  actor: Actor,
  id: TenantId,
  { slug }: PurgeRequest,
  { expectedVersion, purgeAfterDays = purgeAfterDaysDefault }: TransitionOptions = {},
): Promise<Tenant> {
  return await audited(db, actor, async (tx) => {
    const now = new Date()
    const row = await lockSeen(tx, actor, id, expectedVersion)
    if (row.status !== 'archived') throw new RegistryError('tenant.not_archived')
    if (row.slug !== slug) throw new RegistryError('tenant.slug_mismatch')
    if (row.purge_requested_at !== null) return unchanged(tenantAt(row, now))
    if (row.deletion_protection) throw new RegistryError('tenant.deletion_protected')
    if (await findLegalHold(tx, id)) throw new RegistryError('tenant.legal_hold')
    assertOldEnough(row, now, purgeAfterDays)
    const requested = await updateTenant(tx, row, { purge_requested_at: now, purge_requested_by: actor.id })
    return changed(tenantAt(requested, now), tenantChange('tenant.purge_requested', row, requested))
  })
}

/** One that was archived before there was such a time is judged by today's rule. */
function assertOldEnough(row: TenantRow, now: Date, purgeAfterDays: number): void {
  const after = row.purge_after ?? purgeAfter(row.status_changed_at, purgeAfterDays)
  if (after.getTime() <= now.getTime()) return
  throw new RegistryError('tenant.purge_too_early', { detail: `It can be purged from ${after.toISOString()} on.` })
}

/** How much of the log one step of a purge changes: about a tenth of a second of it. */
const stepRows = 5_000

/** How many tenants one call takes away at most. */
const tenantsMax = 1_000

/** How a purge is made. */
export interface PurgeOptions {
  /** Ends the work between two steps; the next call goes on from there. */
  readonly signal?: AbortSignal
}

/**
 * Takes away the tenants whose purge was asked for: first their events let go of them, a part at a time, then the
 * tenant goes with all it had, and an event of its stream says so. A process that dies in between leaves a tenant
 * that the next call goes on with; of two that do this at once, one waits for nothing and does another tenant. One
 * that cannot be taken away keeps no other from it.
 * @returns how many are gone
 * @throws what the first tenant failed with that could not be taken away, after all others
 */
export async function purgeTenants(db: Db, actor: Actor, options: PurgeOptions = {}): Promise<number> {
  const { signal } = options
  const failures: unknown[] = []
  let gone = 0
  for (const id of await purges.listPurgeable(db, tenantsMax)) {
    if (signal?.aborted) break
    try {
      await releaseAllEvents(db, id, signal)
      if (!signal?.aborted && (await removeTenant(db, actor, id))) gone += 1
    } catch (error) {
      failures.push(error)
      // That is not about this tenant, and would be no other for the next.
      if (error instanceof RegistryError && error.code === 'database.unavailable') break
    }
  }
  if (failures.length > 0) throw failures[0]
  return gone
}

async function releaseAllEvents(db: Db, id: TenantId, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    const released = await housekeeping(db, async (tx) =>
      (await purges.tryPurgeTurn(tx, id)) ? await purges.releaseEvents(tx, id, stepRows) : 0,
    )
    if (released < stepRows || signal?.aborted) return
  }
}

async function removeTenant(db: Db, actor: Actor, id: TenantId): Promise<boolean> {
  return await audited(db, actor, async (tx) => {
    if (!(await purges.tryPurgeTurn(tx, id))) return unchanged(false)
    const row = await purges.lockForDeletion(tx, id)
    // What came in meanwhile: less than a step, or the next round goes on with it.
    if ((await purges.releaseEvents(tx, id, stepRows)) === stepRows) return unchanged(false)
    await purges.deleteTenant(tx, id)
    return changed(true, {
      action: 'tenant.purged',
      crud: 'd',
      tenant: { id, name: row.name, gone: true },
      target: { id, type: 'tenant', name: row.name },
    })
  })
}
