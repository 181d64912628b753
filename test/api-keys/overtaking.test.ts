import {
  ApiKeyRevocation,
  archiveProject,
  createDb,
  createProject,
  type Db,
  hashCostMin,
  NewProject,
  revokeApiKey,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keyCatalogue, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aRelay } from '../postgres/relay.ts'
import { aHoldingRelay } from './holding-relay.ts'
import { aKey, aKeyring, aTenantWithProducts, codeOf, startVerifier } from './keys.ts'

/** What happens when news, answers and keys overtake each other. */
const keyring = aKeyring()
let database: TestDatabase
let db: Db
let owner: Client
let closers: (() => Promise<unknown>)[]

beforeEach(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  closers = []
})
afterEach(async () => {
  for (const close of closers.toReversed()) await close()
  await owner.end()
  await db.destroy()
  await database.drop()
})

async function aVerifier(options: Partial<Parameters<typeof startVerifier>[0]> = {}) {
  const { verifier, close } = await startVerifier({
    url: database.runtimeUrl,
    keyring,
    onFailure: () => undefined,
    ...options,
  })
  closers.push(close)
  return verifier
}

const manyKeys = async (count: number) => {
  const { id } = await aTenantWithProducts(db)
  return await Promise.all(Array.from({ length: count }, async () => (await aKey(db, keyring, id)).key))
}

describe('an answer of the database that is late', () => {
  it('is not kept when something changed meanwhile, and nobody who asks after the change waits for it', async () => {
    const relay = await aHoldingRelay(database.runtimeUrl)
    const verifier = await aVerifier({ url: relay.url })
    closers.push(() => relay.close())
    const tenant = await aTenantWithProducts(db)
    const { key, id } = await aKey(db, keyring, tenant.id)
    expect(await codeOf(verifier, key)).toBe('VALID')
    verifier.forgetAll()
    const answered = relay.hold('api_key_states')
    const early = codeOf(verifier, key)
    await answered
    await revokeApiKey(db, testActor, tenant.id, id, ApiKeyRevocation.parse({ reason: 'compromised' }))
    await verifier.settle()
    expect(await codeOf(verifier, key)).toBe('REVOKED')
    relay.release()
    // It was good when it was asked about.
    expect(await early).toBe('VALID')
    expect(await codeOf(verifier, key)).toBe('REVOKED')
  })

  it('about a project is not kept either', async () => {
    const relay = await aHoldingRelay(database.runtimeUrl)
    const verifier = await aVerifier({ url: relay.url })
    closers.push(() => relay.close())
    const tenant = await aTenantWithProducts(db)
    const input = NewProject.parse({ slug: 'web', name: 'Web' })
    const { id: project_id } = await createProject(db, testActor, keyCatalogue, tenant.id, input)
    const { key } = await aKey(db, keyring, tenant.id)
    expect(await codeOf(verifier, key)).toBe('VALID')
    await verifier.settle()
    const answered = relay.hold('api_key_project')
    const early = codeOf(verifier, key, { project_id })
    await answered
    await archiveProject(db, testActor, tenant.id, project_id)
    await verifier.settle()
    relay.release()
    expect(await early).toBe('VALID')
    expect(await codeOf(verifier, key, { project_id })).toBe('PROJECT_INACTIVE')
  })
})

describe('a revocation', () => {
  it('is looked for where nothing can be listened to from the beginning', async () => {
    const relay = await aRelay(database.runtimeUrl)
    relay.swallow()
    const verifier = await aVerifier({ listenUrl: relay.url })
    closers.push(() => relay.close())
    const tenant = await aTenantWithProducts(db)
    const { key, id } = await aKey(db, keyring, tenant.id)
    expect(await codeOf(verifier, key)).toBe('VALID')
    await revokeApiKey(db, testActor, tenant.id, id, ApiKeyRevocation.parse({ reason: 'compromised' }))
    await expect.poll(() => codeOf(verifier, key), { timeout: 10_000, interval: 20 }).toBe('REVOKED')
  })

  it('is found also when changes are missing in the middle of what is read', async () => {
    const verifier = await aVerifier()
    const tenant = await aTenantWithProducts(db)
    const { key, id } = await aKey(db, keyring, tenant.id)
    expect(await codeOf(verifier, key)).toBe('VALID')
    await verifier.settle()
    expect(await codeOf(verifier, key)).toBe('VALID')
    const rename = async () =>
      await owner.query(`update tenants set name = name || '.' where id <> $1 and slug like 'tenant-%'`, [tenant.id])
    await aTenantWithProducts(db)
    await owner.query('begin')
    await rename()
    await owner.query('set constraints all immediate')
    await owner.query('update api_keys set enabled = false where id = $1', [id])
    await rename()
    await owner.query(
      `delete from registry.changes where kind = 'api_key' and n > (select n - 3 from registry.change_counter)`,
    )
    await owner.query('commit')
    await verifier.settle()
    expect(await codeOf(verifier, key)).toBe('DISABLED')
  })
})

describe('more keys than are kept', () => {
  it('are verified all the same, one after another', async () => {
    const verifier = await aVerifier({ keysMax: 2 })
    const keys = await manyKeys(5)
    for (const key of [...keys, ...keys]) expect(await codeOf(verifier, key)).toBe('VALID')
    expect(verifier.counts.keys).toBe(2)
  })

  it('are verified all the same, at once, and each with one argon2', async () => {
    const verifier = await aVerifier({ keysMax: 2 })
    const keys = await manyKeys(8)
    const codes = await Promise.all(keys.map(async (key) => await codeOf(verifier, key).catch((error: Error) => error)))
    expect(codes).toEqual(keys.map(() => 'VALID'))
    expect(verifier.counts).toMatchObject({ keys: 2, argon2: 8 })
  })
})

describe('a better hash', () => {
  it('that waits for its row keeps nobody from being proven', async () => {
    const verifier = await aVerifier({ hashCost: { ...hashCostMin, timeCost: 3 }, lane: { width: 1 } })
    const [first = '', second = ''] = await manyKeys(2)
    await owner.query('begin')
    await owner.query('select from api_keys for update')
    const isWaiting = async () =>
      (
        await sql<{ pid: number }>`select pid from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like 'update%'`.execute(db)
      ).rows.length > 0
    expect(await codeOf(verifier, first)).toBe('VALID')
    await expect.poll(isWaiting).toBe(true)
    expect(await codeOf(verifier, second)).toBe('VALID')
    // Not after it had given up.
    const still = await isWaiting()
    await owner.query('rollback')
    expect(still).toBe(true)
  })

  it('costs a key that is in use one argon2 to make and one to prove', async () => {
    const verifier = await aVerifier({ hashCost: { ...hashCostMin, timeCost: 3 } })
    const [key = ''] = await manyKeys(1)
    await verifier.settle()
    const until = performance.now() + 400
    while (performance.now() < until) {
      expect(await codeOf(verifier, key)).toBe('VALID')
      await new Promise((done) => setImmediate(done))
    }
    // Proven by the old hash, made anew, and at most once more by the new one.
    expect(verifier.counts.argon2).toBeLessThanOrEqual(3)
  })
})
