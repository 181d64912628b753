import {
  appendEvents,
  createDb,
  type Db,
  everything,
  getEvent,
  housekeeping,
  listEvents,
  placeLegalHold,
  RecordedEventQuery,
  type Sight,
  type Tenant,
  TenantChanges,
  Transition,
  transitionTenant,
  updateTenant,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db
let acme: Tenant
let own: Sight

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  acme = await aTenant(db, { slug: 'acme', name: 'Acme', status: 'active', plan: 'starter' })
  own = { kind: 'tenants', tenantIds: [acme.id] }
  const actor = {
    ...testActor,
    id: 'jane',
    name: 'Jane',
    source_ip: '192.0.2.1',
    user_agent: 'curl',
    request_id: 'req-0001',
  }
  const changes = TenantChanges.parse({ name: 'Acme Inc.', sales_owner: 'joe', erp_id: 'ERP-9' })
  await updateTenant(db, actor, testCatalogue, acme.id, changes)
  await placeLegalHold(db, actor, acme.id, { reason: 'lawsuit' })
  const step = Transition.parse({ to: 'frozen', reason: 'payment_overdue', note: 'talk to Joe' })
  await transitionTenant(db, actor, testCatalogue, acme.id, step)
  await aTenant(db, { slug: 'other', name: 'Other' })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const list = async (sight: Sight, query: z.input<typeof RecordedEventQuery> = {}) =>
  (await listEvents(db, sight, RecordedEventQuery.parse(query))).data

describe('the platform', () => {
  it('reads everything, newest first, as it was recorded', async () => {
    const actions = (await list(everything, { tenant_id: acme.id })).map(({ action }) => action)
    expect(actions).toEqual(['tenant.frozen', 'legal_hold.placed', 'tenant.updated', 'tenant.created'])
    const [updated] = await list(everything, { tenant_id: acme.id, action: 'tenant.updated' })
    expect(updated).toMatchObject({
      tenant_id: acme.id,
      product: 'tenant-registry',
      crud: 'u',
      group: { id: acme.id, name: 'Acme Inc.' },
      actor: { id: 'jane', name: 'Jane', fields: { role: 'script' } },
      target: { id: acme.id, type: 'tenant' },
      source_ip: '192.0.2.1',
      fields: { 'before.name': 'Acme', 'after.name': 'Acme Inc.', 'after.sales_owner': 'joe', 'after.erp_id': 'ERP-9' },
      metadata: { request_id: 'req-0001', user_agent: 'curl' },
    })
    expect(updated && (await getEvent(db, everything, updated.id))).toEqual(updated)
  })

  it.each([
    [{ actor_id: 'jane' }, 3],
    [{ crud: 'c' }, 3],
    [{ product: 'certifai' }, 0],
    [{ created_after: '2999-01-01T00:00:00Z' }, 0],
    [{ created_before: '2999-01-01T00:00:00Z' }, 5],
  ] as const)('filters by %j', async (query, count) => {
    expect(await list(everything, query)).toHaveLength(count)
  })

  it('pages through all of it, each event once', async () => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const query = RecordedEventQuery.parse({ limit: '2', ...(cursor !== undefined && { cursor }) })
      const page = await listEvents(db, everything, query)
      seen.push(...page.data.map(({ id }) => id))
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
    expect(seen).toEqual((await list(everything)).map(({ id }) => id))
    expect(new Set(seen).size).toBe(5)
  })
})

describe("a tenant's own people", () => {
  it('read what was done to what they see, and neither who did it nor what they do not see', async () => {
    const events = await list(own)
    expect(events.map(({ action }) => action)).toEqual(['tenant.frozen', 'tenant.updated', 'tenant.created'])
    for (const event of events) {
      expect(event).toMatchObject({ actor: { id: 'platform', name: null }, source_ip: null, metadata: null })
      expect(JSON.stringify(event)).not.toMatch(/jane|joe|ERP-9|192\.0\.2\.1|curl|lawsuit/i)
    }
    expect(events[1]?.fields).toEqual({ 'before.name': 'Acme', 'after.name': 'Acme Inc.' })
    expect(events[0]?.fields).toMatchObject({ 'after.status': 'frozen', 'after.status_reason': 'payment_overdue' })
  })

  it.each([
    [{ actor_id: 'jane' }, 0],
    [{ actor_id: 'test' }, 0],
    [{ actor_id: 'platform' }, 3],
    [{ actor_id: 'platform', action: 'tenant.frozen' }, 1],
    [{ target_id: 'jane' }, 0],
  ] as const)('find by %j what they are shown, and nothing by what they are not', async (query, count) => {
    expect(await list(own, query)).toHaveLength(count)
  })

  it('find what a product recorded by who did it: that they are shown', async () => {
    const event = {
      tenant_id: acme.id,
      product: 'certifai',
      environment: 'live',
      action: 'report.read',
      crud: 'r',
      actor: { id: 'jane', name: 'Jane' },
      source_ip: '192.0.2.2',
    } as const
    await housekeeping(db, async (tx) => await appendEvents(tx, [event]))
    for (const sight of [own, everything]) {
      const [found] = await list(sight, { actor_id: 'jane', product: 'certifai' })
      expect(found).toMatchObject({ actor: { id: 'jane', name: 'Jane' }, source_ip: '192.0.2.2' })
    }
  })

  it('read nothing of another tenant, nor of a hold', async () => {
    expect(await list({ kind: 'tenants', tenantIds: [] })).toEqual([])
    const [hold] = await list(everything, { action: 'legal_hold.placed' })
    const [other] = (await list(everything)).filter(({ group }) => group.name === 'Other')
    for (const event of [hold, other]) {
      if (!event) throw new Error('the event is there for the platform')
      await expect(getEvent(db, own, event.id)).rejects.toMatchObject({ code: 'audit_event.not_found' })
    }
  })
})

it('a product reads nothing', async () => {
  expect(await list({ kind: 'product', product: 'certifai' })).toEqual([])
})
