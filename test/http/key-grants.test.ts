import { request as httpRequest } from 'node:http'
import {
  createProject,
  NewProject,
  newKeyringText,
  parseKeyring,
  type Tenant,
  Transition,
  transitionTenant,
} from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { memberClaims, operatorClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, type Claims, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aKey, aTenantWithProducts } from '../api-keys/keys.ts'
import { keyCatalogue, testActor } from '../builders.ts'
import { type Answer, keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'

/** Nobody hands on more than they have: not by making a key, not by changing one, not by rotating one. */
const ringText = newKeyringText('grants')
const ring = parseKeyring(ringText)

let provider: TestProvider
let server: ServerUnderTest
let owner: Client
let tenant: Tenant
let website: string
let shop: string

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  server = await startTestServer({
    AUTH_MODE: 'oidc',
    KEYCLOAK_ISSUER: provider.issuer,
    SECRETS_KEYRING_FILE: keyringFile(ringText),
  })
  owner = new Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await server.stop()
  await provider.close()
})
beforeEach(async () => {
  tenant = await aTenantWithProducts(server.db)
  const project = async (slug: string) =>
    (await createProject(server.db, testActor, keyCatalogue, tenant.id, NewProject.parse({ slug, name: slug }))).id
  website = await project('website')
  shop = await project('shop')
})

type Headers = Record<string, string>
type Fields = Parameters<typeof aKey>[3]
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const as = async (claims: Claims) => bearer(await provider.accessToken({ claims }))
const admin = async () => await as(memberClaims({ own: [tenant.id, 'tenant-admin'] }))
const platform = async (role: 'platform-owner' | 'platform-operator' = 'platform-operator') =>
  await as(operatorClaims(role))

const keysPath = () => `/v1/tenants/${tenant.id}/api-keys`
const send = async (method: string, rest: string, json: object | undefined, headers: Headers): Promise<Answer> =>
  await server.call(method, keysPath() + rest, { headers, ...(json && { json }) })
const issue = async (headers: Headers, fields: object) => await send('POST', '', { name: 'New', ...fields }, headers)
const patch = async (headers: Headers, id: string, json: object) => await send('PATCH', `/${id}`, json, headers)
const rotate = async (headers: Headers, id: string, json: object = {}) =>
  await send('POST', `/${id}/rotate`, json, headers)
const revoke = async (headers: Headers, id: string) =>
  await send('POST', `/${id}/revoke`, { reason: 'no_longer_needed' }, headers)
const stored = async (fields: Fields) => await aKey(server.db, ring, tenant.id, fields)
const said = ({ status, body }: Answer) => [status, body?.code]
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

/** Everything of keys, and how much the log has: what a refusal leaves as it is. */
async function everything(): Promise<unknown> {
  const { rows } = await owner.query(
    `select (select array_agg(k::text order by id) from api_keys k), (select count(*) from audit_log)`,
  )
  return rows
}

async function refused(answer: () => Promise<Answer>, code: string, status = 403): Promise<void> {
  const before = await everything()
  expect(said(await answer())).toEqual([status, code])
  expect(await everything()).toEqual(before)
}

/** What a key has, what it would hand on, and whether it may. */
interface Grant {
  readonly own?: () => NonNullable<Fields>
  readonly other: () => NonNullable<Fields>
  readonly may: boolean
}
const rights = ['projects:read', 'api_keys:write']
const tenDays = inDays(10)
const grants: Record<string, Grant> = {
  'some of its scopes': { other: () => ({ scopes: ['projects:read'] }), may: true },
  'all of them': { other: () => ({ scopes: rights }), may: true },
  'a verb of an area that it has': {
    own: () => ({ scopes: ['projects:*', 'api_keys:write'] }),
    other: () => ({ scopes: ['projects:write'] }),
    may: true,
  },
  'an area of which it has a verb': { other: () => ({ scopes: ['projects:*'] }), may: false },
  'a scope that it does not have': { other: () => ({ scopes: ['projects:read', 'audit:read'] }), may: false },
  'what opens a product': { other: () => ({ scopes: ['certifai:read'] }), may: false },
  'its own project': {
    own: () => ({ project_id: website }),
    other: () => ({ project_id: website }),
    may: true,
  },
  'one project, having them all': { other: () => ({ project_id: website }), may: false },
  'an environment that is its own': {
    own: () => ({ environment: 'test' }),
    other: () => ({ environment: 'test' }),
    may: true,
  },
  'another environment': { other: () => ({ environment: 'test' }), may: false },
  'the other environment': { own: () => ({ environment: 'test' }), other: () => ({}), may: false },
  'every address, having some': { own: () => ({ ip_allow: ['127.0.0.0/8'] }), other: () => ({}), may: false },
  'an address of its networks': {
    own: () => ({ ip_allow: ['127.0.0.0/8'] }),
    other: () => ({ ip_allow: ['127.0.0.1'] }),
    may: true,
  },
  'a network of its own and another one': {
    own: () => ({ ip_allow: ['127.0.0.0/8'] }),
    other: () => ({ ip_allow: ['127.0.0.1', '10.0.0.0/8'] }),
    may: false,
  },
  'a network around its own': {
    own: () => ({ ip_allow: ['127.0.0.0/8'] }),
    other: () => ({ ip_allow: ['0.0.0.0/0'] }),
    may: false,
  },
  'some addresses, having them all': { other: () => ({ ip_allow: ['10.0.0.0/8'] }), may: true },
  'no end, having one': { own: () => ({ expires_at: tenDays }), other: () => ({}), may: false },
  'a later end': { own: () => ({ expires_at: tenDays }), other: () => ({ expires_at: inDays(11) }), may: false },
  'its own end': { own: () => ({ expires_at: tenDays }), other: () => ({ expires_at: tenDays }), may: true },
  'an end, having none': { other: () => ({ expires_at: tenDays }), may: true },
}
const ofEach = Object.entries(grants)
const ownOf = async ({ own }: Grant) => await stored({ scopes: rights, ...own?.() })
const otherOf = ({ other }: Grant) => ({ scopes: ['projects:read'], ...other() })

describe('a key hands on', () => {
  it.each(ofEach)('%s, or not, when it makes a key', async (_, grant) => {
    const own = bearer((await ownOf(grant)).key)
    const make = async () => await issue(own, otherOf(grant))
    if (!grant.may) return await refused(make, 'api_key.grant_exceeded')
    const { other } = grant
    expect(await make()).toMatchObject({ status: 201, body: { audience: 'tenant-registry', ...withBits(other()) } })
  })

  it.each(ofEach)('%s, or not, when it changes a key', async (_, grant) => {
    const own = await ownOf(grant)
    const { scopes, ip_allow, expires_at, ...fixed } = otherOf(grant)
    // What cannot be changed the other has already; what can, it gets.
    const base = { ...grant.own?.(), project_id: null, environment: 'live' as const, ...fixed }
    const target = await stored({ ...base, scopes: ['api_keys:write'] })
    const change = { scopes, ip_allow: ip_allow ?? null, expires_at: expires_at ?? null }
    const answer = async () => await patch(bearer(own.key), target.id, change)
    if (target.audience !== 'tenant-registry' || scopes.includes('certifai:read')) {
      return await refused(answer, 'api_key.mixed_audience', 400)
    }
    if (!grant.may) return await refused(answer, 'api_key.grant_exceeded')
    expect(await answer()).toMatchObject({ status: 200, body: { scopes } })
  })

  it.each(ofEach)('%s, or not, when it rotates a key', async (_, grant) => {
    const own = await ownOf(grant)
    const target = await stored(otherOf(grant))
    const answer = async () => await rotate(bearer(own.key), target.id)
    if (!grant.may) return await refused(answer, 'api_key.grant_exceeded')
    expect((await answer()).status).toBe(201)
  })

  it.each(ofEach)('%s, or not, when it switches a key on', async (_, grant) => {
    const own = await ownOf(grant)
    const target = await stored(otherOf(grant))
    expect(await patch(await platform(), target.id, { enabled: false })).toMatchObject({ status: 200 })
    const answer = async () => await patch(bearer(own.key), target.id, { enabled: true })
    if (!grant.may) return await refused(answer, 'api_key.grant_exceeded')
    expect(await answer()).toMatchObject({ status: 200, body: { status: 'active' } })
  })

  it('nothing outside of its project, and does not learn what is there', async () => {
    const own = bearer((await stored({ scopes: ['api_keys:*'], project_id: website })).key)
    for (const project_id of [null, shop]) {
      const target = await stored({ scopes: ['api_keys:read'], project_id: project_id })
      await refused(() => issue(own, { scopes: ['api_keys:read'], project_id }), 'api_key.grant_exceeded')
      await refused(() => patch(own, target.id, { name: 'Mine' }), 'api_key.not_found', 404)
      await refused(() => patch(own, target.id, { enabled: false }), 'api_key.not_found', 404)
      await refused(() => rotate(own, target.id), 'api_key.not_found', 404)
      await refused(() => revoke(own, target.id), 'api_key.not_found', 404)
      await refused(() => send('GET', `/${target.id}`, undefined, own), 'api_key.not_found', 404)
    }
    const mine = await stored({ scopes: ['api_keys:read'], project_id: website })
    const { data } = (await send('GET', '', undefined, own)).body as { data: { id: string; project_id: string }[] }
    expect(data.map(({ project_id }) => project_id)).toEqual([website, website])
    expect((await revoke(own, mine.id)).status).toBe(200)
  })

  it('does not end the keys of all projects when it is bound to one', async () => {
    const own = bearer((await stored({ scopes: ['api_keys:revoke'], project_id: website })).key)
    const all = (query = '') => send('POST', `/revoke-all${query}`, { reason: 'compromised' }, own)
    await refused(all, 'auth.permission_denied')
    await refused(() => all('?dry_run=true'), 'auth.permission_denied')
    const whole = bearer((await stored({ scopes: ['api_keys:revoke'] })).key)
    expect((await send('POST', '/revoke-all', { reason: 'compromised' }, whole)).body).toMatchObject({ api_keys: 2 })
  })
})

/** Networks as they are stored. */
function withBits({ ip_allow, project_id, ...fields }: object & Fields) {
  return {
    ...fields,
    ...(project_id !== undefined && { project_id }),
    ...(ip_allow && { ip_allow: ip_allow.map((each) => (each.includes('/') ? each : `${each}/32`)) }),
  }
}

describe('a key that changes keys', () => {
  it('does not change itself, not even to less, and may switch itself off and end itself', async () => {
    const key = await stored({ scopes: ['api_keys:*', 'projects:read'] })
    for (const change of [{ name: 'Another' }, { scopes: ['api_keys:write'] }, { enabled: true }, { metadata: {} }]) {
      await refused(() => patch(bearer(key.key), key.id, change), 'api_key.grant_exceeded')
    }
    await refused(() => patch(bearer(key.key), key.id, { enabled: false, name: 'Off' }), 'api_key.grant_exceeded')
    expect((await patch(bearer(key.key), key.id, { enabled: false })).body).toMatchObject({ status: 'disabled' })
    await refused(() => patch(bearer(key.key), key.id, { enabled: true }), 'auth.api_key_refused', 401)

    const other = await stored({ scopes: ['api_keys:*'] })
    expect((await revoke(bearer(other.key), other.id)).body).toMatchObject({ status: 'revoked' })
    await refused(() => issue(bearer(other.key), { scopes: ['api_keys:*'] }), 'auth.api_key_refused', 401)
  })

  it('leaves what may do more alone, but for switching it off and ending it', async () => {
    const own = bearer((await stored({ scopes: ['api_keys:*'] })).key)
    for (const scopes of [['tenant:read'], ['certifai:read']]) {
      const target = await stored({ scopes })
      for (const change of [{ name: 'Mine' }, { metadata: { a: 'b' } }, { scopes }]) {
        await refused(() => patch(own, target.id, change), 'api_key.grant_exceeded')
      }
      await refused(() => rotate(own, target.id), 'api_key.grant_exceeded')
      expect((await patch(own, target.id, { enabled: false })).status).toBe(200)
      await refused(() => patch(own, target.id, { enabled: true }), 'api_key.grant_exceeded')
      expect((await revoke(own, target.id)).status).toBe(200)
    }
  })

  it.each([
    ['api_keys:read', ['issue', 'patch', 'off', 'rotate', 'revoke', 'all']],
    ['api_keys:write', ['revoke', 'all', 'list']],
    ['api_keys:revoke', ['issue', 'patch', 'off', 'rotate', 'list']],
    ['tenant:read', ['issue', 'patch', 'off', 'rotate', 'revoke', 'all', 'list']],
  ] as const)('with %s alone may not do %s', async (scope, tasks) => {
    const own = bearer((await stored({ scopes: [scope] })).key)
    const { id } = await stored({ scopes: [scope] })
    const task = {
      issue: () => issue(own, { scopes: [scope] }),
      patch: () => patch(own, id, { name: 'Mine' }),
      off: () => patch(own, id, { enabled: false }),
      rotate: () => rotate(own, id),
      revoke: () => revoke(own, id),
      all: () => send('POST', '/revoke-all', { reason: 'compromised' }, own),
      list: () => send('GET', '', undefined, own),
    }
    for (const each of tasks) await refused(task[each], 'auth.permission_denied')
  })

  it('is used from its own networks alone', async () => {
    const far = await stored({ scopes: ['api_keys:*'], ip_allow: ['203.0.113.0/24'] })
    await refused(() => issue(bearer(far.key), { scopes: ['api_keys:*'] }), 'auth.api_key_refused', 401)
  })
})

describe('rotation', () => {
  const full = () => ({
    name: 'Deployment',
    scopes: ['certifai:read', 'certifai:write'],
    project_id: website,
    environment: 'test' as const,
    ip_allow: ['203.0.113.0/24', '2001:db8::/32'],
    expires_at: tenDays,
    metadata: { owner: 'team' },
  })

  it('hands on everything and nothing more', async () => {
    const old = await stored(full())
    const { status, body } = await rotate(await admin(), old.id, { overlap_seconds: 3600 })
    expect(status).toBe(201)
    const { id, key, prefix, ...inherited } = body
    expect([id, key, prefix]).not.toContain(undefined)
    expect([id, prefix]).not.toEqual([old.id, old.prefix])
    expect(key.startsWith('bpk_test_')).toBe(true)
    const { key: _key, id: _id, prefix: _prefix, created_by: _by, revoked_by: _end, ...before } = old
    expect(inherited).toEqual({
      ...before,
      expires_at: tenDays,
      created_at: expect.any(String) as string,
      updated_at: expect.any(String) as string,
    })
  })

  it('of what is switched off makes what is switched off', async () => {
    const old = await stored(full())
    await patch(await admin(), old.id, { enabled: false })
    expect((await rotate(await admin(), old.id)).body).toMatchObject({ enabled: false, status: 'disabled' })
  })

  it('ends the old one after the overlap, and never later than it would have', async () => {
    const ends = async (fields: Fields, overlap_seconds: number) => {
      const { id } = await stored(fields)
      await rotate(await admin(), id, { overlap_seconds })
      const { expires_at } = (await send('GET', `/${id}`, undefined, await admin())).body
      return new Date(expires_at as string).getTime()
    }
    const now = Date.now()
    const soon = await ends({}, 3600)
    expect(soon - now).toBeGreaterThanOrEqual(3_600_000)
    expect(soon - now).toBeLessThan(3_660_000)
    expect(await ends({ expires_at: tenDays }, 30 * 86_400)).toBe(Date.parse(tenDays))
  })

  it('leaves the old one as it is but for its name: nothing that was handed on is widened', async () => {
    const old = await stored({})
    const { body: next } = await rotate(await admin(), old.id)
    for (const change of [{ scopes: ['certifai:write'] }, { expires_at: null }, { ip_allow: ['10.0.0.0/8'] }]) {
      await refused(async () => await patch(await admin(), old.id, change), 'api_key.replaced', 409)
    }
    expect((await patch(await admin(), old.id, { name: 'Old' })).status).toBe(200)
    const again = await rotate(await admin(), old.id)
    expect(again).toMatchObject({ status: 409, body: { code: 'api_key.replaced', id: next.id } })
  })

  it('is what a key may do to itself', async () => {
    const own = await stored({ scopes: rights, expires_at: tenDays })
    const { status, body } = await rotate(bearer(own.key), own.id, { overlap_seconds: 0 })
    expect([status, body.scopes, body.expires_at]).toEqual([201, rights, tenDays])
    await refused(() => rotate(bearer(own.key), body.id), 'auth.api_key_refused', 401)
    expect((await rotate(bearer(body.key), body.id)).status).toBe(201)
  })
})

describe("a tenant's admin", () => {
  it('hands on what opens the products that the tenant has, and this API', async () => {
    for (const scopes of [
      ['certifai:*'],
      ['certifai:read', 'certifai:write'],
      ['tenant:*'],
      ['api_keys:*', 'audit:*'],
    ]) {
      expect(await issue(await admin(), { scopes })).toMatchObject({ status: 201, body: { scopes } })
    }
  })

  const never = { enabled: false }
  it.each([
    ['does not have', undefined],
    ['has switched off', never],
    ['does not have yet', { valid_from: inDays(1) }],
    ['has no longer', { valid_from: inDays(-2), valid_until: inDays(-1) }],
  ])('hands on nothing of a product that the tenant %s, and the platform does', async (_, assignment) => {
    if (assignment) {
      const path = `/v1/tenants/${tenant.id}/products/compliance`
      const put = await server.call('PUT', path, { headers: await platform(), json: assignment })
      expect(put.status, put.text).toBe(200)
    }
    const scopes = ['compliance:read']
    const headers = await admin()
    await refused(() => issue(headers, { scopes }), 'api_key.grant_exceeded')
    const { status, body } = await issue(await platform(), { scopes })
    expect(status).toBe(201)
    await refused(() => rotate(headers, body.id), 'api_key.grant_exceeded')
    await refused(() => patch(headers, body.id, { scopes: ['compliance:*'] }), 'api_key.grant_exceeded')
    await refused(() => patch(headers, body.id, { expires_at: inDays(1) }), 'api_key.grant_exceeded')
    expect((await patch(headers, body.id, { name: 'For later' })).status).toBe(200)
    expect((await patch(headers, body.id, { enabled: false })).status).toBe(200)
    await refused(() => patch(headers, body.id, { enabled: true }), 'api_key.grant_exceeded')
    expect((await revoke(headers, body.id)).status).toBe(200)
  })

  it('is an admin there alone where he is one', async () => {
    const { id } = await stored({})
    const elsewhere = await aTenantWithProducts(server.db)
    const viewer = await as(memberClaims({ own: [tenant.id, 'tenant-viewer'], other: [elsewhere.id, 'tenant-admin'] }))
    await refused(() => issue(viewer, { scopes: ['certifai:read'] }), 'auth.permission_denied')
    await refused(() => patch(viewer, id, { enabled: false }), 'auth.permission_denied')
    await refused(() => send('GET', '', undefined, viewer), 'auth.permission_denied')
  })
})

describe('scopes', () => {
  it.each([
    ['of nobody', ['certifai:fly'], 400, 'api_key.scope_unknown'],
    ['that only keys of the platform have', ['audit:publish'], 400, 'api_key.scope_unknown'],
    ['of two products', ['certifai:read', 'compliance:read'], 400, 'api_key.mixed_audience'],
    ['of a product and of this API', ['certifai:read', 'tenant:read'], 400, 'api_key.mixed_audience'],
    ['that are everything', ['*'], 400, 'request.invalid'],
  ])(
    '%s are refused, also to the owner, when a key is made and when it is changed',
    async (_, scopes, status, code) => {
      const headers = await platform('platform-owner')
      const { id } = await stored({})
      await refused(() => issue(headers, { scopes }), code, status)
      await refused(() => patch(headers, id, { scopes }), code, status)
    },
  )

  it('name the one that nobody knows', async () => {
    const { body } = await issue(await admin(), { scopes: ['certifai:read', 'certifai:fly'] })
    expect(body.errors).toMatchObject([{ pointer: '/scopes/1' }])
  })

  it('cannot be those of another audience later', async () => {
    const { id } = await stored({})
    for (const scopes of [['compliance:read'], ['tenant:read']]) {
      await refused(async () => await patch(await platform(), id, { scopes }), 'api_key.mixed_audience', 400)
    }
  })

  it('follow a product only in keys of the platform’s own', async () => {
    const { status, body } = await issue(await platform('platform-owner'), {
      scopes: ['certifai:read'],
      product: 'certifai',
    })
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, '/product'])
  })
})

describe('a frozen tenant', () => {
  const freeze = async () => {
    const step = Transition.parse({ to: 'frozen', reason: 'payment_overdue' })
    await transitionTenant(server.db, testActor, keyCatalogue, tenant.id, step)
  }

  it('has its keys switched off and ended by its people, and nothing else', async () => {
    const [one, two, three] = [await stored({}), await stored({}), await stored({})]
    await patch(await admin(), two.id, { enabled: false })
    await freeze()
    const headers = await admin()
    await refused(() => issue(headers, { scopes: ['certifai:read'] }), 'tenant.frozen', 409)
    await refused(() => rotate(headers, one.id), 'tenant.frozen', 409)
    await refused(() => patch(headers, one.id, { name: 'New' }), 'tenant.frozen', 409)
    await refused(() => patch(headers, one.id, { enabled: false, name: 'New' }), 'tenant.frozen', 409)
    await refused(() => patch(headers, two.id, { enabled: true }), 'tenant.frozen', 409)
    expect((await patch(headers, one.id, { enabled: false })).body).toMatchObject({ status: 'disabled' })
    expect((await revoke(headers, two.id)).body).toMatchObject({ status: 'revoked' })
    const all = await send('POST', '/revoke-all', { reason: 'compromised' }, headers)
    expect([all.status, all.body.api_keys]).toEqual([200, 2])
    expect((await send('GET', `/${three.id}`, undefined, headers)).body).toMatchObject({ status: 'revoked' })
  })

  it('is put in order by the platform', async () => {
    await freeze()
    const { status, body } = await issue(await platform(), { scopes: ['certifai:read'] })
    expect(status).toBe(201)
    expect((await rotate(await platform(), body.id)).status).toBe(201)
  })

  it('has no key that makes one', async () => {
    const { key } = await stored({ scopes: ['api_keys:*'] })
    await freeze()
    await refused(() => issue(bearer(key), { scopes: ['api_keys:*'] }), 'auth.api_key_refused', 401)
  })
})

describe('the policy of a tenant', () => {
  const setPolicy = async (key_policy: object | null) => {
    const headers = await platform()
    const { status, text } = await server.call('PATCH', `/v1/tenants/${tenant.id}`, { headers, json: { key_policy } })
    expect(status, text).toBe(200)
  }
  const people = { admin, owner: async () => await platform('platform-owner') }
  const violated = 'api_key.policy_violated'

  it.each(Object.entries(people))('is kept by its %s when a key is made', async (_, headersOf) => {
    const headers = await headersOf()
    const scopes = ['certifai:read']
    await setPolicy({ max_days: 30 })
    await refused(() => issue(headers, { scopes }), violated, 409)
    await refused(() => issue(headers, { scopes, expires_at: inDays(31) }), violated, 409)
    expect((await issue(headers, { scopes, expires_at: inDays(29) })).status).toBe(201)
    await setPolicy({ max_days: null, expiry_required: true })
    await refused(() => issue(headers, { scopes }), violated, 409)
    expect((await issue(headers, { scopes, expires_at: inDays(3000) })).status).toBe(201)
    await setPolicy(null)
    expect((await issue(headers, { scopes })).status).toBe(201)
  })

  it.each(Object.entries(people))(
    'is kept by its %s when a key of before is changed or rotated',
    async (_, headersOf) => {
      const headers = await headersOf()
      const [endless, long] = [await stored({}), await stored({ expires_at: inDays(300) })]
      await setPolicy({ max_days: 30 })
      for (const { id } of [endless, long]) {
        await refused(() => patch(headers, id, { name: 'New' }), violated, 409)
        await refused(() => patch(headers, id, { expires_at: null }), violated, 409)
        await refused(() => patch(headers, id, { expires_at: inDays(31) }), violated, 409)
        await refused(() => rotate(headers, id), violated, 409)
        expect((await patch(headers, id, { enabled: false })).status).toBe(200)
        await refused(() => patch(headers, id, { enabled: true }), violated, 409)
        expect((await patch(headers, id, { enabled: true, expires_at: inDays(29) })).status).toBe(200)
        expect((await rotate(headers, id)).status).toBe(201)
        expect((await revoke(headers, id)).status).toBe(200)
      }
    },
  )

  it('cannot be put off by changing a key again and again: the days count from when it was made', async () => {
    const headers = await admin()
    await setPolicy({ max_days: 30 })
    const { id } = await stored({ expires_at: inDays(29) })
    const backdate = `update api_keys set created_at = created_at - interval '20 days' where id = $1`
    await owner.query(backdate, [id])
    await refused(() => patch(headers, id, { expires_at: inDays(29) }), violated, 409)
    await refused(() => rotate(headers, id), violated, 409)
    expect((await patch(headers, id, { expires_at: inDays(9.9) })).status).toBe(200)
  })

  it('is kept by a key that makes keys', async () => {
    const { key } = await stored({ scopes: rights })
    await setPolicy({ expiry_required: true })
    await refused(() => issue(bearer(key), { scopes: rights }), violated, 409)
    expect((await issue(bearer(key), { scopes: rights, expires_at: tenDays })).status).toBe(201)
  })
})

describe('an Idempotency-Key', () => {
  const keyed = async (headers: Headers, key: string) => ({ ...headers, 'idempotency-key': `${key}-${tenant.id}` })
  const age = async (minutes: number) =>
    await owner.query(`update registry.idempotency set created_at = created_at - $1 * interval '1 minute'`, [minutes])
  const count = async () => (await owner.query('select 1 from api_keys where tenant_id = $1', [tenant.id])).rowCount

  it.each(['issue', 'rotate'] as const)(
    'shows the same secret for 15 minutes, and then where it belongs: %s',
    async (how) => {
      const { id } = await stored({})
      const headers = await keyed(await admin(), how)
      const ask = async () =>
        how === 'issue' ? await issue(headers, { scopes: ['certifai:*'] }) : await rotate(headers, id)
      const first = await ask()
      expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null])
      expect(await count()).toBe(2)
      for (const minutes of [0, 14]) {
        await age(minutes)
        const again = await ask()
        expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
        expect(again.text).toBe(first.text)
        for (const name of ['etag', 'location']) expect(again.headers.get(name)).toBe(first.headers.get(name))
      }
      await age(2)
      const late = await ask()
      expect(late).toMatchObject({ status: 409, body: { code: 'idempotency.secret_gone', id: first.body.id } })
      expect(late.text).not.toContain(first.body.key)
      expect(await count()).toBe(2)
    },
  )

  it('is somebody’s own: another one with the same makes another key', async () => {
    const fields = { scopes: ['certifai:read'] }
    const mine = await issue(await keyed(await admin(), 'shared'), fields)
    const theirs = await issue(await keyed(await platform(), 'shared'), fields)
    expect(theirs.status).toBe(201)
    expect(theirs.body.key).not.toBe(mine.body.key)
  })

  it('shows nothing to who may no longer ask', async () => {
    const maker = await stored({ scopes: ['api_keys:*'] })
    const headers = await keyed(bearer(maker.key), 'no-longer')
    const ask = async () => await issue(headers, { scopes: ['api_keys:read'] })
    expect((await ask()).status).toBe(201)
    await patch(await admin(), maker.id, { scopes: ['api_keys:read'] })
    expect(said(await ask())).toEqual([403, 'auth.permission_denied'])
    await revoke(await admin(), maker.id)
    expect(said(await ask())).toEqual([401, 'auth.api_key_refused'])
  })
})

describe('a key that ends, or comes to less, while its request is under way', () => {
  /** Sends a request whose body comes only after `meanwhile`: who it is was judged by then. */
  async function slowly(
    path: string,
    json: object,
    token: string,
    meanwhile: () => Promise<unknown>,
  ): Promise<unknown[]> {
    const body = JSON.stringify(json)
    const { hostname, port } = new URL(server.url)
    const headers = { ...bearer(token), 'content-type': 'application/json', 'content-length': body.length }
    return await new Promise((resolve, reject) => {
      const request = httpRequest({ hostname, port, method: 'POST', path, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve([response.statusCode, (JSON.parse(text) as { code?: string }).code]))
      })
      request.on('error', reject)
      request.write(body.slice(0, 5))
      request.flushHeaders()
      void (async () => {
        await server.call('GET', '/healthz')
        await meanwhile()
        request.end(body.slice(5))
      })().catch(reject)
    })
  }

  const scopes = ['api_keys:write', 'tenant:read']
  const changes: Record<string, (id: string) => Promise<Answer>> = {
    'is revoked': async (id) => await revoke(await admin(), id),
    'is switched off': async (id) => await patch(await admin(), id, { enabled: false }),
    'ends with all others': async () => await send('POST', '/revoke-all', { reason: 'compromised' }, await admin()),
    'loses scopes': async (id) => await patch(await admin(), id, { scopes: ['tenant:read'] }),
    'gets an end': async (id) => await patch(await admin(), id, { expires_at: tenDays }),
    'gets networks': async (id) => await patch(await admin(), id, { ip_allow: ['203.0.113.0/24'] }),
  }

  it.each(Object.entries(changes))('leaves no other behind when it %s', async (_, change) => {
    for (const how of ['issue', 'rotate']) {
      const own = await stored({ scopes })
      const target = await stored({ scopes: ['tenant:read'], expires_at: inDays(1), ip_allow: ['203.0.113.7'] })
      expect((await server.call('GET', '/v1/me', { headers: bearer(own.key) })).status).toBe(200)
      let changed: Answer | undefined
      let before: unknown
      const meanwhile = async () => {
        changed = await change(own.id)
        before = await everything()
      }
      // What it could hand on before and after: what is refused is that it acts at all.
      const json = { name: 'Left behind', scopes: ['tenant:read'], expires_at: inDays(1), ip_allow: ['203.0.113.7'] }
      const answer =
        how === 'issue'
          ? await slowly(keysPath(), json, own.key, meanwhile)
          : await slowly(`${keysPath()}/${target.id}/rotate`, { overlap_seconds: 60 }, own.key, meanwhile)
      expect(changed?.status).toBe(200)
      expect(answer).toEqual([401, 'auth.api_key_refused'])
      expect(await everything()).toEqual(before)
    }
  })
})

it('a key that ended with all others stays as it is, whoever ends it again', async () => {
  const key = await stored({})
  await send('POST', '/revoke-all', { reason: 'compromised' }, await admin())
  const before = await send('GET', `/${key.id}`, undefined, await admin())
  expect(before.body).toMatchObject({ status: 'revoked', revoked_reason: 'compromised' })
  const log = await everything()
  expect((await revoke(await admin(), key.id)).body).toEqual(before.body)
  expect((await server.call('POST', '/v1/api-keys/revoke', { json: { key: key.key } })).status).toBe(204)
  expect(await everything()).toEqual(log)
})
