import { createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  type IssuedApiKey,
  mintToken,
  newKeyringText,
  parseKeyring,
  platformTenant,
  type Tenant,
  TenantId,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toBase62 } from '../../packages/core/src/api-keys/base62.ts'
import { operatorClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aKey, aTenantWithProducts } from '../api-keys/keys.ts'
import { keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { masked } from './seen.ts'

/** Whoever brings what is no key for whom it is brought to is told the same, to the byte, whatever it is. */
const ringText = newKeyringText('strangers')
const ring = parseKeyring(ringText)

let provider: TestProvider
let server: ServerUnderTest
let tenant: Tenant
let certifai: IssuedApiKey
let compliance: IssuedApiKey
let registry: IssuedApiKey
/** What is nothing to anybody, by what is wrong with it. */
let nothing: Record<string, string>
/** Keys that are good or were, for others than CertifAI. */
let others: Record<string, string>

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  server = await startTestServer({
    AUTH_MODE: 'oidc',
    KEYCLOAK_ISSUER: provider.issuer,
    SECRETS_KEYRING_FILE: keyringFile(ringText),
  })
  tenant = await aTenantWithProducts(server.db, ['certifai', 'compliance'])
  const make = async (fields: Parameters<typeof aKey>[3], tenantId = tenant.id) =>
    await aKey(server.db, ring, tenantId, fields)
  certifai = await make({})
  compliance = await make({ scopes: ['compliance:read'] })
  registry = await make({ scopes: ['tenant:read'] })
  const revoked = await make({ scopes: ['compliance:read'] })
  const ended = { revoked_at: new Date(), revoked_reason: 'compromised' }
  await server.db.updateTable('api_keys').set(ended).where('id', '=', revoked.id).execute()
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  const platformKey = { product: 'compliance', scopes: ['audit:publish'], expires_at }
  const { text: unknown } = mintToken(ring, 'live')
  nothing = {
    'another length': `${certifai.key}0`,
    'a beginning': certifai.prefix,
    'another alphabet': `${certifai.key.slice(0, 40)}-${certifai.key.slice(41)}`,
    'another environment': certifai.key.replace('_live_', '_test_'),
    'a wrong CRC': certifai.key.slice(0, -1) + (certifai.key.endsWith('0') ? '1' : '0'),
    'a wrong MAC': mintToken(parseKeyring(newKeyringText('elsewhere')), 'live').text,
    'an id of nobody': unknown,
    'another secret': anotherSecretOf(certifai),
  }
  others = {
    'a key of another product': compliance.key,
    'one that has ended': revoked.key,
    'one of this API': registry.key,
    "one of the platform's own": (await make(platformKey, TenantId.parse(platformTenant))).key,
  }
})
afterAll(async () => {
  await server.stop()
  await provider.close()
})

/** A token with the prefix of a key and a secret that is not its own, as only who has the keyring can make one. */
function anotherSecretOf({ prefix }: IssuedApiKey): string {
  const secret = `${prefix}_${'7'.repeat(43)}`
  const mac = createHmac('sha256', ring.key('api-key-mac')).update(secret).digest().readUIntBE(0, 6) % 2 ** 47
  const marked = secret + toBase62(mac, 8)
  return marked + toBase62(crc32(marked), 6)
}

const bearer = async (claims: object) => ({
  authorization: `Bearer ${await provider.accessToken({ claims: { ...claims } })}`,
})
const asCertifai = async () => await bearer(productClaims('certifai'))

describe('a product that is shown what does not open it', () => {
  const questions: [string, () => object][] = [
    ['nothing more', () => ({})],
    ['scopes', () => ({ scopes: { all: ['certifai:read'], any: ['certifai:write'] } })],
    ['a project', () => ({ project_id: tenant.id })],
    ['an environment', () => ({ environment: 'test' })],
    ['an address', () => ({ client_ip: '203.0.113.7' })],
  ]

  it.each(questions)('is answered the same bytes about all of it, asked about %s', async (_, question) => {
    const headers = await asCertifai()
    const ask = async (key: string) =>
      masked(await server.call('POST', '/v1/api-keys/verify', { headers, json: { key, ...question() } }))
    const reference = await ask('nonsense')
    expect(reference.status).toBe(200)
    expect(JSON.parse(reference.text)).toEqual({
      valid: false,
      code: 'NOT_FOUND',
      api_key_id: null,
      tenant_id: null,
      project_id: null,
      environment: null,
      scopes: [],
      expires_at: null,
      tenant_status: null,
      max_age: 5,
    })
    // Twice: what the process knows by then must not show either.
    for (const _time of [1, 2]) {
      for (const [what, key] of Object.entries({ ...nothing, ...others, nothing: '' })) {
        expect(await ask(key), what).toEqual(reference)
      }
    }
  })

  it('is answered the same of each in a batch', async () => {
    const keys = [...Object.values(nothing), ...Object.values(others)]
    const json = { items: keys.map((key) => ({ key })) }
    const { text } = await server.call('POST', '/v1/api-keys/verify-batch', { headers: await asCertifai(), json })
    const one = await server.call('POST', '/v1/api-keys/verify', { headers: await asCertifai(), json: { key: 'x' } })
    expect(text).toBe(`{"data":[${keys.map(() => one.text).join(',')}]}`)
  })

  it('is told more only of its own, and the platform of all', async () => {
    const code = async (claims: object, key: string) => {
      const headers = await bearer(claims)
      return (await server.call('POST', '/v1/api-keys/verify', { headers, json: { key } })).body.code as string
    }
    expect(await code(productClaims('certifai'), certifai.key)).toBe('VALID')
    expect(await code(productClaims('compliance'), compliance.key)).toBe('VALID')
    expect(await code(productClaims('compliance'), others['one that has ended'] ?? '')).toBe('REVOKED')
    for (const key of [certifai.key, compliance.key, registry.key]) {
      expect(await code(operatorClaims('platform-operator'), key)).toBe('VALID')
    }
  })
})

describe('a request with a key that is none, or not for this API', () => {
  it.each([
    ['GET', '/v1/me'],
    ['GET', '/v1/tenants'],
    ['GET', `/v1/tenants/${platformTenant}/api-keys`],
    ['POST', '/v1/api-keys/verify'],
  ])('%s %s is refused with the same bytes and headers', async (method, path) => {
    const options = method === 'POST' ? { json: { key: 'nonsense' } } : {}
    const ask = async (key: string) => {
      const answer = await server.call(method, path, { ...options, headers: { authorization: `Bearer ${key}` } })
      expect(answer.body).toMatchObject({ instance: path, request_id: answer.headers.get('x-request-id') })
      return masked(answer)
    }
    const reference = await ask('bpk_nonsense')
    expect(reference.status).toBe(401)
    expect(JSON.parse(reference.text)).toMatchObject({ code: 'auth.api_key_invalid' })
    expect(new Map(reference.headers).get('www-authenticate')).toContain('invalid_token')
    const { 'one of this API': _mine, "one of the platform's own": _speaks, ...elsewhere } = others
    for (const _time of [1, 2]) {
      for (const [what, key] of Object.entries({ ...nothing, ...elsewhere, certifai: certifai.key })) {
        expect(await ask(key), what).toEqual(reference)
      }
    }
  })

  it('hears why only if it brings the right secret of one that was', async () => {
    const ended = await aKey(server.db, ring, tenant.id, { scopes: ['tenant:read'] })
    const change = { revoked_at: new Date(), revoked_reason: 'compromised' }
    await server.db.updateTable('api_keys').set(change).where('id', '=', ended.id).execute()
    const ask = async (key: string) =>
      await server.call('GET', '/v1/me', { headers: { authorization: `Bearer ${key}` } })
    expect(await ask(ended.key)).toMatchObject({ status: 401, body: { code: 'auth.api_key_refused' } })
    expect(await ask(anotherSecretOf(ended))).toMatchObject({ status: 401, body: { code: 'auth.api_key_invalid' } })
  })
})

it('whoever ends what leaked is answered nothing, whatever it is, and only what is a key ends', async () => {
  const mine = await aKey(server.db, ring, tenant.id)
  const end = async (key: string) => {
    const { status, headers, text } = await server.call('POST', '/v1/api-keys/revoke', { json: { key } })
    // What is left of the address's requests says how many it made, and nothing else.
    return { status, text, headers: [...headers].filter(([name]) => !/^(?:date|x-request-id|ratelimit)$/.test(name)) }
  }
  const reference = await end('nonsense')
  expect(reference).toMatchObject({ status: 204, text: '' })
  const untouched = async () => await server.db.selectFrom('api_keys').select(['id', 'version']).orderBy('id').execute()
  const before = await untouched()
  for (const [what, key] of Object.entries(nothing)) expect(await end(key), what).toEqual(reference)
  expect(await untouched()).toEqual(before)
  expect(await end(mine.key)).toEqual(reference)
  expect(await end(mine.key)).toEqual(reference)
  const { revoked_reason } = await server.db
    .selectFrom('api_keys')
    .select('revoked_reason')
    .where('id', '=', mine.id)
    .executeTakeFirstOrThrow()
  expect(revoked_reason).toBe('compromised')
})
