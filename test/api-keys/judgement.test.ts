import {
  ApiKeyChanges,
  ApiKeyRevocation,
  ApiKeyVerifier,
  type ChangeListener,
  createCatalogue,
  createDb,
  type Db,
  mintToken,
  NewProject,
  createProject,
  archiveProject,
  revokeAllApiKeys,
  revokeApiKey,
  TenantProductChanges,
  Transition,
  transitionTenant,
  updateApiKey,
  updateTenantProduct,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant, keyCatalogue, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aKey, aKeyring, aTenantWithProducts, codeOf, startVerifier, whole } from './keys.ts'

/** What is said of a key, in which order: each test takes one more thing away, and hears of the first. */
let database: TestDatabase
let db: Db
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
  ;({ verifier, changes, close } = await startVerifier({ url: database.runtimeUrl, keyring }))
})
afterAll(async () => {
  await close()
  await db.destroy()
  await database.drop()
})

/** What is said after everything that was done so far. */
async function said(key: string, question: object = {}): Promise<string> {
  await verifier.settle()
  return await codeOf(verifier, key, question)
}
const asProduct = async (product: string, key: string) => {
  await verifier.settle()
  return await verifier.verify({ key }, { asker: { kind: 'product', product }, caller: 'test' })
}
const step = async (id: Parameters<typeof transitionTenant>[3], to: 'frozen' | 'active' | 'archived') =>
  await transitionTenant(db, testActor, keyCatalogue, id, Transition.parse({ to, reason: 'migration' }))
const change = async (
  id: Parameters<typeof updateApiKey>[4],
  tenantId: Parameters<typeof updateApiKey>[3],
  to: object,
) => await updateApiKey(db, testActor, keyCatalogue, tenantId, id, ApiKeyChanges.parse(to))

describe('the first thing that is wrong is what is said', () => {
  it('from the scopes back to the audience', async () => {
    const tenant = await aTenantWithProducts(db)
    const project = await createProject(
      db,
      testActor,
      keyCatalogue,
      tenant.id,
      NewProject.parse({ slug: 'web', name: 'W' }),
    )
    const ends = new Date(Date.now() + 1_500)
    const key = await aKey(db, keyring, tenant.id, {
      project_id: project.id,
      ip_allow: ['203.0.113.0/24'],
      expires_at: ends.toISOString(),
    })
    const wrong = { scopes: ['certifai:write'] }
    const good = { client_ip: '203.0.113.9', environment: 'live', project_id: project.id }
    expect(await said(key.key, { ...good, scopes: ['certifai:read'] })).toBe('VALID')
    expect(await said(key.key, { ...good, ...wrong })).toBe('INSUFFICIENT_SCOPE')
    expect(await said(key.key, { ...good, ...wrong, client_ip: '203.0.114.9' })).toBe('IP_NOT_ALLOWED')
    expect(await said(key.key, { ...wrong, environment: 'live' })).toBe('IP_NOT_ALLOWED')
    const bad = { ...wrong, client_ip: '::1', environment: 'test' }
    expect(await said(key.key, { ...bad, project_id: project.id })).toBe('ENVIRONMENT_MISMATCH')
    const worse = { ...bad, project_id: '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f' }
    expect(await said(key.key, worse)).toBe('PROJECT_MISMATCH')
    await archiveProject(db, testActor, tenant.id, project.id)
    expect(await said(key.key, worse)).toBe('PROJECT_INACTIVE')
    const off = TenantProductChanges.parse({ enabled: false })
    await updateTenantProduct(db, testActor, keyCatalogue, tenant.id, 'certifai', off)
    expect(await said(key.key, worse)).toBe('PRODUCT_NOT_ASSIGNED')
    await step(tenant.id, 'frozen')
    expect(await said(key.key, worse)).toBe('TENANT_INACTIVE')
    await change(key.id, tenant.id, { enabled: false })
    expect(await said(key.key, worse)).toBe('DISABLED')
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ends.getTime() - Date.now()) + 5))
    expect(await said(key.key, worse)).toBe('EXPIRED')
    await revokeApiKey(db, testActor, tenant.id, key.id, ApiKeyRevocation.parse({ reason: 'over' }))
    expect(await said(key.key, worse)).toBe('REVOKED')
    // To a product that it does not open there is no such key, whatever is wrong with it.
    const unknown = await asProduct('compliance', 'nonsense')
    expect(await asProduct('compliance', key.key)).toEqual(unknown)
    expect((await asProduct('certifai', key.key)).code).toBe('REVOKED')
  })
})

describe('the tenant', () => {
  it('gives its keys back their life when it is unfrozen, and none when it comes back from the archive', async () => {
    const tenant = await aTenantWithProducts(db)
    const key = await aKey(db, keyring, tenant.id)
    expect(await said(key.key)).toBe('VALID')
    await step(tenant.id, 'frozen')
    expect(await said(key.key)).toBe('TENANT_INACTIVE')
    await step(tenant.id, 'active')
    expect(await said(key.key)).toBe('VALID')
    await step(tenant.id, 'frozen')
    await step(tenant.id, 'archived')
    expect(await said(key.key)).toBe('REVOKED')
    await step(tenant.id, 'frozen')
    await step(tenant.id, 'active')
    expect(await said(key.key)).toBe('REVOKED')
    const later = await aKey(db, keyring, tenant.id)
    expect(await said(later.key)).toBe('VALID')
  })

  it('whose trial ends takes its keys along at that instant, and no answer outlives it', async () => {
    const ends = Date.now() + 2_400
    const tenant = await aTenant(db, { plan: 'professional', trial_ends_at: new Date(ends).toISOString() })
    const key = await aKey(db, keyring, tenant.id, { scopes: ['tenant:read'] })
    const verify = async () => await verifier.verify({ key: key.key }, { asker: { kind: 'platform' }, caller: 'test' })
    const { code, max_age } = await verify()
    expect(code).toBe('VALID')
    expect(Date.now() + max_age * 1000).toBeLessThanOrEqual(ends)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ends - Date.now()) + 5))
    expect(await verify()).toMatchObject({ code: 'TENANT_INACTIVE', tenant_status: 'frozen' })
  })

  it('ends all keys up to that moment, also when the clock was set back since they were made', async () => {
    const tenant = await aTenantWithProducts(db)
    const key = await aKey(db, keyring, tenant.id)
    await sql`update api_keys set created_at = now() + interval '1 hour' where id = ${key.id}`.execute(db)
    expect(await said(key.key)).toBe('VALID')
    await revokeAllApiKeys(db, testActor, tenant.id, ApiKeyRevocation.parse({ reason: 'compromised' }))
    expect(await said(key.key)).toBe('REVOKED')
    const later = await aKey(db, keyring, tenant.id)
    expect(await said(later.key)).toBe('VALID')
    expect(later.created_at.getTime()).toBeGreaterThan(Date.now())
  })
})

describe('a product', () => {
  it('that is retired opens nothing any more', async () => {
    const tenant = await aTenantWithProducts(db)
    const key = await aKey(db, keyring, tenant.id)
    const without = createCatalogue([...keyCatalogue.products.values()].filter((each) => each.key !== 'certifai'))
    const other = new ApiKeyVerifier({ db, catalogue: without, keyring, changes, onFailure })
    expect(await codeOf(other, key.key)).toBe('PRODUCT_NOT_ASSIGNED')
  })
})

describe('a stranger', () => {
  it('hears the same of every token, and asks neither the database nor argon2', async () => {
    const key = await aKey(db, keyring, (await aTenantWithProducts(db)).id)
    expect(await said(key.key)).toBe('VALID')
    const forged = mintToken(aKeyring(), 'live').text
    const wrong = whole(key.key.slice(0, 65) + forged.slice(65, 73))
    const tokens = [
      'nonsense',
      '',
      '\0',
      '\ud800',
      'x'.repeat(100_000),
      forged,
      key.prefix + forged.slice(21),
      wrong,
      key.key.slice(0, -1) + (key.key.endsWith('0') ? '1' : '0'),
      `${key.key}0`,
      ` ${key.key}`,
    ]
    const before = verifier.counts
    const asking = { asker: { kind: 'platform' }, caller: 'x' } as const
    const answers = new Set(tokens.map((text) => JSON.stringify(verifier.verify({ key: text }, asking))))
    expect(answers.size).toBe(1)
    for (let number = 0; number < 5_000; number += 1) {
      // One of nobody's, and one with all of a real key but its MAC.
      const { code } = await verifier.verify({ key: number % 2 ? forged : wrong }, asking)
      if (code !== 'NOT_FOUND') throw new Error(code)
    }
    const after = verifier.counts
    expect([after.argon2 - before.argon2, after.reads - before.reads]).toEqual([0, 0])
  })
})
