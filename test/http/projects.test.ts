import { assignProduct, type Tenant, Transition, transitionTenant } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSigningKey, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let provider: TestProvider
let server: ServerUnderTest
let oidc: ServerUnderTest
let tenant: Tenant
let made = 0

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
  tenant = await aTenant(server.db, { status: 'active', plan: 'starter' })
  await assignProduct(server.db, testActor, testCatalogue, tenant.id, 'certifai')
})

const path = (rest = '') => `/v1/tenants/${tenant.id}/projects${rest}`
const call = (method: string, rest: string, json?: object, headers: Record<string, string> = {}) =>
  server.call(method, path(rest), { ...(json && { json }), headers })
const create = (fields: object = {}, headers: Record<string, string> = {}) => {
  made += 1
  return call('POST', '', { slug: `project-${made}`, name: 'A project', ...fields }, headers)
}
const as = async (claims: object, method: string, url: string, json?: object) => {
  const token = await provider.accessToken({ claims: { ...claims } })
  return await oidc.call(method, url, { ...(json && { json }), headers: { authorization: `Bearer ${token}` } })
}

describe('a project', () => {
  it('is created where it says, with the tag that it is read with', async () => {
    const created = await create({ slug: 'website', labels: { stage: 'live' } })
    expect(created).toMatchObject({
      status: 201,
      body: {
        tenant_id: tenant.id,
        slug: 'website',
        labels: { stage: 'live' },
        effective_status: 'active',
        version: 1,
      },
    })
    const location = created.headers.get('location') ?? ''
    expect(location).toBe(path(`/${created.body.id}`))
    const read = await server.call('GET', location)
    expect(read.body).toEqual(created.body)
    expect(read.headers.get('etag')).toBe(created.headers.get('etag'))
    const known = await server.call('GET', location, { headers: { 'if-none-match': read.headers.get('etag') ?? '' } })
    expect(known.status).toBe(304)
  })

  it('is created once, however often the same request comes with its key', async () => {
    const key = { 'idempotency-key': 'one-project' }
    const first = await create({ slug: 'once' }, key)
    const again = await create({ slug: 'once' }, key)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await call('GET', '')).body.data).toHaveLength(1)
  })

  it('is archived once by a request that is repeated, also after it was restored', async () => {
    const { id } = (await create()).body
    const key = { 'idempotency-key': 'archive-it' }
    const first = await call('POST', `/${id}/archive`, undefined, key)
    expect(first).toMatchObject({ status: 200, body: { status: 'archived', version: 2 } })
    await call('POST', `/${id}/restore`)
    expect((await call('POST', `/${id}/archive`, undefined, key)).body).toEqual(first.body)
    expect((await call('GET', `/${id}`)).body).toMatchObject({ status: 'active', version: 3 })
  })

  it('is changed by who has seen its version, and keeps its slug', async () => {
    const { id } = (await create()).body
    const patch = (json: object, ifMatch: string) => call('PATCH', `/${id}`, json, { 'if-match': ifMatch })
    expect(await patch({ name: 'New' }, '"1"')).toMatchObject({ status: 200, body: { name: 'New', version: 2 } })
    expect(await patch({ name: 'Newer' }, '"1"')).toMatchObject({ status: 412, body: { current_version: 2 } })
    const refused = await patch({ slug: 'other', status: 'archived' }, '*')
    expect(refused.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/slug', '/status'])
    for (const verb of ['archive', 'restore']) {
      const stale = await call('POST', `/${id}/${verb}`, undefined, { 'if-match': '"1"' })
      expect(stale).toMatchObject({ status: 412, body: { code: 'resource.version_stale', current_version: 2 } })
    }
  })

  it('is one of as many as the plan allows', async () => {
    for (let n = 0; n < 3; n += 1) expect((await create()).status).toBe(201)
    expect(await create()).toMatchObject({ status: 409, body: { code: 'project.quota_exceeded' } })
    await server.call('PATCH', `/v1/tenants/${tenant.id}/products/certifai`, { json: { limits: { projects: 4 } } })
    expect((await create()).status).toBe(201)
  })

  it('needs a product with projects, and the problem says which products there are', async () => {
    const other = await aTenant(server.db)
    await assignProduct(server.db, testActor, testCatalogue, other.id, 'compliance')
    const json = { slug: 'website', name: 'x' }
    expect(await server.call('POST', `/v1/tenants/${other.id}/projects`, { json })).toMatchObject({
      status: 409,
      body: { code: 'project.not_supported', products: ['compliance'] },
    })
  })
})

describe('the projects of a tenant', () => {
  it('come in pages, newest first', async () => {
    for (const slug of ['one', 'two', 'three']) await create({ slug })
    const first = await call('GET', '?limit=2')
    expect(first.body).toMatchObject({ has_more: true, data: [{ slug: 'three' }, { slug: 'two' }] })
    const second = await call('GET', `?limit=2&cursor=${first.body.next_cursor}`)
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null, data: [{ slug: 'one' }] })
    const elsewhere = await call('GET', `?limit=2&status=archived&cursor=${first.body.next_cursor}`)
    expect(elsewhere).toMatchObject({ status: 400, body: { code: 'page.cursor_invalid' } })
  })

  it('belong to its own people, and do not exist for others', async () => {
    const { id } = (await create()).body
    const admin = { registry_roles: [`${tenant.id}:tenant-admin`] }
    const viewer = { registry_roles: [`${tenant.id}:tenant-viewer`] }
    const stranger = { registry_roles: [`${(await aTenant(server.db)).id}:tenant-admin`] }
    const json = { name: 'By its own' }
    expect(await as(admin, 'PATCH', path(`/${id}`), json)).toMatchObject({ status: 200, body: json })
    expect((await as(viewer, 'GET', path(`/${id}`))).status).toBe(200)
    expect((await as(viewer, 'PATCH', path(`/${id}`), json)).status).toBe(403)
    for (const [method, url] of [
      ['GET', path()],
      ['GET', path(`/${id}`)],
      ['POST', path(`/${id}/archive`)],
    ] as const) {
      expect(await as(stranger, method, url)).toMatchObject({ status: 404, body: { code: 'tenant.not_found' } })
    }
  })

  it('cannot be reached by way of another tenant', async () => {
    const { id } = (await create()).body
    const other = await aTenant(server.db)
    const admin = { registry_roles: [`${other.id}:tenant-admin`] }
    const notFound = { status: 404, body: { code: 'project.not_found' } }
    const url = `/v1/tenants/${other.id}/projects/${id}`
    expect(await as(admin, 'GET', url)).toMatchObject(notFound)
    expect(await as(admin, 'POST', `${url}/archive`)).toMatchObject(notFound)
    expect((await call('GET', `/${id}`)).body.status).toBe('active')
  })

  it('are frozen with their tenant, for reading only', async () => {
    const { id } = (await create()).body
    const admin = { registry_roles: [`${tenant.id}:tenant-admin`] }
    const step = Transition.parse({ to: 'frozen', reason: 'payment_overdue' })
    await transitionTenant(server.db, testActor, testCatalogue, tenant.id, step)
    expect((await as(admin, 'GET', path(`/${id}`))).body).toMatchObject({
      status: 'active',
      effective_status: 'frozen',
    })
    const refused = { status: 409, body: { code: 'tenant.frozen' } }
    expect(await as(admin, 'POST', path(`/${id}/archive`))).toMatchObject(refused)
    expect(await as(admin, 'POST', path(), { slug: 'more', name: 'x' })).toMatchObject(refused)
  })
})
