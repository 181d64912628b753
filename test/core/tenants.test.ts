import {
  type Actor,
  assignProduct,
  createDb,
  createTenant,
  type Db,
  everything,
  getTenant,
  getTenantByErpId,
  getTenantBySlug,
  getTenantByStripeId,
  listTenants,
  NewTenant,
  RegistryError,
  requestPurge,
  type Sight,
  Slug,
  sweepEndedTrials,
  type Tenant,
  TenantChanges,
  TenantId,
  TenantQuery,
  transitionTenant,
  Transition,
  updateTenant,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { tenantSorts } from '../../packages/core/src/tenants/tenant.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
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

const create = (fields: object) => createTenant(db, testActor, testCatalogue, NewTenant.parse(fields))
const events = async () =>
  (
    await db
      .selectFrom('audit_log')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
  ).n

describe('createTenant', () => {
  it('makes a trial of a customer out of a slug and a name', async () => {
    const tenant = await create({ slug: 'just-a-name', name: 'Just a Name' })
    expect(tenant).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      slug: 'just-a-name',
      name: 'Just a Name',
      status: 'trial',
      kind: 'customer',
      plan: null,
      erp_id: null,
      stripe_id: null,
      trial_ends_at: null,
      contract_starts_at: null,
      contract_ends_at: null,
      sales_owner: null,
      products: [],
      effective_status: 'trial',
      allowed_transitions: ['active', 'frozen', 'archived'],
      status_reason: null,
      status_note: null,
      status_changed_at: tenant.created_at,
      status_changed_by: 'test',
      frozen_from: null,
      keys_valid_after: null,
      key_policy: {},
      archived_at: null,
      purge_after: null,
      purge_requested_at: null,
      deletion_protection: false,
      metadata: {},
      version: 1,
      created_at: expect.any(Date),
      updated_at: tenant.created_at,
    })
    expect(await getTenant(db, everything, tenant.id)).toEqual(tenant)
  })

  it('keeps everything it is given', async () => {
    const fields = {
      id: '00000000-0000-0000-0000-0000000000a1',
      slug: 'everything',
      name: 'Everything',
      status: 'active',
      kind: 'customer',
      plan: 'professional',
      erp_id: 'C-1',
      stripe_id: 'cus_1',
      trial_ends_at: '2026-01-31T23:59:59.999Z',
      contract_starts_at: '2026-02-01T00:00:00+01:00',
      contract_ends_at: '2027-01-31T23:00:00.000Z',
      sales_owner: 'jane@breakpilot.com',
    }
    const tenant = await create(fields)
    expect(tenant).toMatchObject({
      ...fields,
      trial_ends_at: new Date('2026-01-31T23:59:59.999Z'),
      contract_starts_at: new Date('2026-01-31T23:00:00.000Z'),
      contract_ends_at: new Date('2027-01-31T23:00:00.000Z'),
    })
    expect(await getTenantBySlug(db, everything, Slug.parse('everything'))).toEqual(tenant)
    expect(await getTenantByErpId(db, everything, 'C-1')).toEqual(tenant)
    expect(await getTenantByStripeId(db, everything, 'cus_1')).toEqual(tenant)
  })

  it.each([
    [{ status: 'demo' }, { status: 'demo', kind: 'demo' }],
    [{ kind: 'demo' }, { status: 'demo', kind: 'demo' }],
    [{ kind: 'customer' }, { status: 'trial', kind: 'customer' }],
  ])('derives status and kind from each other: %j', async (given, expected) => {
    const { status, kind } = await aTenant(db, given as never)
    expect({ status, kind }).toEqual(expected)
  })

  describe('refuses, and writes nothing:', () => {
    beforeEach(async () => {
      if (
        !(await db
          .selectFrom('tenants')
          .select('id')
          .where('slug', '=', 'taken' as Slug)
          .executeTakeFirst())
      ) {
        await create({
          id: '00000000-0000-0000-0000-0000000000b1',
          slug: 'taken',
          name: 'T',
          erp_id: 'E',
          stripe_id: 'S',
        })
      }
    })

    it.each([
      ['tenant.slug_taken', { slug: 'taken', name: 'x' }],
      ['tenant.id_taken', { id: '00000000-0000-0000-0000-0000000000b1', slug: 'free', name: 'x' }],
      ['tenant.erp_id_taken', { slug: 'free', name: 'x', erp_id: 'E' }],
      ['tenant.stripe_id_taken', { slug: 'free', name: 'x', stripe_id: 'S' }],
      ['tenant.slug_reserved', { slug: 'billing', name: 'x' }],
      ['tenant.slug_reserved', { slug: 'certifai', name: 'x' }],
      ['tenant.plan_required', { slug: 'free', name: 'x', status: 'active' }],
      ['tenant.plan_unknown', { slug: 'free', name: 'x', plan: 'platinum' }],
    ])('%s for %j', async (code, fields) => {
      const before = await events()
      await expect(create(fields)).rejects.toMatchObject({ name: 'RegistryError', code })
      expect(await events()).toBe(before)
      await expect(getTenantBySlug(db, everything, Slug.parse('free'))).rejects.toMatchObject({
        code: 'tenant.not_found',
      })
    })
  })

  it('gives a slug to exactly one of ten that want it at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => create({ slug: 'wanted', name: 'W' })))
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'tenant.slug_taken' })
    }
  })
})

describe('reading', () => {
  it('throws tenant.not_found for what is not there', async () => {
    const nowhere = TenantId.parse('00000000-0000-0000-0000-00000000dead')
    const notFound = { code: 'tenant.not_found', kind: 'not_found' }
    await expect(getTenant(db, everything, nowhere)).rejects.toMatchObject(notFound)
    await expect(getTenantBySlug(db, everything, Slug.parse('nowhere'))).rejects.toMatchObject(notFound)
    await expect(getTenantByErpId(db, everything, 'nowhere')).rejects.toMatchObject(notFound)
    await expect(getTenantByStripeId(db, everything, 'nowhere')).rejects.toMatchObject(notFound)
  })

  it('sees inside a transaction what that transaction wrote', async () => {
    const tenant = await aTenant(db)
    await db.transaction().execute(async (tx) => {
      await tx.updateTable('tenants').set({ name: 'Inside' }).where('id', '=', tenant.id).execute()
      expect((await getTenant(tx, everything, tenant.id)).name).toBe('Inside')
      expect((await getTenant(db, everything, tenant.id)).name).toBe(tenant.name)
    })
  })
})

describe('updateTenant', () => {
  /** Holds the tenant, changes its products as `change` says, and lets go when `work` waits for it. */
  async function changingProducts<T>(
    id: TenantId,
    change: string,
    work: () => Promise<T>,
  ): Promise<PromiseSettledResult<T>> {
    const other = new Client({ connectionString: database.ownerUrl })
    await other.connect()
    try {
      await other.query('begin')
      await other.query('select from tenants where id = $1 for no key update', [id])
      await other.query(change, [id])
      const [result] = await Promise.all([
        Promise.allSettled([work()]).then(([settled]) => settled),
        (async () => {
          const waiting = `select from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid))`
          await expect.poll(async () => (await other.query(waiting)).rowCount, { timeout: 10_000 }).toBe(1)
          await other.query('commit')
        })(),
      ])
      return result
    } finally {
      await other.end()
    }
  }
  const renamed = TenantChanges.parse({ name: 'Renamed' })

  it('answers with the products that the tenant has when it gets its turn', async () => {
    const { id } = await aTenant(db)
    await assignProduct(db, testActor, testCatalogue, id, 'certifai')
    const change = `update tenant_products set product = 'compliance' where tenant_id = $1`
    const result = await changingProducts(id, change, () => updateTenant(db, testActor, testCatalogue, id, renamed))
    expect(result).toMatchObject({ status: 'fulfilled', value: { name: 'Renamed', products: ['compliance'] } })
  })

  it('does not change what went out of sight while it waited', async () => {
    const { id, name } = await aTenant(db)
    await assignProduct(db, testActor, testCatalogue, id, 'certifai')
    const product: Actor = { ...testActor, sight: { kind: 'product', product: 'certifai' } }
    const change = 'delete from tenant_products where tenant_id = $1'
    const result = await changingProducts(id, change, () => updateTenant(db, product, testCatalogue, id, renamed))
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'tenant.not_found' } })
    expect(await getTenant(db, everything, id)).toMatchObject({ name, products: [] })
  })
})

describe('assignProduct', () => {
  it('shows on the tenant, in alphabetical order, and is recorded once', async () => {
    const tenant = await aTenant(db)
    const before = await events()
    for (const product of ['compliance', 'certifai', 'compliance']) {
      await assignProduct(db, testActor, testCatalogue, tenant.id, product)
    }
    expect((await getTenant(db, everything, tenant.id)).products).toEqual(['certifai', 'compliance'])
    expect(await events()).toBe(before + 2)
  })

  it('refuses a product that no manifest knows, and a tenant that is not there', async () => {
    const tenant = await aTenant(db)
    const nowhere = TenantId.parse('00000000-0000-0000-0000-00000000dead')
    await expect(assignProduct(db, testActor, testCatalogue, tenant.id, 'nothing')).rejects.toMatchObject({
      code: 'product.unknown',
    })
    await expect(assignProduct(db, testActor, testCatalogue, nowhere, 'certifai')).rejects.toMatchObject({
      code: 'tenant.not_found',
    })
  })
})

describe('listTenants', () => {
  it('pages through everything once, newest first, also among tenants of one instant', async () => {
    const made: Tenant[] = []
    for (let n = 0; n < 7; n += 1) made.push(await aTenant(db, { plan: 'starter', status: 'trial' }))
    // Five of them in one millisecond: only the id tells them apart.
    await db
      .updateTable('tenants')
      .set({ created_at: new Date('2026-01-01T00:00:00.000Z') })
      .where(
        'id',
        'in',
        made.slice(0, 5).map(({ id }) => id),
      )
      .execute()

    const seen: Tenant[] = []
    let cursor: string | null = null
    do {
      const query: Record<string, string> = { limit: '2', plan: 'starter', ...(cursor !== null && { cursor }) }
      const page = await listTenants(db, everything, TenantQuery.parse(query))
      expect(page.has_more).toBe(page.next_cursor !== null)
      seen.push(...page.data)
      cursor = page.next_cursor
    } while (cursor !== null)

    expect(seen.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort())
    const order = seen.map(({ created_at, id }) => `${created_at.toISOString()} ${id}`)
    expect(order).toEqual(order.toSorted().toReversed())
  })

  it.each(tenantSorts)('sorted by %s neither repeats nor misses while a thousand are being created', async (sort) => {
    const plan = `paged-by${sort.replace('_', '-')}`
    // As fast as it goes, with names and slugs all over the place: what is tested is how they are read.
    const insert = async (many: number) => {
      const { rows } = await sql<{ id: string }>`
        insert into tenants (slug, name, status, kind, plan)
        select 'a' || md5(gen_random_uuid()::text), md5(n::text || random()), 'active', 'customer', ${plan}
        from generate_series(1, ${many}::int) n returning id`.execute(db)
      return rows.map(({ id }) => id)
    }
    const existing = await insert(300)
    let left = 1_000
    const writers = Array.from({ length: 4 }, async () => {
      for (; left > 0; left -= 5) await insert(5)
    })
    const seen = new Map<string, number>()
    for (let cursor: string | undefined; ;) {
      const query = { limit: '7', plan, sort, ...(cursor !== undefined && { cursor }) }
      const page = await listTenants(db, everything, TenantQuery.parse(query))
      for (const { id } of page.data) seen.set(id, (seen.get(id) ?? 0) + 1)
      cursor = page.next_cursor ?? undefined
      if (cursor === undefined) break
    }
    await Promise.all(writers)
    expect([...seen].filter(([, times]) => times > 1)).toEqual([])
    expect(existing.filter((id) => !seen.has(id))).toEqual([])
    const { count } = await db
      .selectFrom('tenants')
      .select(sql<number>`count(*)::int`.as('count'))
      .where('plan', '=', plan)
      .executeTakeFirstOrThrow()
    expect(count).toBeGreaterThanOrEqual(1_300)
  })

  it('shows only what matches every filter', async () => {
    const wanted = await aTenant(db, { status: 'active', kind: 'customer', plan: 'professional' })
    await aTenant(db, { status: 'trial', plan: 'professional' })
    const { data } = await listTenants(
      db,
      everything,
      TenantQuery.parse({ status: 'active', kind: 'customer', plan: 'professional' }),
    )
    expect(data.map(({ id }) => id)).toContain(wanted.id)
    for (const tenant of data)
      expect(tenant).toMatchObject({ status: 'active', kind: 'customer', plan: 'professional' })
  })

  it('finds by a composed text what is asked for in decomposed form', async () => {
    const tenant = await aTenant(db, { name: 'Cafe\u0301 Molie\u0300re', sales_owner: 'Rene\u0301' })
    const ids = async (query: Record<string, string>) =>
      (await listTenants(db, everything, TenantQuery.parse(query))).data.map(({ id }) => id)
    for (const form of ['NFC', 'NFD']) {
      expect(await ids({ q: 'molière caf\u00e9'.normalize(form) })).toEqual([tenant.id])
      expect(await ids({ sales_owner: 'Ren\u00e9'.normalize(form) })).toEqual([tenant.id])
    }
    expect(TenantQuery.safeParse({ q: '\u{1d160}'.repeat(100) }).success).toBe(false)
  })

  it('finds trials by their end, those that are over the same before and after that is written down', async () => {
    const days = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString()
    const plan = 'professional'
    const ends = async (n: number | null) =>
      await aTenant(db, { plan, sales_owner: 'Trials', trial_ends_at: n === null ? null : days(n) })
    const [over, soon, late, endless, converted, refused] = [
      await ends(-2),
      await ends(2),
      await ends(9),
      await ends(null),
      await ends(2),
      await ends(2),
    ]
    const go = async (tenant: Tenant, step: object) =>
      await transitionTenant(db, testActor, testCatalogue, tenant.id, Transition.parse(step))
    await go(converted, { to: 'active', reason: 'converted' })
    await go(refused, { to: 'frozen', reason: 'abuse' })

    const found = async (query: Record<string, string>) => {
      const { data } = await listTenants(db, everything, TenantQuery.parse({ sales_owner: 'Trials', ...query }))
      return data.map(({ id }) => id).sort()
    }
    const answers = async () => ({
      before: await found({ trial_ends_before: days(5) }),
      after: await found({ trial_ends_after: days(0) }),
      window: await found({ trial_ends_after: days(-5), trial_ends_before: days(5), sort: 'name' }),
      running: await found({ trial_ends_before: days(5), status: 'trial' }),
      ended: await found({ trial_ends_before: days(5), status: 'frozen' }),
      converted: await found({ trial_ends_before: days(5), status: 'active' }),
    })
    const ids = (...wanted: Tenant[]) => wanted.map(({ id }) => id).sort()
    const expected = {
      before: ids(over, soon),
      after: ids(soon, late),
      window: ids(over, soon),
      running: ids(soon),
      ended: ids(over),
      converted: [],
    }
    expect(await answers()).toEqual(expected)
    while ((await sweepEndedTrials(db, testActor, new Date())) > 0);
    expect(await getTenant(db, everything, over.id)).toMatchObject({ status: 'frozen', status_reason: 'trial_expired' })
    expect(await answers()).toEqual(expected)
    expect(await found({})).toEqual(ids(over, soon, late, endless, converted, refused))
  })
})

describe('a sight', () => {
  it('shows the same tenants one by one and in lists', async () => {
    const active = { status: 'active', plan: 'starter' } as const
    const plain = await aTenant(db, active)
    const withProduct = await aTenant(db, active)
    await assignProduct(db, testActor, testCatalogue, withProduct.id, 'certifai')
    const archive = async (fields: object) => {
      const tenant = await aTenant(db, fields)
      await assignProduct(db, testActor, testCatalogue, tenant.id, 'certifai')
      const step = Transition.parse({ to: 'archived', reason: 'offboarding' })
      return await transitionTenant(db, testActor, testCatalogue, tenant.id, step, { purgeAfterDays: 0 })
    }
    const archived = await archive({})
    const purging = await archive({})
    await requestPurge(db, testActor, purging.id, { slug: purging.slug })
    const all = [plain, withProduct, archived, purging].map(({ id }) => id)
    const sights: Sight[] = [
      everything,
      { kind: 'platform', owner: false },
      { kind: 'tenants', tenantIds: all },
      { kind: 'tenants', tenantIds: [plain.id] },
      { kind: 'tenants', tenantIds: [] },
      { kind: 'product', product: 'certifai' },
      { kind: 'product', product: 'nobody-has-it' },
    ]
    const counts = []
    for (const sight of sights) {
      const one = []
      for (const id of all) {
        const seen = await getTenant(db, sight, id).catch((error: unknown) => error)
        if (seen instanceof RegistryError) expect(seen.code).toBe('tenant.not_found')
        else one.push(id)
      }
      const listed = new Set<string>()
      for (let cursor: string | undefined; ;) {
        const page = await listTenants(db, sight, TenantQuery.parse({ limit: '200', ...(cursor && { cursor }) }))
        for (const { id } of page.data) listed.add(id)
        cursor = page.next_cursor ?? undefined
        if (cursor === undefined) break
      }
      expect(all.filter((id) => listed.has(id))).toEqual(one)
      counts.push(one.length)
    }
    expect(counts).toEqual([4, 3, 2, 1, 0, 2, 0])
  })
})
