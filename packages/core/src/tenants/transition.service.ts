import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db } from '../db/handles.ts'
import { invalidAt, RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { allowedTransitions } from './lifecycle.ts'
import { assertPlan } from './plan.ts'
import type { TenantStatus } from './status.ts'
import { lockSeen, settleTrial, tenantAt, tenantChange } from './tenant-state.ts'
import { type TenantRow, type TenantUpdate, updateTenant } from './tenant.repository.ts'
import type { Tenant } from './tenant.ts'
import type { Transition } from './transition.ts'

const dayMs = 86_400_000

/** For how long an archived tenant is kept before it may be purged, unless the installation says otherwise. */
export const purgeAfterDaysDefault = 30

/** From when on a tenant that was archived at `archivedAt` may be purged. */
export const purgeAfter = (archivedAt: Date, days: number) => new Date(archivedAt.getTime() + days * dayMs)

/** What the log calls the way into each state. */
const actions = {
  demo: 'tenant.unfrozen',
  trial: 'tenant.trial_started',
  active: 'tenant.activated',
  frozen: 'tenant.frozen',
  archived: 'tenant.archived',
} as const satisfies Record<TenantStatus, string>

/** How a transition is made. */
export interface TransitionOptions {
  /** The version that it was decided on, if it should be the present one. */
  readonly expectedVersion?: number | undefined
  /** Days that an archived tenant is kept before it may be purged. */
  readonly purgeAfterDays?: number | undefined
}

/**
 * Takes a tenant from the state it is in to another. The state it is in already changes nothing and records nothing.
 * @throws {RegistryError} `tenant.not_found`, `resource.version_stale`, `tenant.being_purged`,
 *   `tenant.transition_illegal` with the states that it can go to, `tenant.plan_required`, `tenant.plan_unknown`,
 *   `request.invalid` for a trial that would be over already
 */
export async function transitionTenant(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  id: TenantId,
  transition: Transition,
  { expectedVersion, purgeAfterDays = purgeAfterDaysDefault }: TransitionOptions = {},
): Promise<Tenant> {
  const { to, reason, note, plan, trial_ends_at } = transition
  return await audited(db, actor, async (tx) => {
    const now = new Date()
    const locked = await lockSeen(tx, actor, id, expectedVersion)
    if (locked.purge_requested_at !== null) throw new RegistryError('tenant.being_purged')
    const { effective_status: from } = tenantAt(locked, now)
    if (from === to) return unchanged(tenantAt(locked, now))

    assertPlan(plan, catalogue)
    if (to === 'trial') assertTimeLeft(trial_ends_at === undefined ? locked.trial_ends_at : trial_ends_at, now, from)
    // The end that is asked for decides whether a trial can go on; the one that is stored, whether it is over.
    const asked = trial_ends_at === undefined ? {} : { trial_ends_at }
    const allowed = allowedTransitions({ ...locked, ...asked, status: from, frozen_from: frozenFrom(locked) }, now)
    if (!allowed.includes(to)) {
      throw new RegistryError('tenant.transition_illegal', {
        detail: `From ${from} the tenant can go to ${allowed.join(', ')}, not to ${to}.`,
        facts: { allowed },
      })
    }
    if (to === 'active' && (plan ?? locked.plan) === null) throw new RegistryError('tenant.plan_required')

    const settled = await settleTrial(tx, locked, now)
    const update: TenantUpdate = {
      status: to,
      status_reason: reason,
      status_note: note ?? null,
      status_changed_at: now,
      status_changed_by: actor.id,
      ...(plan !== undefined && { plan }),
      ...(trial_ends_at !== undefined && { trial_ends_at }),
      purge_after: to === 'archived' ? purgeAfter(now, purgeAfterDays) : null,
    }
    const row = await updateTenant(tx, settled.row, update)
    const action = from === 'archived' ? 'tenant.restored' : actions[to]
    return changed(tenantAt(row, now), ...settled.changes, tenantChange(action, unexplained(settled.row), row))
  })
}

/** A tenant without why it is in its state: of two alike an event would tell neither, and this one has to say why. */
const unexplained = (row: TenantRow): TenantRow => ({ ...row, status_reason: null, status_note: null })

/** What an ended trial was frozen out of, also before that was written down. */
const frozenFrom = ({ status, frozen_from }: { status: TenantStatus; frozen_from: TenantStatus | null }) =>
  status === 'trial' ? 'trial' : frozen_from

/** A trial that is over as soon as it begins is a mistake, or the wrong verb. Where none was given, the table decides. */
function assertTimeLeft(end: Date | null, now: Date, from: TenantStatus): void {
  if (end === null || end.getTime() > now.getTime() || from === 'frozen') return
  throw invalidAt('/trial_ends_at', 'has to be in the future')
}
