import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type IssuedApiKey,
  parseKeyring,
  platformTenant,
  type Project,
  type TenantId,
  TenantId as AnyTenantId,
} from '@breakpilot/tenant-core'
import { type Route, routes } from '@breakpilot/tenant-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberClaims, operatorClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aKey } from '../api-keys/keys.ts'
import { type Answer, type CallOptions, keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { platformOnly, requestOf, type Scene, sceneFor, sceneKeyringText } from './scene.ts'
import { documentOf, keysOf, masked, versionsOf } from './seen.ts'

/**
 * Every key against every operation, from the array of routes: what each scope opens, what a key that is bound to a
 * project may do, what a key of a product. The tables are those of docs/authentication.md, operation by operation.
 */
const tenantScopes: Readonly<Record<string, string>> = {
  'tenant:read':
    'listTenants getTenant getTenantBySlug listProducts getProduct listTenantProducts getTenantProduct getEntitlements evaluateEntitlements',
  'projects:read': 'listProjects getProject',
  'projects:write': 'createProject updateProject archiveProject restoreProject',
  'api_keys:read': 'listApiKeys getApiKey',
  'api_keys:write': 'issueApiKey updateApiKey rotateApiKey',
  'api_keys:revoke': 'revokeApiKey revokeAllApiKeys',
  'audit:read': 'listAuditEvents getAuditEvent exportAuditEvents',
}
const productScopes: Readonly<Record<string, string>> = {
  'entitlements:read': 'getEntitlements evaluateEntitlements listChanges',
  'api_keys:verify': 'verifyApiKey verifyApiKeys listChanges',
  'audit:publish': 'publishAuditEvents',
  'audit:read': 'listAuditEvents getAuditEvent exportAuditEvents listAuditStreams listAuditStreamEvents',
  // What this opens is under /audit.
  'audit:delegate': '',
}
const allTenantScopes = Object.keys(tenantScopes)
const allProductScopes = Object.keys(productScopes)

/** What a key with every scope is answered that is bound to a project, where it is not what another one is. */
const boundIsRefused: Readonly<Record<string, string>> = {
  listProjects: 'auth.permission_denied',
  createProject: 'auth.permission_denied',
  // The one in the archive is not its own.
  restoreProject: 'project.not_found',
  revokeAllApiKeys: 'auth.permission_denied',
  listAuditEvents: 'auth.permission_denied',
  getAuditEvent: 'auth.permission_denied',
  exportAuditEvents: 'auth.permission_denied',
}

const ring = parseKeyring(sceneKeyringText)
const platformId = AnyTenantId.parse(platformTenant)
const absent = '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'
let provider: TestProvider
let server: ServerUnderTest
let snapshot: Record<string, { readonly others?: string[]; readonly platform?: string[] }>
/** A tenant where nothing ever happens: what is refused leaves it as it is. Its keys by their scope, and with all. */
let still: Scene
const stillKeys: Record<string, IssuedApiKey> = {}
/** The keys of the platform's own that speak for CertifAI, by their scope, and one with all of them. */
const productKeys: Record<string, IssuedApiKey> = {}

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  const keyring = keyringFile(sceneKeyringText)
  const env = { AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer, SECRETS_KEYRING_FILE: keyring }
  server = await startTestServer(env)
  for (const scope of allProductScopes) productKeys[scope] = await aProductKey([scope])
  productKeys['all'] = await aProductKey(allProductScopes)
  still = await keyScene('getTenant')
  for (const scope of allTenantScopes) stillKeys[scope] = await aTenantKey(still.tenant.id, [scope])
  stillKeys['all'] = await aTenantKey(still.tenant.id, allTenantScopes)
  snapshot = JSON.parse(await readFile(join(import.meta.dirname, 'keys.snapshot.json'), 'utf8')) as typeof snapshot
})
afterAll(async () => {
  await server.stop()
  await provider.close()
})

const guarded = routes.filter(({ scope }) => scope !== 'public')
const each = (list: readonly Route[]) => list.map((route) => [route.operation, route] as const)
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

type Fields = NonNullable<Parameters<typeof aKey>[3]>
const aTenantKey = async (tenantId: TenantId, scopes: readonly string[], fields: Fields = {}) =>
  await aKey(server.db, ring, tenantId, { scopes: [...scopes], ...fields })
const aProductKey = async (scopes: readonly string[], product = 'certifai') =>
  await aKey(server.db, ring, platformId, { scopes: [...scopes], product, expires_at: inDays(30) })

/** A scene whose key is one that a key with `api_keys:write` could have made. */
async function keyScene(operation: string, project: 'bound' | 'whole' = 'whole'): Promise<Scene> {
  const scene = await sceneFor(server.db, operation)
  const fields = project === 'bound' ? { project_id: scene.project.id } : {}
  return { ...scene, apiKey: await aTenantKey(scene.tenant.id, ['api_keys:write'], fields) }
}

/** The request of an operation, by a key: it makes what it could hand on. */
function requestBy(
  operation: string,
  scene: Scene,
  { project, speaker }: { readonly project?: Project; readonly speaker?: 'product' } = {},
): { path: string } & CallOptions {
  const request = requestOf(operation, scene)
  if (operation === 'getAuditEvent' && speaker === 'product') {
    return { path: request.path.replace(scene.eventId, scene.productEventId) }
  }
  if (operation !== 'issueApiKey') return request
  return { ...request, json: { name: 'New', scopes: ['api_keys:write'], project_id: project?.id ?? null } }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
async function play(
  route: Route,
  { path, ...request }: { path: string } & CallOptions,
  token: string,
): Promise<Answer> {
  const options = { ...request, headers: { ...request.headers, ...bearer(token) } }
  return await server.call(route.method.toUpperCase(), path, options)
}
const said = ({ status, body }: Answer) => ({ status, code: status < 400 ? undefined : body?.code })
const denied = { status: 403, code: 'auth.permission_denied' }

/** The keys of answers that nobody gets but keys. */
const keysForKeysAlone: Readonly<Record<string, readonly string[]>> = {
  publishAuditEvents: ['data', 'data[].hash', 'data[].id'],
}

/** What keys of products get as the platform's people do, of their own events; nobody else does. */
const sameAsPlatform: ReadonlySet<string> = new Set(['listAuditStreams', 'listAuditStreamEvents'])

/** That it is answered well, with what those are shown who are not of the platform, and nothing else. */
function expectGood(route: Route, answer: Answer, who: string): void {
  const { operation } = route
  expect({ who, ...said(answer) }).toEqual({ who, status: route.status, code: undefined })
  expect(answer.text).not.toMatch(platformOnly)
  const found = operation === 'getMe' ? Object.keys(answer.body).toSorted() : keysOf(documentOf(answer))
  expect(found, `${who} sees what others see`).toEqual(
    snapshot[operation]?.others ??
      keysForKeysAlone[operation] ??
      (sameAsPlatform.has(operation) && snapshot[operation]?.platform),
  )
}

describe('every scope × every operation', () => {
  it.each(each(guarded))('%s', async (operation, route) => {
    const opens = (scopes: Readonly<Record<string, string>>, scope: string) =>
      operation === 'getMe' || (scopes[scope]?.split(' ').includes(operation) ?? false)
    const refused: [string, string][] = []
    // Who only reads leaves it as it is.
    let read: Promise<Scene> | undefined
    const scenery = async () => await (route.method === 'get' ? (read ??= keyScene(operation)) : keyScene(operation))

    for (const scope of allTenantScopes) {
      const who = `a tenant's key with ${scope}`
      if (!opens(tenantScopes, scope)) {
        refused.push([who, stillKeys[scope]?.key ?? ''])
        continue
      }
      const scene = await scenery()
      const { key } = await aTenantKey(scene.tenant.id, [scope])
      expectGood(route, await play(route, requestBy(operation, scene), key), who)
    }
    for (const scope of allProductScopes) {
      const who = `a product's key with ${scope}`
      const key = productKeys[scope]?.key ?? ''
      if (!opens(productScopes, scope)) refused.push([who, key])
      else {
        const request = requestBy(operation, await scenery(), { speaker: 'product' })
        expectGood(route, await play(route, request, key), who)
      }
    }
    const all: [string, string, Scene, { speaker?: 'product' }?][] = []
    if (allTenantScopes.some((scope) => opens(tenantScopes, scope))) {
      const scene = await scenery()
      all.push(["a tenant's key with all scopes", (await aTenantKey(scene.tenant.id, allTenantScopes)).key, scene])
      // Whoever has an area has everything in it, and nothing beside it.
      const scope = allTenantScopes.find((one) => opens(tenantScopes, one)) ?? ''
      const other = await scenery()
      const area = scope.replace(/:.*/, ':*')
      all.push([`a tenant's key with ${area}`, (await aTenantKey(other.tenant.id, [area])).key, other])
    } else refused.push(["a tenant's key with all scopes", stillKeys['all']?.key ?? ''])
    if (allProductScopes.some((scope) => opens(productScopes, scope))) {
      const key = productKeys['all']?.key ?? ''
      all.push(["a product's key with all scopes", key, await scenery(), { speaker: 'product' }])
    } else refused.push(["a product's key with all scopes", productKeys['all']?.key ?? ''])
    for (const [who, key, scene, as] of all) {
      expectGood(route, await play(route, requestBy(operation, scene, as), key), who)
    }

    const before = await versionsOf(server.db)
    for (const [who, key] of refused) {
      expect({ who, ...said(await play(route, requestBy(operation, still), key)) }).toEqual({ who, ...denied })
    }
    expect(await versionsOf(server.db)).toEqual(before)
  })

  it('names every operation that any of them opens, and none that there is not', () => {
    const named = [...Object.values(tenantScopes), ...Object.values(productScopes)].flatMap((list) =>
      list.split(' ').filter((name) => name !== ''),
    )
    const operations = guarded.map(({ operation }) => operation)
    expect(named.filter((name) => !operations.includes(name))).toEqual([])
    expect(Object.keys(boundIsRefused).filter((name) => !operations.includes(name))).toEqual([])
  })
})

describe('a key that is bound to a project × every operation', () => {
  const opened = new Set(Object.values(tenantScopes).flatMap((list) => list.split(' ')))

  it.each(each(guarded.filter(({ operation }) => opened.has(operation))))('%s', async (operation, route) => {
    const scene = await keyScene(operation, 'bound')
    const { key } = await aTenantKey(scene.tenant.id, allTenantScopes, { project_id: scene.project.id })
    const code = boundIsRefused[operation]
    const before = await versionsOf(server.db)
    const answer = await play(route, requestBy(operation, scene, { project: scene.project }), key)
    if (code === undefined) return expectGood(route, answer, 'the key')
    expect(said(answer)).toEqual({ status: code === 'project.not_found' ? 404 : 403, code })
    expect(await versionsOf(server.db)).toEqual(before)
  })

  it.each(each(guarded.filter(({ path }) => path.includes('{project_id}'))))(
    '%s answers for another project of its tenant as for one that is not there',
    async (operation, route) => {
      const scene = await keyScene(operation, 'bound')
      const bound = scene.archivedProject.id
      // It is not archived while its key lives.
      await server.db.updateTable('tenant_projects').set({ status: 'active' }).where('id', '=', bound).execute()
      const { key } = await aTenantKey(scene.tenant.id, allTenantScopes, { project_id: bound })
      const elsewhere = { ...scene, archivedProject: scene.project }
      const before = await versionsOf(server.db)
      const request = requestBy(operation, elsewhere)
      const theirs = await play(route, request, key)
      const nobodys = await play(route, { ...request, path: request.path.replace(scene.project.id, absent) }, key)
      expect(said(theirs)).toEqual({ status: 404, code: 'project.not_found' })
      expect(masked(theirs, [scene.project.id])).toEqual(masked(nobodys, [absent]))
      expect(await versionsOf(server.db)).toEqual(before)
    },
  )
})

describe("every operation on another tenant's thing × a key", () => {
  const owned = guarded.filter(({ path }) => path.includes('{tenant_id}'))

  it.each(each(owned))(
    '%s answers as for a tenant that is not there, and changes nothing',
    async (operation, route) => {
      const scene = await sceneFor(server.db, operation)
      // For the product too this is somebody else's tenant.
      await server.db.deleteFrom('tenant_products').where('tenant_id', '=', scene.tenant.id).execute()
      const strangers = {
        tenant: stillKeys['all']?.key ?? '',
        project: (await aTenantKey(still.tenant.id, allTenantScopes, { project_id: still.project.id })).key,
        product: productKeys['all']?.key ?? '',
      }
      const before = await versionsOf(server.db)
      for (const [who, key] of Object.entries(strangers)) {
        const request = requestBy(operation, scene)
        const theirs = await play(route, request, key)
        const nobodys = await play(route, { ...request, path: request.path.replace(scene.tenant.id, absent) }, key)
        const isDenied = who === 'product' && operation !== 'getEntitlements'
        expect({ who, ...said(theirs) }).toEqual({
          who,
          ...(isDenied ? denied : { status: 404, code: 'tenant.not_found' }),
        })
        expect(masked(theirs, [scene.tenant.id])).toEqual(masked(nobodys, [absent]))
      }
      expect(await versionsOf(server.db)).toEqual(before)
    },
  )

  const nested = owned.filter(({ path }) => /\{(?:project|api_key)_id\}/.test(path))
  it.each(each(nested))(
    "%s answers for another tenant's thing under its own as for one that is not there",
    async (operation, route) => {
      const other = await keyScene(operation)
      const key = stillKeys['all']?.key ?? ''
      const before = await versionsOf(server.db)
      const request = requestBy(operation, { ...other, tenant: still.tenant })
      const id = request.path.split('/')[5] ?? ''
      const theirs = await play(route, request, key)
      const nobodys = await play(route, { ...request, path: request.path.replace(id, absent) }, key)
      expect(theirs.status).toBe(404)
      expect(theirs.body?.code).toMatch(/^(?:project|api_key)\.not_found$/)
      expect(masked(theirs, [id])).toEqual(masked(nobodys, [absent]))
      expect(await versionsOf(server.db)).toEqual(before)
    },
  )

  it('lists, looks and asks find nothing of it', async () => {
    const other = await sceneFor(server.db, 'getTenant')
    const own = await sceneFor(server.db, 'getTenant')
    const { key } = await aTenantKey(own.tenant.id, allTenantScopes)
    const get = async (path: string) => await server.call('GET', path, { headers: bearer(key) })
    const tenants = (await get('/v1/tenants?limit=200')).body.data as { id: string }[]
    expect(tenants.map(({ id }) => id)).toEqual([own.tenant.id])
    expect(said(await get(`/v1/tenants/by-slug/${other.tenant.slug}`))).toMatchObject({ code: 'tenant.not_found' })
    expect((await get(`/v1/audit/events?tenant_id=${other.tenant.id}`)).body.data).toEqual([])
    expect((await get(`/v1/audit/events?tenant_id=${own.tenant.id}`)).body.data).not.toEqual([])
    const [theirs, nobodys] = [await get(`/v1/audit/events/${other.eventId}`), await get(`/v1/audit/events/${absent}`)]
    expect(said(theirs)).toEqual({ status: 404, code: 'audit_event.not_found' })
    expect(masked(theirs, [other.eventId])).toEqual(masked(nobodys, [absent]))
    const json = { items: [{ tenant_id: own.tenant.id }, { tenant_id: other.tenant.id }, { tenant_id: absent }] }
    const asked = await server.call('POST', '/v1/entitlements/evaluate', { headers: bearer(key), json })
    const [mine, hidden, nowhere] = asked.body.data as { tenant_id: string; error: string | null }[]
    expect([mine?.error ?? null, hidden?.error]).toEqual([null, 'tenant.not_found'])
    expect(hidden).toEqual({ ...nowhere, tenant_id: other.tenant.id })
  })

  it('a key of a product hears and sees of the tenants that have it', async () => {
    const [having, without] = [await sceneFor(server.db, 'getTenant'), await sceneFor(server.db, 'getTenant')]
    await server.db.deleteFrom('tenant_products').where('tenant_id', '=', without.tenant.id).execute()
    const headers = bearer(productKeys['all']?.key ?? '')
    const json = { items: [{ tenant_id: having.tenant.id }, { tenant_id: without.tenant.id }] }
    const { body } = await server.call('POST', '/v1/entitlements/evaluate', { headers, json })
    expect((body.data as { error?: string }[]).map(({ error }) => error ?? null)).toEqual([null, 'tenant.not_found'])
    // Of the other tenant's other product it knows nothing.
    expect(JSON.stringify(body.data[0])).not.toContain('compliance')
  })

  it('a key of a product verifies those that open the product', async () => {
    const { apiKey } = await sceneFor(server.db, 'verifyApiKey')
    const ask = async (token: string, key: string) =>
      (await server.call('POST', '/v1/api-keys/verify', { headers: bearer(token), json: { key } })).body.code as string
    const own = productKeys['all']?.key ?? ''
    expect(await ask(own, apiKey.key)).toBe('VALID')
    expect(await ask((await aProductKey(['api_keys:verify'], 'compliance')).key, apiKey.key)).toBe('NOT_FOUND')
    // It is one for this API: to the product whoever brings it is no customer.
    expect(await ask(own, own)).toBe('PRODUCT_NOT_ASSIGNED')
  })
})

describe('GET /v1/me', () => {
  const me = async (key: string) => (await server.call('GET', '/v1/me', { headers: bearer(key) })).body

  it('tells a key who it is and what that rests on', async () => {
    const { tenant, project } = await sceneFor(server.db, 'getMe')
    const fields = { project_id: project.id, expires_at: inDays(3), name: 'Deployment' }
    const key = await aTenantKey(tenant.id, ['tenant:read'], fields)
    expect(await me(key.key)).toEqual({
      kind: 'api-key',
      id: key.id,
      name: 'Deployment',
      roles: [],
      memberships: [],
      product: null,
      api_key: {
        id: key.id,
        tenant_id: tenant.id,
        project_id: project.id,
        environment: 'live',
        audience: 'tenant-registry',
        scopes: ['tenant:read'],
        expires_at: fields.expires_at,
      },
    })
  })

  it('tells a key of a product whose it is', async () => {
    const key = productKeys['audit:publish']
    expect(await me(key?.key ?? '')).toMatchObject({
      kind: 'product-key',
      id: key?.id,
      product: 'certifai',
      api_key: { tenant_id: platformTenant, audience: 'certifai', scopes: ['audit:publish'] },
    })
  })
})

describe("the platform's own tenant × every role and key", () => {
  const people = {
    owner: () => operatorClaims('platform-owner'),
    operator: () => operatorClaims('platform-operator'),
    billing: () => operatorClaims('platform-billing'),
    support: () => operatorClaims('platform-support'),
    auditor: () => operatorClaims('platform-auditor'),
    'admin elsewhere': (id: string) => memberClaims({ own: [id, 'tenant-admin'] }),
    'viewer elsewhere': (id: string) => memberClaims({ own: [id, 'tenant-viewer'] }),
    'admin of it, says his token': () => memberClaims({ own: [platformTenant, 'tenant-admin'] }),
    product: () => productClaims('certifai'),
    nobody: () => ({ sub: 'nobody' }),
  }
  const ofThePlatform = ['owner', 'operator', 'billing', 'support', 'auditor']
  /** Who is answered well, and what the others of the platform are told who have the permission. */
  const allowed: Readonly<Record<string, { readonly may: string; readonly code?: string; readonly told?: string }>> = {
    issueApiKey: { may: 'owner', code: 'api_key.grant_exceeded', told: 'operator' },
    listApiKeys: { may: 'owner operator support auditor' },
    getApiKey: { may: 'owner operator support auditor' },
    updateApiKey: { may: 'owner', code: 'api_key.grant_exceeded', told: 'operator' },
    rotateApiKey: { may: 'owner', code: 'api_key.grant_exceeded', told: 'operator' },
    revokeApiKey: { may: 'owner operator support' },
    revokeAllApiKeys: { may: '', code: 'tenant.platform_own', told: 'owner operator support' },
  }
  const owned = guarded.filter(({ path }) => path.includes('{tenant_id}'))
  const ofKeys = owned.filter(({ path }) => path.includes('/api-keys'))
  const owner = async () => await provider.accessToken({ claims: people.owner() })

  async function platformRequest(operation: string): Promise<{ path: string } & CallOptions> {
    const apiKey = await aProductKey(['audit:publish'])
    const { path, ...request } = requestOf(operation, { ...still, apiKey })
    const json = { name: 'New', product: 'certifai', scopes: ['audit:publish'], expires_at: inDays(399) }
    return {
      path: path.replace(still.tenant.id, platformTenant),
      ...request,
      ...(operation === 'issueApiKey' && { json }),
    }
  }

  it.each(each(ofKeys))('%s', async (operation, route) => {
    const { may, code, told } = allowed[operation] ?? { may: '' }
    const keys = {
      'a key of a tenant': stillKeys['all']?.key ?? '',
      'a key of its own': productKeys['all']?.key ?? '',
    }
    const outcome = async (token: string) => {
      const request = await platformRequest(operation)
      const before = await versionsOf(server.db)
      const answer = await play(route, request, token)
      if (answer.status >= 400) expect(await versionsOf(server.db)).toEqual(before)
      return said(answer)
    }
    for (const [role, claimsOf] of Object.entries(people)) {
      const token = await provider.accessToken({ claims: claimsOf(still.tenant.id) })
      const got = { role, ...(await outcome(token)) }
      if (may.split(' ').includes(role)) expect(got).toEqual({ role, status: route.status, code: undefined })
      else if (!ofThePlatform.includes(role)) expect(got).toEqual({ role, status: 404, code: 'tenant.not_found' })
      else expect(got).toMatchObject({ role, code: told?.split(' ').includes(role) ? code : denied.code })
    }
    for (const [who, key] of Object.entries(keys)) {
      expect({ who, ...(await outcome(key)) }).toEqual({ who, status: 404, code: 'tenant.not_found' })
    }
  })

  it.each(each(owned.filter((route) => !ofKeys.includes(route))))(
    '%s finds nothing there, not even for the owner',
    async (operation, route) => {
      const request = await platformRequest(operation)
      const before = await versionsOf(server.db)
      expect(said(await play(route, request, await owner()))).toEqual({ status: 404, code: 'tenant.not_found' })
      expect(await versionsOf(server.db)).toEqual(before)
    },
  )

  it('is in no list, and found by no name', async () => {
    const headers = bearer(await owner())
    const listed = await server.call('GET', '/v1/tenants?limit=200&sort=name', { headers })
    expect(listed.text).not.toContain(platformTenant)
    expect((await server.call('GET', '/v1/tenants/by-slug/platform', { headers })).status).toBe(404)
  })

  it('has keys that end within 400 days, whoever makes, changes or rotates them', async () => {
    const headers = bearer(await owner())
    const keys = `/v1/tenants/${platformTenant}/api-keys`
    const json = { name: 'Retraced', product: 'certifai', scopes: ['audit:publish', 'audit:read'] }
    const make = async (fields: object) => await server.call('POST', keys, { headers, json: { ...json, ...fields } })
    const violated = { status: 409, code: 'api_key.policy_violated' }
    expect(said(await make({}))).toEqual(violated)
    expect(said(await make({ expires_at: null }))).toEqual(violated)
    expect(said(await make({ expires_at: inDays(400.01) }))).toEqual(violated)
    const made = await make({ expires_at: inDays(399.99) })
    expect(made).toMatchObject({ status: 201, body: { audience: 'certifai', tenant_id: platformTenant } })
    const patch = async (change: object) =>
      await server.call('PATCH', `${keys}/${made.body.id}`, { headers, json: change })
    expect(said(await patch({ expires_at: null }))).toEqual(violated)
    expect(said(await patch({ expires_at: inDays(401) }))).toEqual(violated)
    expect(said(await patch({ scopes: ['certifai:read'] }))).toEqual({ status: 400, code: 'api_key.scope_unknown' })
    expect((await patch({ scopes: ['audit:*'] })).status).toBe(200)
    const rotated = await server.call('POST', `${keys}/${made.body.id}/rotate`, { headers, json: {} })
    expect(rotated).toMatchObject({ status: 201, body: { expires_at: made.body.expires_at, scopes: ['audit:*'] } })
  })

  it('has its keys switched off and ended by who may not make them, and by who holds them', async () => {
    const keys = `/v1/tenants/${platformTenant}/api-keys`
    const operator = bearer(await provider.accessToken({ claims: people.operator() }))
    const { id, key } = await aProductKey(['audit:publish'])
    const off = await server.call('PATCH', `${keys}/${id}`, { headers: operator, json: { enabled: false } })
    expect(off).toMatchObject({ status: 200, body: { status: 'disabled' } })
    const on = await server.call('PATCH', `${keys}/${id}`, { headers: operator, json: { enabled: true } })
    expect(said(on)).toEqual({ status: 403, code: 'api_key.grant_exceeded' })
    expect((await server.call('POST', '/v1/api-keys/revoke', { json: { key } })).status).toBe(204)
    const ended = await server.call('GET', `${keys}/${id}`, { headers: operator })
    expect(ended.body).toMatchObject({ status: 'revoked', revoked_reason: 'compromised', revoked_by: id })
    expect(said(await server.call('GET', '/v1/me', { headers: bearer(key) }))).toMatchObject({ status: 401 })
  })
})
