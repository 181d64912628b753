import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { mintToken, newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { toBase62 } from '../../packages/core/src/api-keys/base62.ts'
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

/** A token for a key that somebody saw the beginning of: everything fits, but what only the ring's key can make. */
function forgery(prefix: string): string {
  const [, , , rest = ''] = mintToken(parseKeyring(newKeyringText()), 'live').text.split('_')
  const marked = `${prefix}_${rest.slice(0, 51)}`
  return marked + toBase62(crc32(marked), 6)
}

async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('a key of the keyring that is lost', () => {
  it('takes its API keys with it, until argon2 decides about them, one by one', async () => {
    const key = await issue(first)
    const without = await start(newText)
    expect(await codeAt(without, key.key)).toBe('NOT_FOUND')
    const unready = await ready(without)
    const problem = 'the keyring has no key old, and API keys that were issued under it can still be used'
    expect([unready.status, unready.body.detail]).toEqual([503, `keyring: ${problem}`])

    const port = await aFreePort()
    const observing = await start(newText, { API_KEY_MAC: 'observe', METRICS_ADDR: `127.0.0.1:${port}` })
    const argon2 = async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      return Number(/^tenant_registry_argon2_total (\d+)$/m.exec(metrics)?.[1])
    }
    const { status, body } = await ready(observing)
    expect([status, body.notes]).toEqual([200, [{ code: 'keyring_kid_lost', message: problem }]])
    // A forger still has to have the secret.
    expect(await codeAt(observing, forgery(key.prefix))).toBe('NOT_FOUND')
    expect(await argon2()).toBe(1)
    expect(await codeAt(observing, key.key)).toBe('VALID')
    expect(await argon2()).toBe(2)
    // What is proven needs no argon2, whatever is brought.
    expect(await codeAt(observing, key.key)).toBe('VALID')
    expect(await codeAt(observing, forgery(key.prefix))).toBe('NOT_FOUND')
    // Nor do tokens of keys whose kid is there, without its MAC.
    const newer = await issue(observing)
    expect(await codeAt(observing, forgery(newer.prefix))).toBe('NOT_FOUND')
    expect(await argon2()).toBe(2)

    const rotated = await observing.call('POST', `${keys()}/${key.id}/rotate`, { json: { overlap_seconds: 0 } })
    expect(rotated.status, rotated.text).toBe(201)
    const later = await start(newText)
    expect(await codeAt(later, rotated.body.key)).toBe('VALID')
    expect(await codeAt(later, key.key)).toBe('NOT_FOUND')
  })

  it('is no obstacle any more when the last of its API keys has ended', async () => {
    await issue(first)
    const without = await start(newText)
    expect((await ready(without)).status).toBe(503)
    const live = await first.db
      .selectFrom('api_keys')
      .select('id')
      .where('issuer_kid', '=', 'old')
      .where('revoked_at', 'is', null)
      .execute()
    for (const { id } of live) await first.call('POST', `${keys()}/${id}/revoke`, { json: { reason: 'over' } })
    const { status, body } = await ready(without)
    expect([status, body.notes]).toEqual([200, []])
  })
})

describe('a server that observes', () => {
  it('does not put up with a key that is another one', async () => {
    await issue(first)
    const wrong = await start(newKeyringText('old'), { API_KEY_MAC: 'observe' })
    const { status, body } = await ready(wrong)
    expect([status, body.detail]).toEqual([
      503,
      "keyring: the keyring's key old is not the one that API keys were issued under by that name",
    ])
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

    // Nothing but a kept answer with a secret in it.
    await first.db
      .insertInto('registry.idempotency')
      .values({
        digest: Buffer.alloc(32),
        fingerprint: Buffer.alloc(32),
        status: 201,
        sealed: Buffer.alloc(1),
        kid: 'gone',
      })
      .execute()
    const answers = await run(both)
    expect(answers.stdout).toMatch(/^gone +missing +0 +1 +put it back for a day/m)
    expect(answers.code).toBe(1)
    await first.db.deleteFrom('registry.idempotency').where('kid', '=', 'gone').execute()

    const more = JSON.parse(both) as { current: string; keys: Record<string, string> }
    const prepared = await run(JSON.stringify({ ...more, keys: { ...more.keys, next: more.keys['new'] } }))
    expect(prepared.stdout).toMatch(/^next +unused +0 +0 +can be removed, or made current/m)
    expect(prepared.code).toBe(0)

    await first.call('POST', `${keys()}/revoke-all`, { json: { reason: 'over' } })
    const over = await run(both)
    expect(over.stdout).toMatch(/^old +ok +0 +0 +can be removed a day after it was last current$/m)
    expect(over.code).toBe(0)
    for (const { stdout } of [fine, missing, wrong, answers, prepared, over]) {
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
