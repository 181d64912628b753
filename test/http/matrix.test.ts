import { type TenantId, TenantSummary, Transition, transitionTenant } from '@breakpilot/tenant-core'
import { type Route, routes } from '@breakpilot/tenant-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberClaims, operatorClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, type Claims, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { testActor, testCatalogue } from '../builders.ts'
import { type Answer, keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { platformOnly, requestOf, type Scene, sceneFor, sceneKeyringText } from './scene.ts'
import { documentOf, keysOf, masked, versionsOf } from './seen.ts'

/**
 * Every role against every operation, from the array of routes. The server, its database, the provider and its tokens
 * are real; each request that changes something has a tenant of its own, so that none is in another's way.
 */
const roles = {
  owner: () => operatorClaims('platform-owner'),
  operator: () => operatorClaims('platform-operator'),
  billing: () => operatorClaims('platform-billing'),
  support: () => operatorClaims('platform-support'),
  auditor: () => operatorClaims('platform-auditor'),
  admin: (id: TenantId) => memberClaims({ own: [id, 'tenant-admin'] }),
  viewer: (id: TenantId) => memberClaims({ own: [id, 'tenant-viewer'] }),
  product: () => productClaims('certifai'),
  nobody: () => ({ sub: 'nobody' }),
} as const satisfies Record<string, (id: TenantId) => Claims>
type RoleName = keyof typeof roles
const roleNames = Object.keys(roles) as RoleName[]

const everybody = 'owner operator billing support auditor admin viewer product'
const operators = 'owner operator'
const platformAlone = 'owner operator billing support auditor'
const ofThePlatform: ReadonlySet<string> = new Set(platformAlone.split(' '))
/** Who may do what: what is not named here is refused. Written by hand, and compared with what the server does. */
const allowed: Readonly<Record<string, string>> = {
  createTenant: operators,
  importTenants: operators,
  listTenants: everybody,
  getTenant: everybody,
  getTenantBySlug: everybody,
  getTenantByErpId: platformAlone,
  getTenantByStripeId: platformAlone,
  updateTenant: 'owner operator billing admin',
  transitionTenant: operators,
  purgeTenant: 'owner',
  getLegalHold: 'owner',
  placeLegalHold: 'owner',
  liftLegalHold: 'owner',
  releaseSlug: 'owner',
  exportTenant: 'owner operator support auditor admin viewer',
  createProject: 'owner operator admin',
  listProjects: 'owner operator support auditor admin viewer product',
  getProject: 'owner operator support auditor admin viewer product',
  updateProject: 'owner operator admin',
  archiveProject: 'owner operator admin',
  restoreProject: 'owner operator admin',
  listProducts: everybody,
  getProduct: everybody,
  listTenantProducts: everybody,
  getTenantProduct: everybody,
  putTenantProduct: 'owner operator billing',
  updateTenantProduct: 'owner operator billing',
  removeTenantProduct: 'owner operator billing',
  getEntitlements: everybody,
  evaluateEntitlements: everybody,
  listChanges: 'owner operator billing support auditor product',
  issueApiKey: 'owner operator admin',
  listApiKeys: 'owner operator support auditor admin',
  revokeAllApiKeys: 'owner operator support admin',
  getApiKey: 'owner operator support auditor admin',
  updateApiKey: 'owner operator admin',
  rotateApiKey: 'owner operator admin',
  revokeApiKey: 'owner operator support admin',
  findApiKeys: 'owner operator support auditor',
  verifyApiKey: 'owner operator product',
  verifyApiKeys: 'owner operator product',
  getMe: `${everybody} nobody`,
  // It takes a key that says which product speaks.
  publishAuditEvents: '',
  listAuditEvents: 'owner operator support auditor admin viewer',
  verifyAuditStream: 'owner operator support auditor',
  listAuditCheckpoints: 'owner operator support auditor',
  listAuditSigningKeys: 'owner operator support auditor',
  issueAuditViewerToken: 'owner operator support auditor',
  endAuditViewerToken: 'owner operator support auditor',
  exportAuditEvents: 'owner operator support auditor admin viewer',
  listAuditStreams: 'owner operator support auditor',
  listAuditStreamEvents: 'owner operator support auditor',
  getAuditEvent: 'owner operator support auditor admin viewer',
}

/** What of a tenant only some may change. */
const patches: Partial<Record<RoleName, object>> = { billing: { plan: 'enterprise', erp_id: null } }

let provider: TestProvider
let server: ServerUnderTest
/** What strangers have of their own, where nothing ever happens. */
let own: Scene

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  const keyring = keyringFile(sceneKeyringText)
  const env = { AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer, SECRETS_KEYRING_FILE: keyring }
  server = await startTestServer(env)
  own = await sceneFor(server.db, 'getTenant')
})
afterAll(async () => {
  await server.stop()
  await provider.close()
})

const guarded = routes.filter(({ scope }) => scope !== 'public')
const bearer = async (claims: Claims) => ({ authorization: `Bearer ${await provider.accessToken({ claims })}` })

async function play(route: Route, role: RoleName, scene: Scene): Promise<Answer> {
  const request = requestOf(route.operation, scene)
  const headers = { ...request.headers, ...(await bearer(roles[role](scene.tenant.id))) }
  const patch = route.operation === 'updateTenant' ? patches[role] : undefined
  return await server.call(route.method.toUpperCase(), request.path, {
    ...request,
    headers,
    ...(patch && { json: patch }),
  })
}

describe('every role × every operation', () => {
  const keys: Record<string, Record<string, string[]>> = {}

  it.each(guarded.map((route) => [route.operation, route] as const))('%s', async (operation, route) => {
    const may = new Set(allowed[operation]?.split(' '))
    expect(allowed[operation], `say in this file who may ${operation}`).toBeDefined()
    const seen: Record<string, string[]> = {}
    // Left as it is by who reads, and by who is refused.
    const still = await sceneFor(server.db, operation)
    for (const role of roleNames) {
      const isChanged = route.method !== 'get' && may.has(role)
      const answer = await play(route, role, isChanged ? await sceneFor(server.db, operation) : still)
      const { status, body, text } = answer
      const expected = may.has(role) ? route.status : 403
      expect({ role, status, code: status < 400 ? undefined : body?.code }).toEqual({
        role,
        status: expected,
        code: expected === 403 ? 'auth.permission_denied' : undefined,
      })
      // The path is what the caller sent.
      if (!ofThePlatform.has(role)) expect(text.replace(/"instance":"[^"]*"/, '')).not.toMatch(platformOnly)
      if (expected === 403) continue
      // What somebody is told of themselves differs with who they are.
      const found = operation === 'getMe' ? Object.keys(body).toSorted() : keysOf(documentOf(answer))
      const others = (seen[ofThePlatform.has(role) ? 'platform' : 'others'] ??= found)
      expect(found, `${role} sees what its kind sees`).toEqual(others)
    }
    keys[operation] = seen
  })

  it('the keys of every answer are the ones that were looked at', async () => {
    const sorted = Object.fromEntries(Object.entries(keys).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    await expect(`${JSON.stringify(sorted, null, 2)}\n`).toMatchFileSnapshot('./keys.snapshot.json')
  })

  it('of a tenant nothing but the summary leaves to those who are not of the platform', () => {
    const summary = Object.keys(TenantSummary.shape).sort()
    for (const operation of ['getTenant', 'getTenantBySlug', 'updateTenant']) {
      expect(keys[operation]?.['others'], operation).toEqual(summary)
    }
    expect(keys['listTenants']?.['others']?.filter((key) => key.startsWith('data[].'))).toEqual(
      summary.map((key) => `data[].${key}`),
    )
  })
})

describe("every operation on another tenant's thing × a stranger", () => {
  const owned = guarded.filter(({ path }) => path.includes('{tenant_id}'))
  const absent = '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'
  const strangers = ['admin', 'viewer', 'product'] as const

  it.each(owned.map((route) => [route.operation, route] as const))(
    '%s answers as for a tenant that is not there, and changes nothing',
    async (operation, route) => {
      const scene = await sceneFor(server.db, operation)
      // For the product too this is somebody else's tenant.
      await server.db.deleteFrom('tenant_products').where('tenant_id', '=', scene.tenant.id).execute()
      const before = await versionsOf(server.db)
      for (const role of strangers) {
        const headers = await bearer(roles[role](own.tenant.id))
        const ask = async (path: string) => {
          const request = requestOf(operation, scene)
          return await server.call(route.method.toUpperCase(), path, {
            ...request,
            headers: { ...request.headers, ...headers },
          })
        }
        const { path } = requestOf(operation, scene)
        const theirs = await ask(path)
        const nobodys = await ask(path.replace(scene.tenant.id, absent))
        const may = allowed[operation]?.split(' ').includes(role)
        if (role !== 'product') expect({ role, code: theirs.body?.code }).toEqual({ role, code: 'tenant.not_found' })
        else expect(theirs.body?.code).toBe(may ? 'tenant.not_found' : 'auth.permission_denied')
        expect(masked(theirs, [scene.tenant.id])).toEqual(masked(nobodys, [absent]))
      }
      expect(await versionsOf(server.db)).toEqual(before)
    },
  )

  const nested = owned.filter(({ path }) => /\{(?:project|api_key)_id\}/.test(path))
  it.each(nested.map((route) => [route.operation, route] as const))(
    "%s answers for another tenant's thing under one's own as for one that is not there",
    async (operation, route) => {
      const other = await sceneFor(server.db, operation)
      const headers = await bearer(roles.admin(own.tenant.id))
      const before = await versionsOf(server.db)
      const { path, ...request } = requestOf(operation, { ...other, tenant: own.tenant })
      const id = path.split('/')[5] ?? ''
      const options = { ...request, headers: { ...request.headers, ...headers } }
      const theirs = await server.call(route.method.toUpperCase(), path, options)
      const nobodys = await server.call(route.method.toUpperCase(), path.replace(id, absent), options)
      expect(theirs.body?.code).toMatch(/^(?:project|api_key)\.not_found$/)
      expect(masked(theirs, [id])).toEqual(masked(nobodys, [absent]))
      expect(await versionsOf(server.db)).toEqual(before)
    },
  )

  it.each(['by-slug', 'by-erp-id', 'by-stripe-id'])('a stranger finds nobody else %s', async (by) => {
    const scene = await sceneFor(server.db, 'getTenant')
    const other = await sceneFor(server.db, 'getTenant')
    const name = {
      'by-slug': scene.tenant.slug,
      'by-erp-id': scene.tenant.erp_id,
      'by-stripe-id': scene.tenant.stripe_id,
    }[by]
    await server.db.deleteFrom('tenant_products').where('tenant_id', '=', scene.tenant.id).execute()
    const nobody = 'x'.repeat(String(name).length)
    for (const role of strangers) {
      const headers = await bearer(roles[role](other.tenant.id))
      const theirs = await server.call('GET', `/v1/tenants/${by}/${name}`, { headers })
      const nobodys = await server.call('GET', `/v1/tenants/${by}/${nobody}`, { headers })
      const code = by === 'by-slug' ? 'tenant.not_found' : 'auth.permission_denied'
      expect(theirs.body).toMatchObject({ code })
      expect(masked(theirs, [String(name)])).toEqual(masked(nobodys, [nobody]))
    }
  })

  it.each(['by-erp-id', 'by-stripe-id'])('nobody learns %s which ids its own tenant has elsewhere', async (by) => {
    const { tenant } = await sceneFor(server.db, 'getTenant')
    const name = String(by === 'by-erp-id' ? tenant.erp_id : tenant.stripe_id)
    const nobody = 'x'.repeat(name.length)
    for (const role of strangers) {
      const headers = await bearer(roles[role](tenant.id))
      const own = await server.call('GET', `/v1/tenants/${by}/${name}`, { headers })
      expect(own).toMatchObject({ status: 403, body: { code: 'auth.permission_denied' } })
      const nobodys = await server.call('GET', `/v1/tenants/${by}/${nobody}`, { headers })
      expect(masked(own, [name])).toEqual(masked(nobodys, [nobody]))
    }
  })

  it('a list shows a member its own tenants, and a product those that have it', async () => {
    const without = await sceneFor(server.db, 'listTenants')
    await server.db.deleteFrom('tenant_products').where('tenant_id', '=', without.tenant.id).execute()
    const list = async (claims: Claims) =>
      (await server.call('GET', '/v1/tenants?limit=200', { headers: await bearer(claims) })).body.data as {
        id: string
        products: string[]
      }[]
    expect((await list(roles.admin(own.tenant.id))).map(({ id }) => id)).toEqual([own.tenant.id])
    const seen = await list(roles.product())
    expect(seen.length).toBeGreaterThan(0)
    for (const { products } of seen) expect(products).toContain('certifai')
  })

  it('a member of two is in each what it is there: an admin of one changes nothing in the other', async () => {
    const [a, b] = [await sceneFor(server.db, 'updateTenant'), await sceneFor(server.db, 'updateTenant')]
    const claims = memberClaims({ a: [a.tenant.id, 'tenant-viewer'], b: [b.tenant.id, 'tenant-admin'] })
    const headers = await bearer(claims)
    for (const { operation, method, status } of owned.filter((route) => route.method !== 'get')) {
      if (!allowed[operation]?.split(' ').includes('admin')) continue
      const scene = { ...(await sceneFor(server.db, operation)), tenant: a.tenant }
      const { path, ...request } = requestOf(operation, scene)
      const options = { ...request, headers: { ...request.headers, ...headers } }
      expect(await server.call(method.toUpperCase(), path, options)).toMatchObject({ status: 403 })
      if (operation === 'updateTenant') {
        expect(await server.call('PATCH', `/v1/tenants/${b.tenant.id}`, options)).toMatchObject({ status })
      }
    }
  })

  it('the log is found by what is shown of it, and by nothing else', async () => {
    const { tenant } = await sceneFor(server.db, 'listAuditEvents')
    const count = async (role: RoleName, filter: string) => {
      const headers = await bearer(roles[role](tenant.id))
      const path = `/v1/audit/events?tenant_id=${tenant.id}&action=tenant.frozen&${filter}`
      return (await server.call('GET', path, { headers })).body.data.length as number
    }
    for (const role of ['admin', 'viewer'] as const) {
      expect(await count(role, 'actor_id=test')).toBe(0)
      expect(await count(role, 'actor_id=platform')).toBe(1)
    }
    expect(await count('auditor', 'actor_id=test')).toBe(1)
    expect(await count('auditor', 'actor_id=platform')).toBe(0)
  })

  it('what was answered to a key is not answered again once the tenant is out of sight, but to the platform', async () => {
    const scene = await sceneFor(server.db, 'createProject')
    const { tenant } = scene
    const create = async (role: RoleName) => {
      const { path } = requestOf('createProject', scene)
      const headers = { ...(await bearer(roles[role](tenant.id))), 'idempotency-key': 'a-project-once' }
      return await server.call('POST', path, { json: { slug: `of-${role}`, name: 'x' }, headers })
    }
    for (const role of ['admin', 'operator'] as const) {
      expect((await create(role)).status).toBe(201)
      expect((await create(role)).headers.get('idempotency-replayed')).toBe('true')
    }
    for (const to of ['frozen', 'archived']) {
      const step = Transition.parse({ to, reason: 'offboarding' })
      await transitionTenant(server.db, testActor, testCatalogue, tenant.id, step)
    }
    expect(await create('admin')).toMatchObject({ status: 404, body: { code: 'tenant.not_found' } })
    const replayed = await create('operator')
    expect({ status: replayed.status, slug: replayed.body.slug }).toEqual({ status: 201, slug: 'of-operator' })
  })

  it('filters by what one does not see are no filters', async () => {
    const { tenant } = await sceneFor(server.db, 'listTenants')
    for (const role of strangers) {
      const headers = await bearer(roles[role](tenant.id))
      for (const filter of ['sales_owner=sales-secret', 'kind=customer']) {
        expect(await server.call('GET', `/v1/tenants?${filter}`, { headers })).toMatchObject({
          status: 400,
          body: { code: 'request.query_unknown' },
        })
      }
    }
  })
})
