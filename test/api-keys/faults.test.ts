import { createDb, type Db, newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { toBase62 } from '../../packages/core/src/api-keys/base62.ts'
import { startProcess } from '../app/process.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { keyringFile, startTestServer } from '../server.ts'
import { aKey, aTenantWithProducts, codeOf, startVerifier, whole } from './keys.ts'

/** What breaks beside the registry, and that it says nothing wrong about keys because of that. */
const ringText = newKeyringText()
const keyring = parseKeyring(ringText)
let database: TestDatabase
let db: Db
let owner: Client
let closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
})
afterEach(async () => {
  for (const close of closers.toReversed()) await close()
  closers = []
})
afterAll(async () => {
  await owner.end()
  await db.destroy()
  await database.drop()
})

async function aServer(ring = ringText) {
  const server = await startTestServer({ SECRETS_KEYRING_FILE: keyringFile(ring) }, database)
  closers.push(() => server.stop())
  return server
}

describe('a database whose sessions end in the middle of a verification', () => {
  it('is 503 for one key and for many, and nothing wrong is said then or later', async () => {
    const server = await aServer()
    const { key } = await aKey(db, keyring, (await aTenantWithProducts(db)).id)
    const one = async () => await server.call('POST', '/v1/api-keys/verify', { json: { key } })
    const many = async () => await server.call('POST', '/v1/api-keys/verify-batch', { json: { items: [{ key }] } })
    for (const verify of [one, many]) {
      await owner.query('begin')
      // What the state is read from, and nothing else of the request.
      await owner.query('lock table tenant_projects in access exclusive mode')
      const answer = verify()
      await expect.poll(endWaiting, { timeout: 20_000 }).toBeGreaterThan(0)
      const { status, body, headers } = await answer
      await owner.query('rollback')
      expect([status, body.code]).toEqual([503, 'database.unavailable'])
      expect(headers.get('retry-after')).toMatch(/^[1-9]/)
    }
    expect((await one()).body).toMatchObject({ code: 'VALID' })
    expect((await many()).body.data).toMatchObject([{ code: 'VALID' }])
  })

  /** Ends the sessions that wait for the lock, and says how many those were. */
  async function endWaiting(): Promise<number> {
    const { rows } = await sql<{ ended: boolean }>`
      select pg_terminate_backend(pid) as ended from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
    return rows.length
  }
})

describe('a server that is told to stop', () => {
  it('writes down what was used until then', async () => {
    const { key, id } = await aKey(db, keyring, (await aTenantWithProducts(db)).id)
    const server = startProcess({
      APP_ENV: 'dev',
      AUTH_MODE: 'off',
      ADDR: '127.0.0.1:0',
      DATABASE_URL: database.runtimeUrl,
      SECRETS_KEYRING_FILE: keyringFile(ringText),
    })
    const url = await server.listening
    const begun = Date.now()
    const answer = await fetch(`${url}/v1/api-keys/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key, client_ip: '203.0.113.7' }),
    })
    expect(await answer.json()).toMatchObject({ code: 'VALID' })
    const uses = async () =>
      await db.selectFrom('registry.api_key_usage').selectAll().where('api_key_id', '=', id).execute()
    expect(await uses()).toEqual([])
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    const [use] = await uses()
    expect(use?.last_used_ip).toBe('203.0.113.7')
    expect(use?.last_used_at.getTime()).toBeGreaterThanOrEqual(begun)
  })
})

describe('a server with another key of the same name in its keyring', () => {
  it('knows no key of the others, asks nobody about them, issues none, and says that it is not ready', async () => {
    const { key, tenant_id } = await aKey(db, keyring, (await aTenantWithProducts(db)).id)
    const misfit = await aServer(newKeyringText())
    const right = await aServer()
    const verify = async (server: typeof right) =>
      (await server.call('POST', '/v1/api-keys/verify', { json: { key } })).body.code as string
    expect([await verify(misfit), await verify(right)]).toEqual(['NOT_FOUND', 'VALID'])
    const before = await db.selectFrom('api_keys').select('id').execute()
    const issued = await misfit.call('POST', `/v1/tenants/${tenant_id}/api-keys`, {
      json: { name: 'Key', scopes: ['certifai:read'] },
    })
    expect([issued.status, issued.body.code]).toEqual([503, 'secrets.kid_unfit'])
    expect(await db.selectFrom('api_keys').select('id').execute()).toEqual(before)
    expect((await misfit.call('GET', '/readyz')).status).toBe(503)
    expect((await right.call('GET', '/readyz')).status).toBe(200)
    expect([await verify(misfit), await verify(right)]).toEqual(['NOT_FOUND', 'VALID'])
  })
})

describe('a ring with one key more', () => {
  const { keys } = JSON.parse(ringText) as { keys: object }
  const more = JSON.parse(newKeyringText('k2')) as { keys: object }
  const both = parseKeyring(JSON.stringify({ current: 'k2', keys: { ...keys, ...more.keys } }))

  it('knows the keys of both, and each under the one alone that it was issued under', async () => {
    const verifier = await aVerifier(both)
    const first = await aKey(db, keyring, (await aTenantWithProducts(db)).id)
    const second = await aKey(db, both, first.tenant_id)
    expect(await codeOf(verifier, remarked(first.key, 'k2'))).toBe('NOT_FOUND')
    expect(await codeOf(verifier, remarked(second.key, 'k1'))).toBe('NOT_FOUND')
    expect(verifier.counts.argon2).toBe(0)
    expect([await codeOf(verifier, first.key), await codeOf(verifier, second.key)]).toEqual(['VALID', 'VALID'])
    expect(await codeOf(verifier, remarked(first.key, 'k2'))).toBe('NOT_FOUND')
    expect([remarked(first.key, 'k1'), remarked(second.key, 'k2')]).toEqual([first.key, second.key])
    // Those who do not have the new key of the ring yet do not know what was made with it.
    expect(await codeOf(await aVerifier(), second.key)).toBe('NOT_FOUND')
  })

  /** The same secret with its MAC made by another key of the ring, as only who has the ring can make it. */
  function remarked(key: string, kid: string): string {
    const secret = key.slice(0, 65)
    const mac = both.mac('api-key-mac', Buffer.from(secret), kid).readUIntBE(0, 6) % 2 ** 47
    return whole(secret + toBase62(mac, 8))
  }
})

async function aVerifier(ring = keyring) {
  const { verifier, close } = await startVerifier({ url: database.runtimeUrl, keyring: ring })
  closers.push(close)
  return verifier
}
