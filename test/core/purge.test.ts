import {
  createDb,
  createTenant,
  type Db,
  everything,
  getLegalHold,
  getTenant,
  liftLegalHold,
  NewTenant,
  placeLegalHold,
  purgeTenants,
  requestPurge,
  StreamId,
  type Tenant,
  TenantChanges,
  Transition,
  transitionTenant,
  updateTenant,
} from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant, eventsOf, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const archive = async ({ id }: Tenant, purgeAfterDays = 0): Promise<Tenant> => {
  const step = Transition.parse({ to: 'archived', reason: 'offboarding' })
  return await transitionTenant(db, testActor, testCatalogue, id, step, { purgeAfterDays })
}
const anArchivedTenant = async (fields = {}, days = 0) => await archive(await aTenant(db, fields), days)
const request = async ({ id, slug }: Tenant) => await requestPurge(db, testActor, id, { slug })

describe('requestPurge', () => {
  it.each([
    ['tenant.not_archived', async () => await aTenant(db)],
    ['tenant.purge_too_early', async () => await anArchivedTenant({}, 30)],
    ['tenant.deletion_protected', async () => await anArchivedTenant({ deletion_protection: true })],
    ['tenant.slug_mismatch', async () => ({ ...(await anArchivedTenant()), slug: 'another' as Tenant['slug'] })],
    [
      'tenant.legal_hold',
      async () => {
        const tenant = await anArchivedTenant()
        await placeLegalHold(db, testActor, tenant.id, { reason: 'lawsuit' })
        return tenant
      },
    ],
  ] as const)('refuses with %s, and writes nothing', async (code, make) => {
    const tenant = await make()
    const events = await eventsOf(db, tenant.id)
    await expect(request(tenant)).rejects.toMatchObject({ code })
    expect(await eventsOf(db, tenant.id)).toEqual(events)
  })

  it('leaves a tenant nowhere to go', async () => {
    const tenant = await anArchivedTenant()
    expect(tenant.allowed_transitions).toEqual(['frozen'])
    expect((await request(tenant)).allowed_transitions).toEqual([])
  })

  it('hides the tenant from all but the owner, and nothing changes it any more', async () => {
    const tenant = await anArchivedTenant()
    const requested = await request(tenant)
    expect(requested.purge_requested_at).toBeInstanceOf(Date)
    expect(await request(tenant)).toEqual(requested)
    expect(await getTenant(db, everything, tenant.id)).toEqual(requested)
    for (const sight of [
      { kind: 'platform', owner: false },
      { kind: 'tenants', tenantIds: [tenant.id] },
    ] as const) {
      await expect(getTenant(db, sight, tenant.id)).rejects.toMatchObject({ code: 'tenant.not_found' })
    }
    const changes = TenantChanges.parse({ name: 'Other' })
    await expect(updateTenant(db, testActor, testCatalogue, tenant.id, changes)).rejects.toMatchObject({
      code: 'tenant.being_purged',
    })
    const restore = Transition.parse({ to: 'frozen', reason: 'restored' })
    await expect(transitionTenant(db, testActor, testCatalogue, tenant.id, restore)).rejects.toMatchObject({
      code: 'tenant.being_purged',
    })
  })
})

describe('purgeTenants', () => {
  it('takes the tenant away, keeps its log, its names and its id, and says so at the end of its stream', async () => {
    const tenant = await anArchivedTenant()
    await request(tenant)
    const before = await eventsOf(db, tenant.id)
    // Of ten that do it at once, one does it.
    const gone = await Promise.all(Array.from({ length: 10 }, () => purgeTenants(db, testActor)))
    expect(gone.filter((n) => n > 0).length).toBeGreaterThan(0)
    await expect(getTenant(db, everything, tenant.id)).rejects.toMatchObject({ code: 'tenant.not_found' })

    const events = await eventsOf(db, tenant.id)
    expect(events.slice(0, -1)).toEqual(before)
    expect(events.at(-1)).toMatchObject({ action: 'tenant.purged', target_id: tenant.id })
    const rows = await db
      .selectFrom('audit_log')
      .select(['tenant_id', 'group_id'])
      .where('group_id', '=', tenant.id)
      .execute()
    expect(rows).toHaveLength(events.length)
    for (const row of rows) expect(row).toEqual({ tenant_id: null, group_id: tenant.id })

    const again = async (fields: object) => await createTenant(db, testActor, testCatalogue, NewTenant.parse(fields))
    await expect(again({ slug: tenant.slug, name: 'x' })).rejects.toMatchObject({ code: 'tenant.slug_taken' })
    await expect(again({ id: tenant.id, slug: 'fresh-slug', name: 'x' })).rejects.toMatchObject({
      code: 'tenant.id_retired',
    })
  })

  it('leaves a tenant under a hold that came after the request, and goes on when it is lifted', async () => {
    const tenant = await anArchivedTenant()
    await request(tenant)
    await placeLegalHold(db, testActor, tenant.id, { reason: 'lawsuit' })
    await purgeTenants(db, testActor)
    expect(await getTenant(db, everything, tenant.id)).toMatchObject({ id: tenant.id })
    await liftLegalHold(db, testActor, tenant.id)
    expect(await purgeTenants(db, testActor)).toBe(1)
  })

  it('lets go of nothing of a tenant that was put under a hold while others were being purged', async () => {
    const [first, held] = [await anArchivedTenant(), await anArchivedTenant()]
    await request(first)
    await request(held)
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    await owner.query('begin')
    await owner.query('select from tenants where id = $1 for update', [first.id])
    const purging = purgeTenants(db, testActor)
    // Both are on its list by now: it waits for the first.
    await until(async () => {
      const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from pg_locks where not granted')
      return rows[0]?.n === 1
    })
    await placeLegalHold(db, testActor, held.id, { reason: 'lawsuit' })
    await owner.query('commit')
    await owner.end()
    expect(await purging).toBe(1)
    expect(await getTenant(db, everything, held.id)).toMatchObject({ id: held.id })
    const loose = await db
      .selectFrom('audit_log')
      .select('id')
      .where('stream_id', '=', StreamId.parse(held.id))
      .where('tenant_id', 'is', null)
      .execute()
    expect(loose).toEqual([])
    await liftLegalHold(db, testActor, held.id)
    expect(await purgeTenants(db, testActor)).toBe(1)
  })

  it('ends at its signal also when one after the other cannot be taken away', async () => {
    const tenants = [await anArchivedTenant(), await anArchivedTenant(), await anArchivedTenant()]
    for (const tenant of tenants) await request(tenant)
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    await owner.query('begin; lock table registry.audit_streams in access exclusive mode')
    const ending = new AbortController()
    setTimeout(() => ending.abort(), 100)
    await expect(purgeTenants(db, testActor, { signal: ending.signal })).rejects.toMatchObject({
      code: 'database.busy',
    })
    // One of them was tried, and no other: each waits for five seconds.
    const { rows } = await owner.query('select from tenants where id = any($1)', [tenants.map(({ id }) => id)])
    expect(rows).toHaveLength(3)
    await owner.query('rollback')
    await owner.end()
    expect(await purgeTenants(db, testActor)).toBe(3)
  })

  it('goes on where a process that died left it, also with more events than a step takes', async () => {
    const tenant = await anArchivedTenant()
    await request(tenant)
    // Past the append path, as fast as it goes: what is tested is how many there are.
    const admin = new Client({ connectionString: database.ownerUrl })
    await admin.connect()
    await admin.query(
      `insert into audit_log (id, stream_id, stream_seq, received_at, canonical_at, tenant_id, product, environment,
         action, crud, group_id, prev_hash, chain_hash, chain_version, row_salt, personal_digest, search)
       select gen_random_uuid(), stream_id, 100000 + n, received_at, canonical_at, tenant_id, product, environment,
         action, crud, group_id, prev_hash, chain_hash, chain_version, row_salt, personal_digest, search
       from audit_log, generate_series(1, 12000) n where stream_id = $1 and stream_seq = 1`,
      [tenant.id],
    )
    await admin.end()
    const interrupted = new AbortController()
    interrupted.abort()
    expect(await purgeTenants(db, testActor, { signal: interrupted.signal })).toBe(0)
    expect(await purgeTenants(db, testActor)).toBe(1)
    const left = await db.selectFrom('audit_log').select('id').where('tenant_id', '=', tenant.id).execute()
    expect(left).toEqual([])
  })

  it('goes on past a tenant that cannot be taken away, and says what was wrong with it at the end', async () => {
    const [stuck, other] = [await anArchivedTenant(), await anArchivedTenant()]
    await request(stuck)
    await request(other)
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    await owner.query(`
      create function refuse_delete() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
      create trigger refuse_delete before delete on tenants for each row when (old.id = '${stuck.id}')
        execute function refuse_delete()`)
    await expect(purgeTenants(db, testActor)).rejects.toThrow('not this one')
    await expect(getTenant(db, everything, other.id)).rejects.toMatchObject({ code: 'tenant.not_found' })
    await owner.query('drop trigger refuse_delete on tenants')
    await owner.end()
    expect(await purgeTenants(db, testActor)).toBe(1)
    await expect(getTenant(db, everything, stuck.id)).rejects.toMatchObject({ code: 'tenant.not_found' })
  })

  it('gives the id to nobody, also not to who asks for it at that very moment', async () => {
    for (let round = 0; round < 20; round += 1) {
      const tenant = await anArchivedTenant()
      await request(tenant)
      const born = async (n: number) =>
        await createTenant(
          db,
          testActor,
          testCatalogue,
          NewTenant.parse({ id: tenant.id, slug: `reborn-${round}-${n}`, name: 'Reborn' }),
        )
      const births = Array.from({ length: 6 }, async (_, n) => await born(n))
      const [, ...results] = await Promise.allSettled([purgeTenants(db, testActor), ...births])
      for (const result of results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: expect.stringMatching(/^tenant\.id_/) } })
      }
      expect((await eventsOf(db, tenant.id)).at(-1)).toMatchObject({ action: 'tenant.purged' })
    }
  })

  it('does not wait for ever for, nor deadlock with, those who write the log of the tenant', async () => {
    const tenant = await anArchivedTenant()
    await request(tenant)
    const holds = async () => {
      for (let n = 0; n < 20; n += 1) {
        await placeLegalHold(db, testActor, tenant.id, { reason: `hold ${n}` }).catch(refusedOnly)
        await liftLegalHold(db, testActor, tenant.id).catch(refusedOnly)
      }
    }
    const purges = async () => {
      for (let n = 0; n < 20; n += 1) await purgeTenants(db, testActor)
    }
    await Promise.all([holds(), purges()])
    await purgeTenants(db, testActor)
    await expect(getTenant(db, everything, tenant.id)).rejects.toMatchObject({ code: 'tenant.not_found' })
  })
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setTimeout(done, 20))
}

function refusedOnly(error: unknown): void {
  expect(error).toMatchObject({ code: expect.stringMatching(/^(?:tenant|legal_hold)\.not_found$/) })
}

describe('a legal hold', () => {
  it('is placed once for a reason, changed by another, lifted, and each is recorded', async () => {
    const { id } = await aTenant(db)
    await expect(getLegalHold(db, everything, id)).rejects.toMatchObject({ code: 'legal_hold.not_found' })
    const hold = await placeLegalHold(db, testActor, id, { reason: 'one' })
    expect(await placeLegalHold(db, testActor, id, { reason: 'one' })).toEqual(hold)
    expect(await placeLegalHold(db, testActor, id, { reason: 'two' })).toMatchObject({ reason: 'two', by: 'test' })
    await liftLegalHold(db, testActor, id)
    await expect(liftLegalHold(db, testActor, id)).rejects.toMatchObject({ code: 'legal_hold.not_found' })
    expect((await eventsOf(db, id)).map(({ action }) => action)).toEqual([
      'tenant.created',
      'legal_hold.placed',
      'legal_hold.updated',
      'legal_hold.lifted',
    ])
  })
})
