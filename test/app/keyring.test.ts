import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { mintToken, newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { aKey, aTenantWithProducts } from '../api-keys/keys.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { startProcess } from './process.ts'

/**
 * What happens to API keys when the keyring changes: the steps of docs/runbooks/lost-keyring-key.md, on real servers
 * that share a database.
 */
let database: TestDatabase
let first: ServerUnderTest
let tenantId: string
const oldText = newKeyringText('old')
const newText = newKeyringText('new')
const both = JSON.stringify({
  current: 'new',
  keys: { ...JSON.parse(oldText).keys, ...JSON.parse(newText).keys },
})
const oldRing = parseKeyring(oldText)

beforeAll(async () => {
  database = await migratedDatabase()
  first = await startTestServer({ SECRETS_KEYRING_FILE: keyringFile(oldText) }, database)
  const { id } = await aTenantWithProducts(first.db)
  tenantId = id
})
afterAll(async () => {
  await first.stop()
  await database.drop()
})

async function start(text: string, env: Record<string, string> = {}): Promise<ServerUnderTest> {
  const server = await startTestServer({ SECRETS_KEYRING_FILE: keyringFile(text), ...env }, database)
  onTestFinished(async () => await server.stop())
  return server
}

const keys = () => `/v1/tenants/${tenantId}/api-keys`
const issue = async (server: ServerUnderTest) => {
  const { status, body } = await server.call('POST', keys(), { json: { name: 'Key', scopes: ['certifai:read'] } })
  expect(status).toBe(201)
  return body as { id: string; key: string; prefix: string }
}
const codeAt = async (server: ServerUnderTest, key: string) =>
  (await server.call('POST', '/v1/api-keys/verify', { json: { key } })).body.code
const ready = async (server: ServerUnderTest) => await server.call('GET', '/readyz')

describe('a key of the keyring that is added', () => {
  it('takes nothing from the keys that were issued before', async () => {
    const key = await issue(first)
    const second = await start(both)
    expect((await ready(second)).status).toBe(200)
    expect(await codeAt(second, key.key)).toBe('VALID')
    const newer = await issue(second)
    expect(await codeAt(second, newer.key)).toBe('VALID')
    // A server that has not got it yet knows none of its keys, and says so.
    expect(await codeAt(first, newer.key)).toBe('NOT_FOUND')
    const { status, body } = await ready(first)
    expect(status).toBe(503)
    expect(body.detail).toContain('the keyring has no key new')
    await second.call('POST', `${keys()}/${newer.id}/revoke`, { json: { reason: 'over' } })
    expect((await ready(first)).status).toBe(200)
  })
})

describe('a key of the keyring that is mistyped', () => {
  it('is no reason to say NOT_FOUND while healthy, and makes nothing', async () => {
    await issue(first)
    const other = newKeyringText('old')
    const wrong = await start(other)
    const { status, body } = await ready(wrong)
    expect(status).toBe(503)
    expect(body.detail).toContain("the keyring's key old is not the one")
    expect(JSON.stringify(body)).not.toContain(JSON.parse(other).keys.old)
    const refused = await wrong.call('POST', keys(), { json: { name: 'Key', scopes: ['certifai:read'] } })
    expect([refused.status, refused.body.code]).toEqual([503, 'secrets.kid_unfit'])
  })
})

describe('a key of the keyring that is lost', () => {
  it('takes its API keys with it, until argon2 decides about them, one by one', async () => {
    const key = await issue(first)
    const without = await start(newText)
    expect(await codeAt(without, key.key)).toBe('NOT_FOUND')
    expect((await ready(without)).status).toBe(503)

    const observing = await start(newText, { API_KEY_MAC: 'observe' })
    const { status, body } = await ready(observing)
    expect([status, body.notes[0].code]).toEqual([200, 'keyring_kid_lost'])
    expect(await codeAt(observing, key.key)).toBe('VALID')
    expect(await codeAt(observing, key.key)).toBe('VALID')

    // A forger still has to have the secret, and for keys whose kid is there the MAC too.
    const forged = mintToken(oldRing, 'live').text
    expect(await codeAt(observing, key.prefix + forged.slice(21))).toBe('NOT_FOUND')
    const newer = await issue(observing)
    expect(await codeAt(observing, newer.key.slice(0, 21) + forged.slice(21))).toBe('NOT_FOUND')

    const rotated = await observing.call('POST', `${keys()}/${key.id}/rotate`, { json: { overlap_seconds: 0 } })
    expect(rotated.status, rotated.text).toBe(201)
    const later = await start(newText)
    expect(await codeAt(later, rotated.body.key)).toBe('VALID')
    expect(await codeAt(later, key.key)).toBe('NOT_FOUND')
  })
})

describe('secrets status', () => {
  const run = (text: string, verb = 'status') =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      const args = ['--conditions=@breakpilot/source', 'apps/server/src/secrets.ts', verb]
      const env = {
        PATH: process.env['PATH'],
        APP_ENV: 'dev',
        DATABASE_URL: database.runtimeUrl,
        SECRETS_KEYRING_FILE: keyringFile(text),
      }
      const cwd = resolve(import.meta.dirname, '../..')
      execFile(process.execPath, args, { cwd, env }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })

  it('says what depends on each key of the ring, and ends with 1 when something is wrong', async () => {
    await issue(first)
    const fine = await run(both)
    expect(fine.stderr).toBe('')
    expect(fine.stdout).toMatch(/^new +current +ok +\d+ +0 +new things are made with it$/m)
    expect(fine.stdout).toMatch(/^old +ok +[1-9]\d* +0 +rotate its API keys before you remove it$/m)
    expect(fine.code).toBe(0)

    const missing = await run(newText)
    expect(missing.stdout).toMatch(/^old +missing +[1-9]\d* .*API_KEY_MAC=observe$/m)
    expect(missing.code).toBe(1)

    const wrong = await run(JSON.stringify({ current: 'old', keys: { old: JSON.parse(newText).keys.new } }))
    expect(wrong.stdout).toMatch(/^old +current +different /m)
    expect(wrong.code).toBe(1)
    for (const { stdout } of [fine, missing, wrong]) {
      for (const secret of Object.values(JSON.parse(both).keys as object)) expect(stdout).not.toContain(secret)
    }
  })

  it('makes keys, and says what it can do', async () => {
    const made = await run(both, 'new-key')
    expect(Buffer.from(made.stdout.trim(), 'base64')).toHaveLength(32)
    expect(await run(both, 'nonsense')).toMatchObject({ code: 2, stdout: '' })
  })
})

it('a use that was not written down yet is, when the server stops', async () => {
  const key = await aKey(first.db, oldRing, tenantId as never)
  const running = startProcess({
    APP_ENV: 'dev',
    AUTH_MODE: 'off',
    ADDR: '127.0.0.1:0',
    DATABASE_URL: database.runtimeUrl,
    SECRETS_KEYRING_FILE: keyringFile(oldText),
  })
  const url = await running.listening
  const answer = await fetch(`${url}/v1/api-keys/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: key.key, client_ip: '203.0.113.7' }),
  })
  expect(await answer.json()).toMatchObject({ code: 'VALID' })
  expect((await first.call('GET', `${keys()}/${key.id}`)).body.last_used_at).toBeNull()
  running.child.kill('SIGTERM')
  expect(await running.ended).toBe(0)
  const used = await first.call('GET', `${keys()}/${key.id}`)
  expect(used.body).toMatchObject({ last_used_ip: '203.0.113.7', version: 1 })
  expect(Date.now() - Date.parse(used.body.last_used_at)).toBeLessThan(60_000)
})
