import {
  createCatalogue,
  createDb,
  type Db,
  type EntitlementQuery,
  Entitlements,
  evaluateMany,
  EvaluationBatch,
  everything,
  getEntitlements,
  Manifest,
  newProjectId,
  type Sight,
  Slug,
  sweepEndedTrials,
  type Tenant,
  TenantId,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { aTenant, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

const manifest = (fields: Partial<z.input<typeof Manifest>> & { key: string }) =>
  Manifest.parse({ name: fields.key, status: 'active', owner: 'team', supports_projects: true, ...fields })
const catalogue = createCatalogue([
  manifest({
    key: 'certifai',
    default_config: { region: 'eu', ui: { theme: 'dark' } },
    limits: { projects: 3 },
    features: ['reports'],
    plans: { professional: { limits: { projects: 25 } } },
  }),
  manifest({ key: 'compliance' }),
  manifest({ key: 'old', status: 'retired' }),
])
const nowhere = '00000000-0000-0000-0000-00000000dead'
const day = 86_400_000
/** So many days from now, the other way when negative. */
const daysAhead = (days: number) => new Date(Date.now() + days * day)

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

interface Given {
  readonly enabled?: boolean
  readonly config?: object
  readonly limits?: object
  readonly valid_from?: Date
  readonly valid_until?: Date
}
const give = async (tenant: Tenant, product: string, { config = {}, limits = {}, ...given }: Given = {}) => {
  const row = {
    tenant_id: tenant.id,
    product,
    config: JSON.stringify(config),
    limits: JSON.stringify(limits),
    ...given,
  }
  await db.insertInto('tenant_products').values(row).execute()
}
const aProject = async (tenant: Tenant, status: 'active' | 'archived' = 'active') => {
  const id = newProjectId()
  const slug = Slug.parse(`project-${id}`)
  await db.insertInto('tenant_projects').values({ id, tenant_id: tenant.id, slug, name: 'A project', status }).execute()
  return id
}
const anActiveTenant = () => aTenant(db, { status: 'active', plan: 'professional' })
const ask = (tenant: Tenant, query: EntitlementQuery = {}, sight: Sight = everything) =>
  getEntitlements(db, sight, catalogue, tenant.id, query)
const inShort = ({ data }: Entitlements) => data.map(({ product, access, reason }) => `${product}: ${access} ${reason}`)

describe('getEntitlements', () => {
  it('merges what the product, the plan and the tenant say, and names whose word each limit is', async () => {
    const tenant = await anActiveTenant()
    await give(tenant, 'compliance')
    await give(tenant, 'certifai', { config: { ui: { theme: null, font: 'serif' } }, limits: { seats: 7 } })
    expect(await ask(tenant)).toEqual({
      tenant_id: tenant.id,
      project_id: null,
      status: 'active',
      trial_days_left: null,
      valid_until: null,
      data: [
        {
          product: 'certifai',
          access: 'full',
          reason: 'granted',
          config: { region: 'eu', ui: { font: 'serif' } },
          limits: { projects: { value: 25, source: 'plan' }, seats: { value: 7, source: 'tenant' } },
          features: ['reports'],
          valid_until: null,
          version: 1,
        },
        {
          product: 'compliance',
          access: 'full',
          reason: 'granted',
          config: {},
          limits: {},
          features: [],
          valid_until: null,
          version: 1,
        },
      ],
    })
  })

  it('counts the versions of an assignment', async () => {
    const tenant = await anActiveTenant()
    await give(tenant, 'certifai')
    await db.updateTable('tenant_products').set({ enabled: false }).where('tenant_id', '=', tenant.id).execute()
    expect((await ask(tenant)).data).toMatchObject([{ access: 'none', reason: 'disabled', version: 2 }])
  })

  it('answers a tenant that has no product with an empty list', async () => {
    const tenant = await anActiveTenant()
    expect(await ask(tenant)).toMatchObject({ status: 'active', data: [] })
  })

  it('answers for one product alone, also when the tenant does not have it', async () => {
    const tenant = await anActiveTenant()
    await give(tenant, 'certifai')
    await give(tenant, 'gone')
    expect(inShort(await ask(tenant))).toEqual(['certifai: full granted', 'gone: none product_retired'])
    expect(inShort(await ask(tenant, { product: 'certifai' }))).toEqual(['certifai: full granted'])
    expect(inShort(await ask(tenant, { product: 'compliance' }))).toEqual(['compliance: none not_assigned'])
    expect(inShort(await ask(tenant, { product: 'old' }))).toEqual(['old: none product_retired'])
    expect(inShort(await ask(tenant, { product: 'gone' }))).toEqual(['gone: none product_retired'])
    await expect(ask(tenant, { product: 'unheard-of' })).rejects.toMatchObject({
      code: 'product.unknown',
      detail: 'There is no product "unheard-of".',
    })
  })

  it('judges the rows of today at the moment that is asked for', async () => {
    const tenant = await anActiveTenant()
    const [opens, closes] = [daysAhead(1), daysAhead(2)]
    await give(tenant, 'certifai', { valid_from: opens, valid_until: closes })
    const entryAt = async (at: Date) => (await ask(tenant, { at })).data[0]
    expect(await entryAt(new Date(opens.getTime() - 1))).toMatchObject({ reason: 'not_yet_valid', valid_until: opens })
    expect(await entryAt(opens)).toMatchObject({ reason: 'granted', valid_until: closes })
    expect(await entryAt(new Date(closes.getTime() - 1))).toMatchObject({ reason: 'granted', valid_until: closes })
    expect(await entryAt(closes)).toMatchObject({ reason: 'expired', valid_until: null })
    expect((await ask(tenant)).data).toMatchObject([{ reason: 'not_yet_valid' }])
  })

  it('opens nothing in an archived project, and finds no project of another tenant', async () => {
    const [tenant, stranger] = [await anActiveTenant(), await anActiveTenant()]
    await give(tenant, 'certifai')
    const [active, archived] = [await aProject(tenant), await aProject(tenant, 'archived')]
    expect(await ask(tenant, { project_id: active })).toMatchObject({ project_id: active, data: [{ access: 'full' }] })
    expect(await ask(tenant, { project_id: archived })).toMatchObject({
      project_id: archived,
      status: 'active',
      data: [{ access: 'none', reason: 'project_archived', config: {}, limits: {}, features: [] }],
    })
    const notFound = { code: 'project.not_found' }
    await expect(ask(tenant, { project_id: newProjectId() })).rejects.toMatchObject(notFound)
    await expect(ask(stranger, { project_id: active })).rejects.toMatchObject(notFound)
  })

  it('reads inside a transaction what that transaction wrote', async () => {
    const tenant = await anActiveTenant()
    await db.transaction().execute(async (tx) => {
      await tx.insertInto('tenant_products').values({ tenant_id: tenant.id, product: 'certifai' }).execute()
      expect((await getEntitlements(tx, everything, catalogue, tenant.id, {})).data).toHaveLength(1)
    })
  })

  it('fits its own schema, whatever is in it', async () => {
    const tenant = await aTenant(db, { trial_ends_at: daysAhead(3).toISOString(), plan: 'professional' })
    await give(tenant, 'certifai', { config: { deep: [{ er: null }] }, valid_until: daysAhead(1) })
    const answer = await ask(tenant, { project_id: await aProject(tenant) })
    expect(z.decode(Entitlements, z.encode(Entitlements, answer))).toEqual(answer)
  })
})

describe('who asks', () => {
  const notFound = { code: 'tenant.not_found' }

  it('sees no tenant that is out of sight, whatever it asks about it', async () => {
    const [own, other] = [await anActiveTenant(), await anActiveTenant()]
    await give(other, 'certifai')
    const project_id = await aProject(other)
    const sight: Sight = { kind: 'tenants', tenantIds: [own.id] }
    expect(await ask(own, {}, sight)).toMatchObject({ tenant_id: own.id })
    for (const query of [{}, { project_id }, { product: 'certifai' }, { product: 'unheard-of' }]) {
      await expect(ask(other, query, sight)).rejects.toMatchObject(notFound)
    }
    await expect(getEntitlements(db, sight, catalogue, TenantId.parse(nowhere), {})).rejects.toMatchObject(notFound)
  })

  it('does not see its own tenant once that is archived, while the platform does', async () => {
    const tenant = await anActiveTenant()
    await give(tenant, 'certifai')
    for (const status of ['frozen', 'archived'] as const) {
      await db
        .updateTable('tenants')
        .set({ status, status_reason: 'offboarding' })
        .where('id', '=', tenant.id)
        .execute()
    }
    await expect(ask(tenant, {}, { kind: 'tenants', tenantIds: [tenant.id] })).rejects.toMatchObject(notFound)
    expect(await ask(tenant)).toMatchObject({ status: 'archived', data: [{ reason: 'tenant_archived' }] })
  })

  it('is answered for its own product alone when it is a product', async () => {
    const [tenant, other] = [await anActiveTenant(), await anActiveTenant()]
    await give(tenant, 'certifai')
    await give(tenant, 'compliance')
    await give(other, 'compliance')
    const sight: Sight = { kind: 'product', product: 'certifai' }
    expect(inShort(await ask(tenant, {}, sight))).toEqual(['certifai: full granted'])
    expect(inShort(await ask(tenant, { product: 'certifai' }, sight))).toEqual(['certifai: full granted'])
    await expect(ask(tenant, { product: 'compliance' }, sight)).rejects.toMatchObject({ code: 'product.unknown' })
    await expect(ask(other, {}, sight)).rejects.toMatchObject(notFound)
  })
})

describe('an ended trial', () => {
  it('is answered alike before and after it is swept, at every moment from its end on', async () => {
    const end = new Date(Date.now() - day)
    const tenant = await aTenant(db, { trial_ends_at: end.toISOString(), plan: 'professional' })
    await give(tenant, 'certifai', { valid_from: daysAhead(-30), valid_until: daysAhead(30) })
    await give(tenant, 'compliance', { enabled: false })
    await give(tenant, 'old')
    const project_id = await aProject(tenant)
    const moments = [end, new Date(end.getTime() + 1), new Date(), daysAhead(29), daysAhead(31)]
    const answers = () =>
      Promise.all(
        moments.flatMap((at) => [
          ask(tenant, { at }),
          ask(tenant, { at, project_id }),
          ask(tenant, { at, product: 'certifai' }),
          ask(tenant, { at }, { kind: 'product', product: 'certifai' }),
          ask(tenant, { at }, { kind: 'tenants', tenantIds: [tenant.id] }),
        ]),
      )
    const before = await answers()
    expect(before[0]).toMatchObject({
      status: 'frozen',
      trial_days_left: null,
      data: [{ access: 'read_only', reason: 'trial_ended' }, { reason: 'disabled' }, { reason: 'product_retired' }],
    })
    expect(await ask(tenant, { at: new Date(end.getTime() - 1) })).toMatchObject({
      status: 'trial',
      trial_days_left: 1,
      valid_until: end,
      data: [{ access: 'full', reason: 'granted', valid_until: end }, {}, {}],
    })

    expect(await sweepEndedTrials(db, testActor, new Date())).toBeGreaterThan(0)
    const { status } = await db
      .selectFrom('tenants')
      .select('status')
      .where('id', '=', tenant.id)
      .executeTakeFirstOrThrow()
    expect(status).toBe('frozen')
    expect(await answers()).toEqual(before)
  })
})

describe('evaluateMany', () => {
  it('answers each question as if it were asked by itself, in order, the failed ones with their code', async () => {
    const [one, two, unseen] = [await anActiveTenant(), await anActiveTenant(), await anActiveTenant()]
    await give(one, 'certifai')
    await give(one, 'compliance')
    await give(two, 'compliance')
    const archived = await aProject(one, 'archived')
    const sight: Sight = { kind: 'tenants', tenantIds: [one.id, two.id] }
    const { items } = EvaluationBatch.parse({
      items: [
        { tenant_id: two.id },
        { tenant_id: nowhere },
        { tenant_id: one.id, product: 'certifai', at: '2030-01-01T00:00:00.000Z' },
        { tenant_id: unseen.id },
        { tenant_id: one.id, project_id: archived },
        { tenant_id: two.id, project_id: archived },
        { tenant_id: one.id, product: 'unheard-of' },
        { tenant_id: two.id },
      ],
    })
    const { data } = await evaluateMany(db, sight, catalogue, items)
    expect(data.map(({ tenant_id }) => tenant_id)).toEqual(items.map(({ tenant_id }) => tenant_id))
    expect(data.map(({ error, entitlements }) => error ?? inShort(entitlements ?? expect.fail()))).toEqual([
      ['compliance: full granted'],
      'tenant.not_found',
      ['certifai: full granted'],
      'tenant.not_found',
      ['certifai: none project_archived', 'compliance: none project_archived'],
      'project.not_found',
      'product.unknown',
      ['compliance: full granted'],
    ])
    for (const [index, { tenant_id, ...query }] of items.entries()) {
      const alone = await getEntitlements(db, sight, catalogue, tenant_id, query).catch((error: unknown) => error)
      const answered = data[index]
      if (answered?.entitlements) expect(answered.entitlements).toEqual(alone)
      else expect(alone).toMatchObject({ code: answered?.error })
    }
  })

  it('shows a product what it may see, and nothing of the rest', async () => {
    const [mine, other] = [await anActiveTenant(), await anActiveTenant()]
    await give(mine, 'certifai')
    await give(mine, 'compliance')
    await give(other, 'compliance')
    const { data } = await evaluateMany(db, { kind: 'product', product: 'certifai' }, catalogue, [
      { tenant_id: mine.id },
      { tenant_id: other.id },
      { tenant_id: mine.id, product: 'compliance' },
    ])
    expect(data).toMatchObject([
      { entitlements: { data: [{ product: 'certifai' }] }, error: null },
      { entitlements: null, error: 'tenant.not_found' },
      { entitlements: null, error: 'product.unknown' },
    ])
    expect(data[0]?.entitlements?.data).toHaveLength(1)
  })

  it('takes a hundred questions and no more', () => {
    const items = (count: number) => ({ items: Array.from({ length: count }, () => ({ tenant_id: nowhere })) })
    expect(EvaluationBatch.safeParse(items(100)).success).toBe(true)
    expect(EvaluationBatch.safeParse(items(101)).success).toBe(false)
    expect(EvaluationBatch.safeParse(items(0)).success).toBe(false)
  })
})

describe('a window', () => {
  it.each(['Europe/Berlin', 'America/New_York', 'UTC'])(
    'is the same for a session whose time zone is %s',
    async (zone) => {
      const url = new URL(database.runtimeUrl)
      url.searchParams.set('options', `-c TimeZone=${zone}`)
      const there = createDb({ connectionString: url.href })
      const tenant = await aTenant(db, { status: 'active', plan: 'professional' })
      const windows = [
        { from: '9999-12-31T23:59:59.999Z', until: null, access: 'none', reason: 'not_yet_valid' },
        { from: null, until: '1800-01-01T00:00:00Z', access: 'none', reason: 'expired' },
        { from: null, until: '0001-01-01T00:00:00Z', access: 'none', reason: 'expired' },
        { from: null, until: '9999-12-31T23:59:59.999Z', access: 'full', reason: 'granted' },
      ]
      await db.insertInto('tenant_products').values({ tenant_id: tenant.id, product: 'certifai' }).execute()
      for (const { from, until, ...expected } of windows) {
        const window = { valid_from: from && new Date(from), valid_until: until && new Date(until) }
        await db
          .updateTable('tenant_products')
          .set(window as { valid_from: Date | null; valid_until: Date | null })
          .where('tenant_id', '=', tenant.id)
          .execute()
        const { data } = await getEntitlements(there, everything, catalogue, tenant.id, { product: 'certifai' })
        expect(data[0]).toMatchObject({
          ...expected,
          valid_until: expected.access === 'full' ? window.valid_until : data[0]?.valid_until,
        })
      }
      await there.destroy()
    },
  )
})
