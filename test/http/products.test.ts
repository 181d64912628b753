import { assignProduct, type Tenant } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSigningKey, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let provider: TestProvider
let server: ServerUnderTest
let oidc: ServerUnderTest
let tenant: Tenant

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  server = await startTestServer()
  oidc = await startTestServer({ AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer }, server.database)
})
afterAll(async () => {
  await oidc.stop()
  await server.stop()
  await provider.close()
})
beforeEach(async () => {
  tenant = await aTenant(server.db, { status: 'active', plan: 'professional' })
})

const path = (rest = '') => `/v1/tenants/${tenant.id}/products${rest}`
const call = (method: string, rest: string, json?: object, headers: Record<string, string> = {}) =>
  server.call(method, path(rest), { ...(json && { json }), headers })
const as = async (claims: object, method: string, url: string, json?: object) => {
  const token = await provider.accessToken({ claims: { ...claims } })
  return await oidc.call(method, url, { ...(json && { json }), headers: { authorization: `Bearer ${token}` } })
}
const service = (product: string) => ({
  azp: product,
  resource_access: { 'tenant-registry': { roles: ['product-service'] } },
})
const give = (product: string) => assignProduct(server.db, testActor, testCatalogue, tenant.id, product)

describe('the catalogue', () => {
  it('shows what the manifests say, and nothing of how products sign in', async () => {
    const { body } = await server.call('GET', '/v1/products')
    expect(body).toMatchObject({ has_more: false, next_cursor: null })
    expect(body.data.map(({ key }: { key: string }) => key)).toEqual(['certifai', 'compliance'])
    const certifai = await server.call('GET', '/v1/products/certifai')
    expect(certifai.body).toEqual(body.data[0])
    expect(certifai.body).toMatchObject({
      key: 'certifai',
      name: 'CertifAI',
      status: 'active',
      supports_projects: true,
      default_config: { region: 'eu' },
      limits: { projects: 3 },
      plans: { professional: { config: {}, limits: { projects: 25 }, features: ['reports', 'api'] } },
      requires: [],
    })
    expect(Object.keys(certifai.body)).not.toContain('client_id')
    expect(Object.keys(certifai.body)).not.toContain('audit_group')
  })

  it('has a tag, which stays', async () => {
    const { headers } = await server.call('GET', '/v1/products/certifai')
    const known = { headers: { 'if-none-match': headers.get('etag') ?? '' } }
    expect((await server.call('GET', '/v1/products/certifai', known)).status).toBe(304)
  })
})

describe('a product of a tenant', () => {
  it('is given, changed and taken away, each time with the tag of what it is then', async () => {
    const given = await call('PUT', '/certifai', { config: { region: 'us' }, source: 'stripe' })
    expect(given).toMatchObject({
      status: 200,
      body: { tenant_id: tenant.id, product: 'certifai', enabled: true, config: { region: 'us' }, version: 1 },
    })
    expect(given.headers.get('etag')).toMatch(/^"1-/)
    expect((await call('PUT', '/certifai', { source: 'stripe', config: { region: 'us' } })).headers.get('etag')).toBe(
      given.headers.get('etag'),
    )
    const patched = await call('PATCH', '/certifai', { config: { region: null } }, { 'if-match': '"1"' })
    expect(patched.body).toMatchObject({ config: {}, source: 'stripe', version: 2 })
    expect((await call('GET', '/certifai')).body).toEqual(patched.body)
    expect((await call('GET', '')).body).toEqual({ data: [patched.body], has_more: false, next_cursor: null })
    expect((await call('DELETE', '/certifai', undefined, { 'if-match': '"1"' })).body).toMatchObject({
      code: 'resource.version_stale',
      current_version: 2,
    })
    expect(await call('DELETE', '/certifai', undefined, { 'if-match': '"2"' })).toMatchObject({ status: 204, text: '' })
    expect(await call('GET', '/certifai')).toMatchObject({ status: 404, body: { code: 'tenant_product.not_found' } })
    expect(await call('PUT', '/certifai', {}, { 'if-match': '"2"' })).toMatchObject({ status: 412 })
  })

  it('is refused with a pointer for everything that is wrong with its configuration', async () => {
    const { status, body } = await call('PUT', '/certifai', { config: { region: 'mars', model: '', colour: 1 } })
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'tenant_product.config_invalid' })
    expect(body.errors.map(({ pointer, code }: Record<string, string>) => [pointer, code]).sort()).toEqual([
      ['/config/colour', 'unknown'],
      ['/config/model', 'minLength'],
      ['/config/region', 'enum'],
    ])
  })

  it.each<[string, object, string]>([
    ['a configuration that is none', { config: [] }, '/config'],
    ['a text that cannot be kept', { config: { model: 'a\0' } }, '/config/model'],
    ['a limit below nothing', { limits: { projects: -1 } }, '/limits/projects'],
    ['a blank source', { source: ' ' }, '/source'],
    [
      'a window that is none',
      { valid_from: '2030-01-01T00:00:00Z', valid_until: '2029-01-01T00:00:00Z' },
      '/valid_until',
    ],
    ['a moment that is none', { valid_from: 'soon' }, '/valid_from'],
    ['another tenant', { tenant_id: 'x' }, '/tenant_id'],
  ])('is refused with %s, at its place', async (_, json, pointer) => {
    const { status, body } = await call('PUT', '/certifai', json)
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'request.invalid' })
    expect(body.errors).toMatchObject([{ pointer }])
  })

  it('is tried without changing anything by a dry run', async () => {
    const tried = await call('PUT', '/certifai?dry_run=true', { limits: { projects: 1 } })
    expect(tried).toMatchObject({
      status: 200,
      body: {
        before: { product: 'certifai', access: 'none', reason: 'not_assigned' },
        after: { access: 'full', limits: { projects: { value: 1, source: 'tenant' } } },
      },
    })
    expect((await call('GET', '')).body.data).toEqual([])
    await give('certifai')
    expect((await call('PATCH', '/certifai?dry_run=true', { enabled: false })).body).toMatchObject({
      before: { reason: 'granted' },
      after: { reason: 'disabled' },
    })
    expect((await call('DELETE', '/certifai?dry_run=true')).body).toMatchObject({
      before: { reason: 'granted' },
      after: { reason: 'not_assigned' },
    })
    expect((await call('GET', '/certifai')).body).toMatchObject({ enabled: true, version: 1 })
    expect(await call('PATCH', '/certifai?dry_run=true', { config: { region: 'mars' } })).toMatchObject({ status: 400 })
  })
})

describe('who sees and changes it', () => {
  beforeEach(async () => {
    await give('certifai')
    await give('compliance')
  })

  it('a product sees itself, where it is, and changes nothing', async () => {
    const keys = (await as(service('certifai'), 'GET', path())).body.data.map(
      ({ product }: { product: string }) => product,
    )
    expect(keys).toEqual(['certifai'])
    expect((await as(service('certifai'), 'GET', path('/certifai'))).status).toBe(200)
    expect(await as(service('certifai'), 'GET', path('/compliance'))).toMatchObject({
      status: 404,
      body: { code: 'tenant_product.not_found' },
    })
    const without = (await aTenant(server.db)).id
    expect((await as(service('certifai'), 'GET', `/v1/tenants/${without}/products`)).status).toBe(404)
    expect((await as(service('certifai'), 'PATCH', path('/certifai'), { enabled: false })).status).toBe(403)
    expect((await as(service('certifai'), 'GET', '/v1/products')).status).toBe(200)
  })

  it('the people of a tenant see all of theirs, and change none', async () => {
    const admin = { registry_roles: [`${tenant.id}:tenant-admin`] }
    expect((await as(admin, 'GET', path())).body.data).toHaveLength(2)
    expect((await as(admin, 'PUT', path('/certifai'), {})).status).toBe(403)
    expect((await as(admin, 'DELETE', path('/certifai'))).status).toBe(403)
    const stranger = { registry_roles: [`${(await aTenant(server.db)).id}:tenant-admin`] }
    expect((await as(stranger, 'GET', path('/certifai'))).body).toMatchObject({ code: 'tenant.not_found' })
  })

  it('billing changes terms, and support does not', async () => {
    const role = (name: string) => ({ resource_access: { 'tenant-registry': { roles: [name] } } })
    const terms = { source: 'stripe', valid_until: '2030-01-01T00:00:00Z' }
    expect((await as(role('platform-billing'), 'PATCH', path('/certifai'), terms)).body).toMatchObject({
      source: 'stripe',
      valid_until: '2030-01-01T00:00:00.000Z',
    })
    expect((await as(role('platform-support'), 'GET', path('/certifai'))).status).toBe(200)
    expect((await as(role('platform-support'), 'PATCH', path('/certifai'), terms)).status).toBe(403)
  })
})
