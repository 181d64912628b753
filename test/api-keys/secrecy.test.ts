import { newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { aTenantWithProducts } from './keys.ts'

/** A key is shown once and kept nowhere: its secret is looked for in everything that the registry writes. */
const text = newKeyringText('secrecy')
let server: ServerUnderTest
let owner: Client

beforeAll(async () => {
  server = await startTestServer({ SECRETS_KEYRING_FILE: keyringFile(text), LOG_LEVEL: 'trace' })
  owner = new Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await server.stop()
})

/** Everything that is stored, as text; bytes as hex and as what they may spell. */
async function everythingStored(): Promise<string> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'registry')`,
  )
  const texts = []
  for (const { name } of tables) {
    const { rows } = await owner.query<{ row: string }>(`select t::text as row from ${name} t`)
    texts.push(...rows.map(({ row }) => row))
  }
  const all = texts.join('\n')
  const bytes = [...all.matchAll(/\\\\?x([0-9a-f]{2,})/g)].map(([, hex = '']) =>
    Buffer.from(hex, 'hex').toString('latin1'),
  )
  return `${all}\n${bytes.join('\n')}`
}

it('the secret of a key is in no table, no log line and no answer but the one that shows it', async () => {
  const tenant = await aTenantWithProducts(server.db)
  const keys = `/v1/tenants/${tenant.id}/api-keys`
  const answers: string[] = []
  const call = async (method: string, path: string, options: Parameters<typeof server.call>[2] = {}) => {
    const answer = await server.call(method, path, options)
    answers.push(`${JSON.stringify([...answer.headers])}\n${answer.text}`)
    return answer
  }
  const once = { 'idempotency-key': 'a-key-once' }
  const json = { name: 'Key', scopes: ['certifai:read'] }
  const issued = await server.call('POST', keys, { json, headers: once })
  const replayed = await server.call('POST', keys, { json, headers: once })
  expect(replayed.headers.get('idempotency-replayed')).toBe('true')
  expect(replayed.body).toEqual(issued.body)
  const rotated = await server.call('POST', `${keys}/${issued.body.id}/rotate`, { json: {} })
  expect(rotated.status).toBe(201)
  const tokens: string[] = [issued.body.key, rotated.body.key]

  for (const key of tokens) {
    await call('POST', '/v1/api-keys/verify', { json: { key } })
    await call('POST', '/v1/api-keys/verify', { json: { key, scopes: ['certifai:write'] } })
    await call('POST', '/v1/api-keys/verify-batch', { json: { items: [{ key }, { key: `${key}x` }] } })
    // And wherever it does not belong.
    await call('POST', '/v1/api-keys/verify', { json: { key, [key]: key, project_id: key, client_ip: key } })
    await call('POST', '/v1/api-keys/verify', {
      body: `{"key":"${key}`,
      headers: { 'content-type': 'application/json' },
    })
    await call('POST', '/v1/api-keys/verify', { body: key, headers: { 'content-type': 'text/plain' } })
    await call('POST', keys, { json: { name: 'x', scopes: [key] } })
    await call('POST', keys, { json: { name: 'x', scopes: ['certifai:read'], expires_at: key, ip_allow: [key] } })
    await call('GET', `/v1/api-keys?prefix=${key}`)
    await call('GET', `${keys}?cursor=${key}&status=${key}`)
    await call('GET', '/v1/me', { headers: { authorization: `Basic ${key}` } })
    await call('GET', '/v1/me', { headers: { authorization: key } })
    await call('GET', '/v1/me', { headers: { authorization: `Bearer ${key}` } })
    await call('GET', '/v1/me', { headers: { authorization: `Bearer ${key} ${key}` } })
    await call('GET', `/v1/${key}`)
    await call('GET', `/v1/tenants/${key}`)
    await call('GET', `/v1/tenants/by-slug/${key}`)
    await call('GET', keys)
    await call('GET', `${keys}/${issued.body.id}`)
    await call('GET', `/v1/tenants/${tenant.id}/export`)
    await call('GET', `/v1/audit/events?tenant_id=${tenant.id}`)
    await call('POST', '/v1/api-keys/revoke', { json: { key } })
    await call('POST', '/v1/api-keys/verify', { json: { key } })
  }
  const stored = await everythingStored()
  const logged = JSON.stringify(server.log)
  for (const key of tokens) {
    const secret = key.slice(22, 65)
    expect(stored.includes(secret)).toBe(false)
    expect(logged.includes(secret)).toBe(false)
    expect(answers.filter((each) => each.includes(key))).toEqual([])
    expect(stored.includes(key.slice(0, 21))).toBe(true)
  }
  for (const secret of parseKeyring(text).kids.map((kid) => JSON.parse(text).keys[kid] as string)) {
    expect(logged.includes(secret) || stored.includes(secret)).toBe(false)
  }
})
