import {
  ApiKeyVerifier,
  archiveProject,
  type ChangeListener,
  createCatalogue,
  createDb,
  createProject,
  type Db,
  NewProject,
  NewTenantProduct,
  parseManifest,
  platformTenant,
  ProjectId,
  putTenantProduct,
  removeTenantProduct,
  restoreProject,
  type Tenant,
  TenantId,
  TenantProductChanges,
  Transition,
  transitionTenant,
  updateTenantProduct,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { aTenant, keyCatalogue, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aKey, aKeyring, aTenantWithProducts, codeOf, startVerifier } from './keys.ts'

/** What a key depends on beside itself: the tenant, its products, its projects, the time, and who asks. */
let database: TestDatabase
let db: Db
let owner: Client
let changes: ChangeListener
let close: () => Promise<void>
let verifier: ApiKeyVerifier
const keyring = aKeyring()
const onFailure = (error: Error) => {
  throw error
}

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  ;({ verifier, changes, close } = await startVerifier({ url: database.runtimeUrl, keyring }))
})
afterEach(() => void vi.restoreAllMocks())
afterAll(async () => {
  await close()
  await owner.end()
  await db.destroy()
  await database.drop()
})

const asking = { asker: { kind: 'platform' }, caller: 'test' } as const
async function said(key: string, question: object = {}): Promise<string> {
  await verifier.settle()
  return await codeOf(verifier, key, question)
}
/** What is said at another time. */
async function saidAt(ms: number, key: string) {
  await verifier.settle()
  await verifier.verify({ key }, asking)
  vi.spyOn(Date, 'now').mockReturnValue(ms)
  const { code, max_age } = await verifier.verify({ key }, asking)
  vi.restoreAllMocks()
  return [code, max_age]
}
const step = async ({ id }: Tenant, to: 'frozen' | 'active' | 'archived') =>
  await transitionTenant(db, testActor, keyCatalogue, id, Transition.parse({ to, reason: 'migration' }))
const terms = async ({ id }: Tenant, to: object) =>
  await updateTenantProduct(db, testActor, keyCatalogue, id, 'certifai', TenantProductChanges.parse(to))
const aProject = async ({ id }: Tenant, slug: string) =>
  await createProject(db, testActor, keyCatalogue, id, NewProject.parse({ slug, name: slug }))

describe('the product', () => {
  it('is had within its window alone, and no answer outlives that', async () => {
    const tenant = await aTenantWithProducts(db)
    const { key } = await aKey(db, keyring, tenant.id)
    const [from, until] = [Date.now() + 3_600_000, Date.now() + 7_200_000]
    await terms(tenant, { valid_from: new Date(from).toISOString(), valid_until: new Date(until).toISOString() })
    expect(await saidAt(from - 1, key)).toEqual(['PRODUCT_NOT_ASSIGNED', 5])
    expect(await saidAt(from, key)).toEqual(['VALID', 5])
    expect(await saidAt(until - 5_000, key)).toEqual(['VALID', 5])
    expect(await saidAt(until - 4_999, key)).toEqual(['VALID', 4])
    expect(await saidAt(until - 1, key)).toEqual(['VALID', 0])
    expect(await saidAt(until, key)).toEqual(['PRODUCT_NOT_ASSIGNED', 5])
  })

  it('that was taken away, or switched off, comes back with all of its keys', async () => {
    const tenant = await aTenantWithProducts(db)
    const { key } = await aKey(db, keyring, tenant.id)
    const own = await aKey(db, keyring, tenant.id, { scopes: ['tenant:read'] })
    await terms(tenant, { enabled: false })
    expect(await said(key)).toBe('PRODUCT_NOT_ASSIGNED')
    await terms(tenant, { enabled: true })
    expect(await said(key)).toBe('VALID')
    await removeTenantProduct(db, testActor, keyCatalogue, tenant.id, 'certifai')
    expect(await said(key)).toBe('PRODUCT_NOT_ASSIGNED')
    // What opens this API depends on no product.
    expect(await said(own.key)).toBe('VALID')
    await putTenantProduct(db, testActor, keyCatalogue, tenant.id, 'certifai', NewTenantProduct.parse({}))
    expect(await said(key)).toBe('VALID')
  })

  it('whose manifest says that it is retired opens nothing any more, to nobody', async () => {
    const tenant = await aTenantWithProducts(db)
    const { key } = await aKey(db, keyring, tenant.id)
    const text = `{ key: certifai, name: C, status: retired, owner: x, supports_projects: true, scopes: [certifai:read] }`
    const catalogue = createCatalogue([parseManifest(text, 'certifai.yaml')])
    const other = new ApiKeyVerifier({ db, catalogue, keyring, changes, onFailure })
    expect(await codeOf(other, key)).toBe('PRODUCT_NOT_ASSIGNED')
  })
})

describe('the end of a key', () => {
  it('is that very millisecond, and no answer outlives it', async () => {
    const tenant = await aTenantWithProducts(db)
    const ends = Date.now() + 3_600_000
    const { key } = await aKey(db, keyring, tenant.id, { expires_at: new Date(ends).toISOString() })
    for (const [before, expected] of [
      [60_000, ['VALID', 5]],
      [5_000, ['VALID', 5]],
      [4_999, ['VALID', 4]],
      [1_000, ['VALID', 1]],
      [1, ['VALID', 0]],
      [0, ['EXPIRED', 5]],
      [-60_000, ['EXPIRED', 5]],
    ] as const) {
      expect([before, ...(await saidAt(ends - before, key))]).toEqual([before, ...expected])
    }
  })
})

describe('the project', () => {
  it('of a bound key is the only one it is good for, as long as that is active', async () => {
    const tenant = await aTenantWithProducts(db)
    const [web, shop] = [await aProject(tenant, 'web'), await aProject(tenant, 'shop')]
    const { key } = await aKey(db, keyring, tenant.id, { project_id: web.id })
    expect(await said(key)).toBe('VALID')
    expect(await said(key, { project_id: web.id })).toBe('VALID')
    expect(await said(key, { project_id: shop.id })).toBe('PROJECT_MISMATCH')
    await archiveProject(db, testActor, tenant.id, web.id)
    expect(await said(key)).toBe('PROJECT_INACTIVE')
    expect(await said(key, { project_id: shop.id })).toBe('PROJECT_INACTIVE')
    await restoreProject(db, testActor, keyCatalogue, tenant.id, web.id)
    expect(await said(key, { project_id: web.id })).toBe('VALID')
  })

  it('that a key of the whole tenant is asked about has to be one of the tenant, and active', async () => {
    const [tenant, other] = [await aTenantWithProducts(db), await aTenantWithProducts(db)]
    const [web, theirs] = [await aProject(tenant, 'web'), await aProject(other, 'web')]
    const { key } = await aKey(db, keyring, tenant.id)
    // Twice: read, and known.
    for (const _time of [1, 2]) {
      expect(await said(key, { project_id: web.id })).toBe('VALID')
      expect(await said(key, { project_id: theirs.id })).toBe('PROJECT_MISMATCH')
      const nobodys = ProjectId.parse('0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f')
      expect(await said(key, { project_id: nobodys })).toBe('PROJECT_MISMATCH')
    }
    await archiveProject(db, testActor, tenant.id, web.id)
    expect(await said(key, { project_id: web.id })).toBe('PROJECT_INACTIVE')
    expect(await said(key)).toBe('VALID')
    await restoreProject(db, testActor, keyCatalogue, tenant.id, web.id)
    expect(await said(key, { project_id: web.id })).toBe('VALID')
  })
})

describe('what ended all keys of a tenant', () => {
  it('ended those of that very millisecond, and none of the next', async () => {
    const tenant = await aTenantWithProducts(db)
    const [at, later] = [await aKey(db, keyring, tenant.id), await aKey(db, keyring, tenant.id)]
    const moment = new Date(Date.now() + 60_000)
    const next = new Date(moment.getTime() + 1)
    await owner.query('update api_keys set created_at = $2 where id = $1', [at.id, moment])
    await owner.query('update tenants set keys_valid_after = $2 where id = $1', [tenant.id, moment])
    await owner.query('update api_keys set created_at = $2 where id = $1', [later.id, next])
    expect([await said(at.key), await said(later.key)]).toEqual(['REVOKED', 'VALID'])
  })

  it('leaves none out that were made while a long transaction was archiving it', async () => {
    const tenant = await aTenantWithProducts(db)
    await step(tenant, 'frozen')
    await owner.query('begin')
    await owner.query('select now()')
    const { key } = await aKey(db, keyring, tenant.id)
    await owner.query(`update tenants set status = 'archived' where id = $1`, [tenant.id])
    await owner.query('commit')
    expect(await said(key)).toBe('REVOKED')
    await step(tenant, 'frozen')
    await step(tenant, 'active')
    expect(await said(key)).toBe('REVOKED')
  })

  it('leaves none out when it was archived after the clock had been set back', async () => {
    const tenant = await aTenantWithProducts(db)
    const { key, id } = await aKey(db, keyring, tenant.id)
    await sql`update api_keys set created_at = now() + interval '1 hour' where id = ${id}`.execute(db)
    await step(tenant, 'frozen')
    await step(tenant, 'archived')
    await step(tenant, 'frozen')
    await step(tenant, 'active')
    expect(await said(key)).toBe('REVOKED')
  })
})

describe('who asks', () => {
  const identified = async (key: string) => await verifier.identify(key, undefined, { caller: 'test' })

  it('hears of a key only if it opens them: a product, this API, or who runs the platform', async () => {
    const tenant = await aTenantWithProducts(db)
    const { key } = await aKey(db, keyring, tenant.id)
    const own = await aKey(db, keyring, tenant.id, { scopes: ['tenant:read'] })
    const as = async (product: string, brought: string) =>
      (await verifier.verify({ key: brought }, { asker: { kind: 'product', product }, caller: 'test' })).code
    // Twice: before anything is known of the key, and after.
    for (const _time of [1, 2]) {
      expect([await as('compliance', key), await as('certifai', own.key)]).toEqual(['NOT_FOUND', 'NOT_FOUND'])
      expect(await identified(key)).toEqual({ ok: false, code: 'NOT_FOUND' })
      expect([await as('certifai', key), await said(key), await said(own.key)]).toEqual(['VALID', 'VALID', 'VALID'])
      expect(await identified(own.key)).toMatchObject({ ok: true, key: { id: own.id, tenant_id: tenant.id } })
    }
  })

  it('with a key of the platform’s own speaks for a product that there is, for as long as there is one', async () => {
    const expires_at = new Date(Date.now() + 86_400_000).toISOString()
    const platform = TenantId.parse(platformTenant)
    const made = await aKey(db, keyring, platform, { product: 'certifai', scopes: ['audit:publish'], expires_at })
    expect(await said(made.key)).toBe('VALID')
    expect(await identified(made.key)).toMatchObject({ ok: true, key: { audience: 'certifai', tenant_id: platform } })
    const without = createCatalogue([...keyCatalogue.products.values()].filter((each) => each.key !== 'certifai'))
    const other = new ApiKeyVerifier({ db, catalogue: without, keyring, changes, onFailure })
    expect(await other.identify(made.key, undefined, { caller: 'test' })).toMatchObject({ ok: false })
    // Brought to the product as if it were a customer's, it is that of a tenant without the product.
    const asker = { kind: 'product', product: 'certifai' } as const
    expect((await verifier.verify({ key: made.key }, { asker, caller: 'test' })).code).toBe('PRODUCT_NOT_ASSIGNED')
  })

  it('for a key of the platform’s own that opens a tenant’s things, or has no end, asks in vain', async () => {
    const platform = TenantId.parse(platformTenant)
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
    const fields = { product: 'certifai', scopes: ['audit:publish'], expires_at: day(1) }
    const refused = async (changed: object) =>
      await aKey(db, keyring, platform, { ...fields, ...changed }).then(
        () => 'made',
        ({ code }: { code: string }) => code,
      )
    expect(await refused({ scopes: ['certifai:read'] })).toBe('api_key.scope_unknown')
    expect(await refused({ scopes: ['tenant:read'] })).toBe('api_key.scope_unknown')
    expect(await refused({ product: 'nothing' })).toBe('product.unknown')
    expect(await refused({ product: undefined })).toBe('request.invalid')
    expect(await refused({ expires_at: null })).toBe('api_key.policy_violated')
    expect(await refused({ expires_at: day(401) })).toBe('api_key.policy_violated')
    expect(await refused({})).toBe('made')
    const tenant = await aTenant(db, { status: 'active', plan: 'professional' })
    await expect(aKey(db, keyring, tenant.id, { product: 'certifai', scopes: ['tenant:read'] })).rejects.toMatchObject({
      code: 'request.invalid',
    })
  })
})
