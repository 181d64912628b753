import {
  createDb,
  createProject,
  type Db,
  evaluateMany,
  EvaluationItem,
  everything,
  exportTenant,
  findApiKeys,
  getEntitlements,
  getLegalHold,
  getTenant,
  getTenantBySlug,
  listApiKeys,
  listChanges,
  listProjects,
  listTenantProducts,
  listTenants,
  NewLegalHold,
  NewProject,
  NewTenantProduct,
  placeLegalHold,
  platformTenant,
  previewTransition,
  ProjectQuery,
  PurgeRequest,
  putTenantProduct,
  releaseSlug,
  requestPurge,
  type Sight,
  Slug,
  SlugRelease,
  TenantChanges,
  TenantId,
  TenantQuery,
  Transition,
  transitionTenant,
  updateTenant,
} from '@breakpilot/tenant-core'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aKey, aKeyring } from '../api-keys/keys.ts'
import { eventsOf, keyCatalogue, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { startTestServer } from '../server.ts'

let database: TestDatabase
let db: Db
const id = TenantId.parse(platformTenant)
const operator: Sight = { kind: 'platform', owner: false }

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

async function as(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(sql)
  } catch (error) {
    return Object(error).constraint
  } finally {
    await client.end()
  }
}

/** Gives a row to another tenant, and then to the platform's own. One call is one transaction: nothing of it stays. */
const moved = (table: string, columns: string, values: string) =>
  `insert into tenants (slug, name) values ('other', 'Other');
  insert into ${table} (tenant_id, ${columns}) select id, ${values} from tenants where slug = 'other';
  update ${table} set tenant_id = '${platformTenant}'`

describe('nobody changes it, whoever they are', () => {
  const writes = [
    `update tenants set name = name where id = '${platformTenant}'`,
    `update tenants set status = 'frozen' where slug = 'platform'`,
    `delete from tenants where id = '${platformTenant}'`,
    `update tenants set purge_requested_at = now() where id = '${platformTenant}'`,
    `insert into tenant_products (tenant_id, product) values ('${platformTenant}', 'certifai')`,
    `insert into tenant_projects (tenant_id, slug, name) values ('${platformTenant}', 'website', 'Website')`,
    `insert into tenant_idp_config (tenant_id, kind) values ('${platformTenant}', 'oidc')`,
    moved('tenant_products', 'product', `'certifai'`),
    moved('tenant_projects', 'slug, name', `'website', 'Website'`),
    moved('tenant_idp_config', 'kind', `'oidc'`),
  ]
  it.each(writes)('%s', async (sql) => {
    expect(await as(database.runtimeUrl, sql)).toBe('tenants_platform_check')
    expect(await as(database.ownerUrl, sql)).toBe('tenants_platform_check')
  })
})

describe('it is there for its keys alone', () => {
  const notFound = { code: 'tenant.not_found' }

  it.each<[string, Sight]>([
    ['the owner', everything],
    ['an operator', operator],
    ['somebody whose token names it', { kind: 'tenants', tenantIds: [id] }],
  ])('%s does not find it', async (_, sight) => {
    await expect(getTenant(db, sight, id)).rejects.toMatchObject(notFound)
    await expect(getTenantBySlug(db, sight, Slug.parse('platform'))).rejects.toMatchObject(notFound)
    await expect(exportTenant(db, sight, keyCatalogue, id)).rejects.toMatchObject(notFound)
    await expect(getEntitlements(db, sight, keyCatalogue, id, {})).rejects.toMatchObject(notFound)
    await expect(listProjects(db, sight, id, ProjectQuery.parse({}))).rejects.toMatchObject(notFound)
    await expect(listTenantProducts(db, sight, id)).rejects.toMatchObject(notFound)
    await expect(getLegalHold(db, sight, id)).rejects.toMatchObject(notFound)
    const [one] = (await evaluateMany(db, sight, keyCatalogue, [EvaluationItem.parse({ tenant_id: id })])).data
    expect(one).toMatchObject({ error: 'tenant.not_found' })
    for (const query of [{}, { sort: 'name' }, { q: 'platform' }, { status: 'active' }, { plan: 'platform' }]) {
      expect((await listTenants(db, sight, TenantQuery.parse(query))).data).toEqual([])
    }
  })

  it('a platform owner gets 404 for it over HTTP too', async () => {
    const server = await startTestServer({}, database)
    try {
      const parts = ['', '/projects', '/products', '/entitlements', '/export', '/legal-hold']
      for (const path of ['by-slug/platform', ...parts.map((part) => `${platformTenant}${part}`)]) {
        const { status, body } = await server.call('GET', `/v1/tenants/${path}`)
        expect({ path, status, code: body.code }).toEqual({ path, status: 404, code: 'tenant.not_found' })
      }
      expect((await server.call('GET', '/v1/tenants')).body.data).toEqual([])
    } finally {
      await server.stop()
    }
  })

  it('no verb but those of keys reaches it, not even the owner’s, and none leaves an event', async () => {
    const before = await eventsOf(db, id)
    const freeze = Transition.parse({ to: 'frozen', reason: 'payment_overdue' })
    const project = NewProject.parse({ slug: 'website', name: 'Website' })
    const product = NewTenantProduct.parse({})
    const hold = NewLegalHold.parse({ reason: 'Lawsuit' })
    const purge = PurgeRequest.parse({ slug: 'platform' })
    const verbs = [
      updateTenant(db, testActor, keyCatalogue, id, TenantChanges.parse({ name: 'Ours' })),
      transitionTenant(db, testActor, keyCatalogue, id, freeze),
      previewTransition(db, testActor, keyCatalogue, id, freeze),
      requestPurge(db, testActor, id, purge),
      placeLegalHold(db, testActor, id, hold),
      createProject(db, testActor, keyCatalogue, id, project),
      putTenantProduct(db, testActor, keyCatalogue, id, 'certifai', product),
    ]
    for (const ended of await Promise.allSettled(verbs)) {
      expect(ended).toMatchObject({ status: 'rejected', reason: notFound })
    }
    expect(await eventsOf(db, id)).toEqual(before)
  })

  it('its slug is nobody else’s to have', async () => {
    const release = SlugRelease.parse({ reason: 'want it' })
    await expect(releaseSlug(db, testActor, Slug.parse('platform'), release)).rejects.toMatchObject({
      code: 'slug.in_use',
    })
  })

  it('shows its keys, and their changes, to the platform’s people and to nobody else', async () => {
    const { head } = await listChanges(db, everything)
    const expires_at = new Date(Date.now() + 86_400_000).toISOString()
    const key = await aKey(db, aKeyring(), id, { product: 'certifai', scopes: ['audit:publish'], expires_at })
    expect(key).toMatchObject({ audience: 'certifai', scopes: ['audit:publish'] })
    expect((await listApiKeys(db, { sight: operator }, id, {})).data.map((each) => each.id)).toEqual([key.id])
    expect((await findApiKeys(db, operator, key.prefix)).data).toHaveLength(1)
    const changed = { kind: 'api_key', tenant_id: id, ref_id: key.id }
    expect((await listChanges(db, operator, { after: head })).data).toMatchObject([changed])
    for (const sight of [
      { kind: 'tenants', tenantIds: [id] },
      { kind: 'product', product: 'certifai' },
    ] as const) {
      await expect(listApiKeys(db, { sight }, id, {})).rejects.toMatchObject(notFound)
      expect((await findApiKeys(db, sight, key.prefix)).data).toEqual([])
      expect((await listChanges(db, sight, { after: head })).data).toEqual([])
    }
  })

  it('has keys that end, within 400 days, of scopes that are the platform’s', async () => {
    const keyring = aKeyring()
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
    const make = (fields: object) => aKey(db, keyring, id, { product: 'certifai', scopes: ['audit:read'], ...fields })
    await expect(make({})).rejects.toMatchObject({ code: 'api_key.policy_violated' })
    await expect(make({ expires_at: inDays(401) })).rejects.toMatchObject({ code: 'api_key.policy_violated' })
    await expect(make({ expires_at: inDays(10), scopes: ['certifai:read'] })).rejects.toMatchObject({
      code: 'api_key.scope_unknown',
    })
    await expect(make({ expires_at: inDays(10), product: 'nothing' })).rejects.toMatchObject({
      code: 'product.unknown',
    })
    expect(await make({ expires_at: inDays(399) })).toMatchObject({ status: 'active' })
  })
})

it('goes and comes with its migration, with the keys that it has, and nobody hears of it', async () => {
  const one = await migratedDatabase()
  const rows = async (sql: string) => ((await as(one.ownerUrl, sql)) as { rows: unknown[] }).rows
  const state = async () => ({
    tenants: await rows('select slug, name, status, plan, version from tenants'),
    slugs: await rows('select slug, current from registry.slugs'),
    retired: await rows('select id from registry.retired_ids'),
    keys: await rows('select prefix from api_keys'),
    changes: await rows('select kind from registry.changes'),
  })
  const tenant = { slug: 'platform', name: 'Platform', status: 'active', plan: 'platform', version: 1 }
  const there = { tenants: [tenant], slugs: [{ slug: 'platform', current: true }], retired: [], keys: [], changes: [] }
  try {
    const migrator = createMigrator({ connectionString: one.ownerUrl, runtimeRole: undefined })
    expect(await state()).toEqual(there)
    await as(one.ownerUrl, `insert into api_keys (tenant_id, prefix, hash) values ('${platformTenant}', 'p', 'h')`)
    // That a key was made is in the feed. That it and its tenant are gone is not.
    const changes = [{ kind: 'api_key' }]
    await migrator.down({ to: 11 })
    expect(await state()).toEqual({ tenants: [], slugs: [], retired: [], keys: [], changes })
    await migrator.up()
    expect(await state()).toEqual({ ...there, changes })
  } finally {
    await one.drop()
  }
})
