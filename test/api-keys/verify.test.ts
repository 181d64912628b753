import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let server: ServerUnderTest
let tenantId: string

beforeAll(async () => {
  server = await startTestServer()
  const { body } = await server.call('POST', '/v1/tenants', {
    json: { slug: 'acme', name: 'Acme', status: 'active', plan: 'professional' },
  })
  tenantId = body.id
  await server.call('PUT', `/v1/tenants/${tenantId}/products/certifai`, { json: {} })
})
afterAll(async () => await server.stop())

const keysOf = () => `/v1/tenants/${tenantId}/api-keys`
const issue = async (fields: object = {}) => {
  const answer = await server.call('POST', keysOf(), { json: { name: 'Key', scopes: ['certifai:read'], ...fields } })
  expect(answer.status, answer.text).toBe(201)
  return answer.body
}
const verify = async (key: string, question: object = {}) =>
  (await server.call('POST', '/v1/api-keys/verify', { json: { key, ...question } })).body

describe('a key', () => {
  it('is good from the moment that it was shown until it is revoked', async () => {
    const key = await issue()
    expect(key.key).toMatch(/^bpk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{57}$/)
    expect(await verify(key.key)).toEqual({
      valid: true,
      code: 'VALID',
      api_key_id: key.id,
      tenant_id: tenantId,
      project_id: null,
      environment: 'live',
      scopes: ['certifai:read'],
      expires_at: null,
      tenant_status: null,
      max_age: 5,
    })
    const revoked = await server.call('POST', `${keysOf()}/${key.id}/revoke`, { json: { reason: 'no_longer_needed' } })
    expect(revoked.body).toMatchObject({ status: 'revoked', revoked_reason: 'no_longer_needed', version: 2 })
    expect((await verify(key.key)).code).toBe('REVOKED')
  })

  it('lives on beside the one that takes its place, for as long as was said', async () => {
    const key = await issue()
    const rotated = await server.call('POST', `${keysOf()}/${key.id}/rotate`, { json: { overlap_seconds: 3600 } })
    expect(rotated.status, rotated.text).toBe(201)
    expect(rotated.body).toMatchObject({ family_id: key.id, replaced_by: null, scopes: key.scopes })
    expect((await verify(key.key)).code).toBe('VALID')
    expect((await verify(rotated.body.key)).code).toBe('VALID')
    const again = await server.call('POST', `${keysOf()}/${key.id}/rotate`, { json: {} })
    expect([again.status, again.body.code]).toEqual([409, 'api_key.replaced'])
  })

  it('dies with all others of its tenant, and those that are made afterwards live', async () => {
    const key = await issue()
    expect((await verify(key.key)).code).toBe('VALID')
    const all = await server.call('POST', `${keysOf()}/revoke-all`, { json: { reason: 'compromised' } })
    expect(all.status, all.text).toBe(200)
    expect((await verify(key.key)).code).toBe('REVOKED')
    const shown = await server.call('GET', `${keysOf()}/${key.id}`)
    expect(shown.body).toMatchObject({ status: 'revoked', revoked_reason: 'compromised', version: 1 })
    expect((await verify((await issue()).key)).code).toBe('VALID')
  })

  it('is ended by whoever holds it, and nothing is said', async () => {
    const key = await issue()
    const end = async (text: string) => {
      const { status, text: body } = await server.call('POST', '/v1/api-keys/revoke', { json: { key: text } })
      return [status, body]
    }
    expect(await end('nonsense')).toEqual([204, ''])
    expect(await end(key.key)).toEqual([204, ''])
    expect(await end(key.key)).toEqual([204, ''])
    expect((await verify(key.key)).code).toBe('REVOKED')
    const found = await server.call('GET', `/v1/api-keys?prefix=${key.prefix}`)
    expect(found.body.data[0]).toMatchObject({ id: key.id, revoked_reason: 'compromised', revoked_by: key.id })
  })

  it('says who it is to this API, and does there what its scopes say', async () => {
    const key = await issue({ scopes: ['tenant:read', 'api_keys:*'] })
    const headers = { authorization: `Bearer ${key.key}` }
    const me = await server.call('GET', '/v1/me', { headers })
    expect(me.body).toMatchObject({ kind: 'api-key', id: key.id, api_key: { tenant_id: tenantId } })
    expect((await server.call('GET', `/v1/tenants/${tenantId}`, { headers })).status).toBe(200)
    expect((await server.call('GET', `/v1/tenants/${tenantId}/projects`, { headers })).status).toBe(403)
    const made = await server.call('POST', keysOf(), { headers, json: { name: 'less', scopes: ['tenant:read'] } })
    expect(made.status, made.text).toBe(201)
    const more = await server.call('POST', keysOf(), { headers, json: { name: 'more', scopes: ['audit:read'] } })
    expect([more.status, more.body.code]).toEqual([403, 'api_key.grant_exceeded'])
  })
})
