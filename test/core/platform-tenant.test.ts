import {
  createDb,
  type Db,
  evaluateMany,
  EvaluationItem,
  everything,
  exportTenant,
  findApiKeys,
  getEntitlements,
  getTenant,
  getTenantBySlug,
  listApiKeys,
  listTenants,
  platformTenant,
  releaseSlug,
  type Sight,
  Slug,
  SlugRelease,
  TenantId,
  TenantQuery,
} from '@breakpilot/tenant-core'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aKey, aKeyring } from '../api-keys/keys.ts'
import { keyCatalogue, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

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

describe('nobody changes it, whoever they are', () => {
  const writes = [
    `update tenants set name = name where id = '${platformTenant}'`,
    `update tenants set status = 'frozen' where slug = 'platform'`,
    `delete from tenants where id = '${platformTenant}'`,
    `update tenants set purge_requested_at = now() where id = '${platformTenant}'`,
    `insert into tenant_products (tenant_id, product) values ('${platformTenant}', 'certifai')`,
    `insert into tenant_projects (tenant_id, slug, name) values ('${platformTenant}', 'website', 'Website')`,
    `insert into tenant_idp_config (tenant_id, kind) values ('${platformTenant}', 'oidc')`,
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
    const [one] = (await evaluateMany(db, sight, keyCatalogue, [EvaluationItem.parse({ tenant_id: id })])).data
    expect(one).toMatchObject({ error: 'tenant.not_found' })
    for (const query of [{}, { sort: 'name' }, { q: 'platform' }, { status: 'active' }, { plan: 'platform' }]) {
      expect((await listTenants(db, sight, TenantQuery.parse(query))).data).toEqual([])
    }
  })

  it('its slug is nobody else’s to have', async () => {
    const release = SlugRelease.parse({ reason: 'want it' })
    await expect(releaseSlug(db, testActor, Slug.parse('platform'), release)).rejects.toMatchObject({
      code: 'slug.in_use',
    })
  })

  it('shows its keys to the platform’s people and to nobody else', async () => {
    const expires_at = new Date(Date.now() + 86_400_000).toISOString()
    const key = await aKey(db, aKeyring(), id, { product: 'certifai', scopes: ['audit:publish'], expires_at })
    expect(key).toMatchObject({ audience: 'certifai', scopes: ['audit:publish'] })
    expect((await listApiKeys(db, { sight: operator }, id, {})).data.map((each) => each.id)).toEqual([key.id])
    expect((await findApiKeys(db, operator, key.prefix)).data).toHaveLength(1)
    for (const sight of [
      { kind: 'tenants', tenantIds: [id] },
      { kind: 'product', product: 'certifai' },
    ] as const) {
      await expect(listApiKeys(db, { sight }, id, {})).rejects.toMatchObject(notFound)
      expect((await findApiKeys(db, sight, key.prefix)).data).toEqual([])
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

it('goes and comes with its migration', async () => {
  const one = await migratedDatabase()
  try {
    const migrator = createMigrator({ connectionString: one.ownerUrl, runtimeRole: undefined })
    await migrator.down({ steps: 1 })
    const gone = (await as(one.ownerUrl, `select from registry.slugs where slug = 'platform'`)) as { rowCount: number }
    expect(gone.rowCount).toBe(0)
    await migrator.up()
    const back = (await as(one.ownerUrl, `select from tenants where slug = 'platform'`)) as { rowCount: number }
    expect(back.rowCount).toBe(1)
  } finally {
    await one.drop()
  }
})
