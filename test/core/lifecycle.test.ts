import {
  createDb,
  type Db,
  everything,
  getTenant,
  NewTenant,
  oneTransaction,
  RegistryError,
  sweepEndedTrials,
  type Tenant,
  type TenantId,
  type TenantStatus,
  tenantStatuses,
  Transition,
  transitionTenant,
  updateTenant,
  TenantChanges,
} from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { aTenant, eventsOf, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db
let owner: Client

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await db.destroy()
  await owner.end()
  await database.drop()
})

type Step = z.input<typeof Transition>
const go = async (id: TenantId, to: TenantStatus, more: Partial<Step> = {}) =>
  await transitionTenant(
    db,
    testActor,
    testCatalogue,
    id,
    Transition.parse({ to, reason: 'customer_request', ...more }),
  )

/** A tenant in a state that it came to by legal ways alone. */
async function tenantIn(status: TenantStatus, kind: 'demo' | 'customer'): Promise<Tenant> {
  if (kind === 'demo') {
    const demo = await aTenant(db, { kind: 'demo' })
    return status === 'demo' ? demo : await go(demo.id, status)
  }
  if (status === 'active') return await aTenant(db, { status: 'active', plan: 'professional' })
  const trial = await aTenant(db, { plan: 'professional' })
  return status === 'trial' ? trial : await go(trial.id, status)
}

const hour = 3_600_000
const soon = () => new Date(Date.now() + hour)
const past = () => new Date(Date.now() - hour)

/** The table of the life of a tenant, written down once more: what each kind may do from where it is. */
const legal: Record<'demo' | 'customer', Partial<Record<TenantStatus, readonly TenantStatus[]>>> = {
  demo: {
    demo: ['trial', 'active', 'frozen', 'archived'],
    frozen: ['demo', 'active', 'archived'],
    archived: ['frozen'],
  },
  customer: {
    trial: ['active', 'frozen', 'archived'],
    active: ['frozen'],
    frozen: ['trial', 'active', 'archived'],
    archived: ['frozen'],
  },
}

const pairs = (['demo', 'customer'] as const).flatMap((kind) =>
  Object.keys(legal[kind]).flatMap((from) =>
    tenantStatuses
      .filter((to) => to !== from)
      .map((to) => ({ kind, from: from as TenantStatus, to, ok: legal[kind][from as TenantStatus]?.includes(to) })),
  ),
)

describe('every ordered pair of states', () => {
  it('is in the table below: twenty of them', () => {
    expect(new Set(pairs.map(({ from, to }) => `${from} ${to}`)).size).toBe(20)
  })

  it.each(pairs)(
    'a $kind from $from to $to: $ok, by the service and by the trigger',
    async ({ kind, from, to, ok }) => {
      const byService = await tenantIn(from, kind)
      const plan = to === 'active' ? { plan: 'professional' } : {}
      expect(byService.allowed_transitions.includes(to)).toBe(ok)
      const before = await eventsOf(db, byService.id)
      if (ok) {
        const after = await go(byService.id, to, plan)
        expect(after).toMatchObject({ status: to, effective_status: to, status_reason: 'customer_request' })
        expect(after.kind).toBe(['trial', 'active'].includes(to) ? 'customer' : kind)
        expect(await eventsOf(db, byService.id)).toHaveLength(before.length + 1)
      } else {
        await expect(go(byService.id, to, plan)).rejects.toMatchObject({
          code: 'tenant.transition_illegal',
          facts: { allowed: byService.allowed_transitions },
        })
        expect(await getTenant(db, everything, byService.id)).toEqual(byService)
        expect(await eventsOf(db, byService.id)).toEqual(before)
      }

      const byTrigger = await tenantIn(from, kind)
      const update = owner.query('update tenants set status = $2, plan = $3 where id = $1', [
        byTrigger.id,
        to,
        'professional',
      ])
      if (ok) expect((await update).rowCount).toBe(1)
      else await expect(update).rejects.toMatchObject({ code: '23514' })
    },
  )

  it.each(['frozen', 'archived'] as const)('none begins as %s, by the trigger either', async (status) => {
    expect(NewTenant.safeParse({ slug: 'some-name', name: 'x', status }).success).toBe(false)
    await expect(
      owner.query("insert into tenants (slug, name, status) values ('never-so', 'x', $1)", [status]),
    ).rejects.toMatchObject({ constraint: 'tenants_transition_check' })
  })

  it.each(['trial', 'active'])('a demonstration does not begin in %s, whatever writes', async (status) => {
    await expect(
      owner.query(
        `insert into tenants (slug, name, status, kind, plan) values ('no-demo', 'No demo', $1, 'demo', 'starter')`,
        [status],
      ),
    ).rejects.toMatchObject({ constraint: 'tenants_kind_check' })
  })

  it('a customer never becomes a demonstration, whatever writes', async () => {
    const { id } = await aTenant(db)
    await expect(owner.query("update tenants set kind = 'demo' where id = $1", [id])).rejects.toMatchObject({
      constraint: 'tenants_kind_check',
    })
  })
})

describe('a transition', () => {
  it.each(tenantStatuses)('to %s, where the tenant is already, writes nothing', async (status) => {
    const tenant = await tenantIn(status, status === 'demo' ? 'demo' : 'customer')
    const before = await eventsOf(db, tenant.id)
    expect(await go(tenant.id, status, { reason: 'abuse' })).toEqual(tenant)
    expect(await eventsOf(db, tenant.id)).toEqual(before)
  })

  it('to active needs a plan, now or before', async () => {
    const { id } = await aTenant(db)
    await expect(go(id, 'active')).rejects.toMatchObject({ code: 'tenant.plan_required' })
    await expect(go(id, 'active', { plan: 'platinum' })).rejects.toMatchObject({ code: 'tenant.plan_unknown' })
    expect(await go(id, 'active', { plan: 'starter' })).toMatchObject({ status: 'active', plan: 'starter' })
  })

  it('writes who, why and since when, and the log has it too', async () => {
    const { id } = await tenantIn('active', 'customer')
    const frozen = await go(id, 'frozen', { reason: 'payment_overdue', note: 'Invoice 117' })
    expect(frozen).toMatchObject({
      status_reason: 'payment_overdue',
      status_note: 'Invoice 117',
      status_changed_by: 'test',
      frozen_from: 'active',
      version: 2,
    })
    const events = await eventsOf(db, id)
    expect(events.at(-1)).toMatchObject({ action: 'tenant.frozen', crud: 'u', actor_id: 'test' })
    expect(events.at(-1)?.fields).toContain('"before.status":"active","after.status":"frozen"')
  })

  it('says why also when the reason and the note are those of the one before', async () => {
    const { id } = await tenantIn('active', 'customer')
    for (const to of ['frozen', 'archived'] as const) await go(id, to, { reason: 'customer_request', note: 'Ticket 7' })
    const archived = (await eventsOf(db, id)).at(-1)
    expect(archived).toMatchObject({ action: 'tenant.archived' })
    expect(archived?.fields).toContain('"after.status_note":"Ticket 7","after.status_reason":"customer_request"')
  })

  it('to archived ends the keys that were issued until then, however long ago its transaction began', async () => {
    const { id } = await tenantIn('frozen', 'customer')
    const issued = await oneTransaction(db, async (unit) => {
      await updateTenant(unit, testActor, testCatalogue, id, TenantChanges.parse({ name: 'First this' }))
      const { rows } = await owner.query<{ at: Date }>('select clock_timestamp() as at')
      await transitionTenant(
        unit,
        testActor,
        testCatalogue,
        id,
        Transition.parse({ to: 'archived', reason: 'offboarding' }),
      )
      return rows[0]?.at ?? new Date()
    })
    const { keys_valid_after, archived_at } = await getTenant(db, everything, id)
    expect(Number(keys_valid_after)).toBeGreaterThanOrEqual(issued.getTime())
    expect(Number(archived_at)).toBeGreaterThanOrEqual(issued.getTime())
  })

  it('remembers what it was frozen out of through archive and restore', async () => {
    const trial = await aTenant(db, { trial_ends_at: soon().toISOString() })
    for (const to of ['frozen', 'archived'] as const) {
      expect(await go(trial.id, to)).toMatchObject({ status: to, frozen_from: 'trial' })
    }
    const restored = await go(trial.id, 'frozen', { reason: 'restored' })
    expect(restored).toMatchObject({ frozen_from: 'trial', archived_at: null, purge_after: null })
    expect(restored.keys_valid_after).toBeInstanceOf(Date)
    expect(await go(trial.id, 'trial')).toMatchObject({ status: 'trial', frozen_from: null })
  })

  it('goes back to trial only for who came from there and has time left', async () => {
    const active = await tenantIn('active', 'customer')
    await go(active.id, 'frozen')
    await expect(go(active.id, 'trial')).rejects.toMatchObject({ code: 'tenant.transition_illegal' })
    const ended = await aTenant(db, { trial_ends_at: past().toISOString() })
    await expect(go(ended.id, 'trial')).rejects.toMatchObject({ code: 'tenant.transition_illegal' })
    expect(await go(ended.id, 'trial', { trial_ends_at: soon().toISOString() })).toMatchObject({ status: 'trial' })
  })

  it('is refused on a stale version, and says the present one', async () => {
    const { id } = await tenantIn('active', 'customer')
    const step = Transition.parse({ to: 'frozen', reason: 'abuse' })
    await expect(
      transitionTenant(db, testActor, testCatalogue, id, step, { expectedVersion: 7 }),
    ).rejects.toMatchObject({ code: 'resource.version_stale', facts: { current_version: 1 } })
    expect((await transitionTenant(db, testActor, testCatalogue, id, step, { expectedVersion: 1 })).version).toBe(2)
  })

  it('of ten at once to two states leaves one story in the log', async () => {
    const { id } = await tenantIn('active', 'customer')
    await go(id, 'frozen')
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => go(id, n % 2 === 0 ? 'active' : 'archived', { plan: 'professional' })),
    )
    for (const result of results) {
      if (result.status === 'rejected') {
        expect(result.reason).toBeInstanceOf(RegistryError)
        expect(result.reason).toMatchObject({ code: 'tenant.transition_illegal' })
      }
    }
    const events = await eventsOf(db, id)
    const tenant = await getTenant(db, everything, id)
    expect(tenant.version).toBe(events.length)
  })
})

describe('an ended trial', () => {
  const endedTrial = async () => await aTenant(db, { plan: 'professional', trial_ends_at: past().toISOString() })
  const asSeen = ({ status: _s, version: _v, updated_at: _u, ...seen }: Tenant) => seen

  it('is frozen for every reader before and after it is written down, and says the same', async () => {
    const { id, trial_ends_at } = await endedTrial()
    const before = await getTenant(db, everything, id)
    expect(before).toMatchObject({
      status: 'trial',
      effective_status: 'frozen',
      status_reason: 'trial_expired',
      status_changed_at: trial_ends_at,
      allowed_transitions: ['active', 'archived'],
    })
    await sweepEndedTrials(db, testActor, new Date())
    const after = await getTenant(db, everything, id)
    expect(after).toMatchObject({ status: 'frozen', version: 2 })
    expect(asSeen(after)).toEqual(asSeen(before))
  })

  it('is written down once, however many sweep at once', async () => {
    const trials = await Promise.all(Array.from({ length: 25 }, endedTrial))
    await Promise.all(Array.from({ length: 6 }, () => sweepEndedTrials(db, testActor, new Date())))
    await sweepEndedTrials(db, testActor, new Date())
    for (const { id } of trials) {
      const events = await eventsOf(db, id)
      expect(events.map(({ action }) => action)).toEqual(['tenant.created', 'tenant.frozen'])
      expect(events.at(-1)).toMatchObject({ actor_id: 'trial-end' })
    }
    expect(await sweepEndedTrials(db, testActor, new Date())).toBe(0)
  })

  it('is written down by whatever changes the tenant first', async () => {
    const { id } = await endedTrial()
    const changes = TenantChanges.parse({ trial_ends_at: soon().toISOString() })
    const updated = await updateTenant(db, testActor, testCatalogue, id, changes)
    // More time does not start the trial again by itself; it makes a transition to it legal.
    expect(updated).toMatchObject({
      status: 'frozen',
      effective_status: 'frozen',
      allowed_transitions: ['trial', 'active', 'archived'],
    })
    expect((await eventsOf(db, id)).map(({ action }) => action)).toEqual([
      'tenant.created',
      'tenant.frozen',
      'tenant.updated',
    ])
  })

  it('that was over when it began says the same before and after it is written down', async () => {
    const trial = await aTenant(db)
    await owner.query('update tenants set trial_ends_at = status_changed_at where id = $1', [trial.id])
    const before = await getTenant(db, everything, trial.id)
    await sweepEndedTrials(db, testActor, new Date())
    const after = await getTenant(db, everything, trial.id)
    expect(after.status).toBe('frozen')
    expect(after).toEqual({ ...before, status: 'frozen', version: after.version, updated_at: after.updated_at })
  })

  it('that runs on for a moment is not swept', async () => {
    const { id } = await aTenant(db, { trial_ends_at: soon().toISOString() })
    await sweepEndedTrials(db, testActor, new Date())
    expect(await getTenant(db, everything, id)).toMatchObject({ status: 'trial', effective_status: 'trial' })
  })
})
