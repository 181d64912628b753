import {
  ConflictError,
  ConnectionError,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  notModified,
  TenantClient,
  UnauthenticatedError,
  UnavailableError,
} from '@breakpilot/tenant-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aSigningKey, startProvider } from '../../packages/http/test/oidc-provider.ts'
import { aTenant } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let server: ServerUnderTest
let client: TenantClient

beforeAll(async () => {
  server = await startTestServer()
  client = new TenantClient({ baseUrl: server.url })
})
afterAll(() => server.stop())

const rejectionOf = (promise: PromiseLike<unknown>) => {
  return promise.then(
    () => expect.fail('it was fulfilled'),
    (error: unknown) => error,
  )
}
const anId = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/) as string
const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string

describe('a tenant', () => {
  it('is created, and found in all four ways', async () => {
    const created = await client.tenants.create({ slug: 'acme', name: 'Acme Inc.', erp_id: 'C-1', stripe_id: 'cus_1' })
    expect(created).toEqual({
      id: anId,
      slug: 'acme',
      name: 'Acme Inc.',
      status: 'trial',
      effective_status: 'trial',
      kind: 'customer',
      plan: null,
      erp_id: 'C-1',
      stripe_id: 'cus_1',
      trial_ends_at: null,
      contract_starts_at: null,
      contract_ends_at: null,
      sales_owner: null,
      products: [],
      allowed_transitions: ['active', 'frozen', 'archived'],
      status_reason: null,
      status_note: null,
      status_changed_at: aTime,
      status_changed_by: 'dev',
      frozen_from: null,
      deletion_protection: false,
      keys_valid_after: null,
      archived_at: null,
      purge_after: null,
      purge_requested_at: null,
      key_policy: {},
      metadata: {},
      version: 1,
      created_at: aTime,
      updated_at: aTime,
    })
    expect(await client.tenants.get(created.id)).toEqual(created)
    expect(await client.tenants.getBySlug('acme')).toEqual(created)
    expect(await client.tenants.getByErpId('C-1')).toEqual(created)
    expect(await client.tenants.getByStripeId('cus_1')).toEqual(created)
  })

  it.each(['../x', 'a/b', '/', '?q', '#f', '%2e', '%2e%2e', '%2F', '%', '..;/', 'a b', 'Müller & Söhne', '..\\..'])(
    'is found by the ERP id %j: it stays within its path segment',
    async (erp_id) => {
      const { id } = await aTenant(server.db, { erp_id })
      expect((await client.tenants.getByErpId(erp_id)).id).toBe(id)
    },
  )

  it.each(['.', '..', ''])('is not looked for under %j', async (id) => {
    const asked = server.log.length
    const error = await rejectionOf(client.tenants.getByErpId(id))
    expect(error).toBeInstanceOf(InvalidError)
    expect(error).toMatchObject({ code: 'request.invalid', attempts: 0 })
    expect(server.log).toHaveLength(asked)
  })

  it('that does not exist is a NotFoundError, whose request id is in the log', async () => {
    const error = await rejectionOf(client.tenants.getBySlug('nobody'))
    if (!(error instanceof NotFoundError)) throw error
    expect(error).toMatchObject({ status: 404, code: 'tenant.not_found', attempts: 1 })
    expect(server.log.filter(({ request_id }) => request_id === error.requestId)).toHaveLength(1)
    expect(error.problem).toMatchObject({ instance: '/v1/tenants/by-slug/nobody', request_id: error.requestId })
  })

  it('with a slug that is taken is a ConflictError', async () => {
    const { slug } = await aTenant(server.db)
    const error = await rejectionOf(client.tenants.create({ slug, name: 'Another' }))
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ status: 409, code: 'tenant.slug_taken' })
  })

  it('that is not valid is an InvalidError that says where', async () => {
    const error = await rejectionOf(client.tenants.create({ slug: 'A', name: '' }))
    if (!(error instanceof InvalidError)) throw error
    expect(error.code).toBe('request.invalid')
    expect(new Set(error.problem?.errors?.map(({ pointer }) => pointer))).toEqual(new Set(['/slug', '/name']))
  })
})

describe('a list', () => {
  const plan = 'professional'
  let slugs: string[]

  beforeAll(async () => {
    const made: string[] = []
    for (let count = 0; count < 5; count += 1) {
      made.push((await aTenant(server.db, { status: 'active', plan })).slug)
    }
    slugs = made.toReversed()
  })

  it('gives every tenant that matches, newest first, over several pages', async () => {
    const found: string[] = []
    for await (const { slug } of client.tenants.list({ status: 'active', plan, limit: 2 })) found.push(slug)
    expect(found).toEqual(slugs)
  })

  it('gives its pages, its first page, and as many as one wants', async () => {
    const sizes: number[] = []
    for await (const { data } of client.tenants.list({ plan, limit: 2 }).pages()) sizes.push(data.length)
    expect(sizes).toEqual([2, 2, 1])
    const first = await client.tenants.list({ plan, limit: 2 })
    expect([first.data.map(({ slug }) => slug), first.has_more]).toEqual([slugs.slice(0, 2), true])
    const three = await client.tenants.list({ plan, limit: 2 }).toArray({ max: 3 })
    expect(three.map(({ slug }) => slug)).toEqual(slugs.slice(0, 3))
  })

  it('with a cursor of another list is an InvalidError', async () => {
    const { next_cursor } = await client.tenants.list({ plan, limit: 2 })
    const error = await rejectionOf(client.tenants.list({ cursor: next_cursor ?? '' }))
    expect(error).toBeInstanceOf(InvalidError)
    expect(error).toMatchObject({ code: 'page.cursor_invalid' })
  })
})

it('a call says what its answer came in', async () => {
  const { slug } = await aTenant(server.db)
  const headers = { 'X-Request-Id': 'client-test-1' }
  const { data, response, requestId } = await client.tenants.getBySlug(slug, { headers }).withResponse()
  expect([data.slug, response.headers.get('cache-control'), requestId]).toEqual([
    slug,
    'private, no-cache',
    'client-test-1',
  ])
})

describe('a key', () => {
  const given = { name: 'Deployment', scopes: ['certifai:read'] }
  const codeOf = async (key: string) => (await client.apiKeys.verify({ key })).code
  let tenantId: string

  beforeAll(async () => {
    tenantId = (await aTenant(server.db, { status: 'active', plan: 'professional' })).id
    await client.tenantProducts.put(tenantId, 'certifai', {})
  })

  it('is made once, however often that is tried, and its secret is shown to who made it alone', async () => {
    const { apiKeys } = client
    const options = { idempotencyKey: 'order-4711' }
    const issued = await apiKeys.issue(tenantId, given, options).withResponse()
    const again = await apiKeys.issue(tenantId, given, options).withResponse()
    expect([issued.replayed, again.replayed, again.data]).toEqual([false, true, issued.data])
    const { key, ...rest } = issued.data
    const read = await apiKeys.get(tenantId, rest.id).withResponse()
    expect(read.data).toEqual(rest)
    expect(await apiKeys.get(tenantId, rest.id, { ifNoneMatch: read.etag })).toBe(notModified)
    expect(await apiKeys.find(rest.prefix)).toEqual({ data: [rest] })
    expect(await apiKeys.list(tenantId, { audience: 'certifai' }).toArray({ max: 9 })).toEqual([rest])
    expect(await codeOf(key)).toBe('VALID')
  })

  it('gives way to another one, is switched off and on, and ends', async () => {
    const { apiKeys } = client
    const first = await apiKeys.issue(tenantId, given)
    const second = await apiKeys.rotate(tenantId, first.id, { overlap_seconds: 0 }, { ifMatch: first.version })
    expect([second.family_id, await codeOf(second.key)]).toEqual([first.id, 'VALID'])
    expect((await client.apiKeys.verifyMany([{ key: first.key }, { key: second.key }])).data).toMatchObject([
      { valid: false, code: 'EXPIRED' },
      { valid: true, code: 'VALID' },
    ])
    expect(await rejectionOf(apiKeys.rotate(tenantId, first.id))).toBeInstanceOf(ConflictError)

    const off = await apiKeys.update(tenantId, second.id, { enabled: false }, { ifMatch: second.version })
    expect([off.status, await codeOf(second.key)]).toEqual(['disabled', 'DISABLED'])
    const stale = apiKeys.update(tenantId, second.id, { enabled: true }, { ifMatch: second.version })
    expect(await rejectionOf(stale)).toMatchObject({ status: 412, code: 'resource.version_stale' })
    await apiKeys.update(tenantId, second.id, { enabled: true })

    const revoked = await apiKeys.revoke(tenantId, second.id, { reason: 'no_longer_needed' })
    expect([revoked.status, await codeOf(second.key)]).toEqual(['revoked', 'REVOKED'])
  })

  it('that leaked is ended by whoever holds it', async () => {
    const { key } = await client.apiKeys.issue(tenantId, given)
    expect(await client.apiKeys.revokeLeaked(key)).toBeUndefined()
    expect(await client.apiKeys.revokeLeaked('whatever')).toBeUndefined()
    expect(await codeOf(key)).toBe('REVOKED')
  })

  it('of the registry itself is a token', async () => {
    const { id, key } = await client.apiKeys.issue(tenantId, { ...given, scopes: ['tenant:read'] })
    const own = new TenantClient({ baseUrl: server.url, token: key })
    expect(await own.me()).toMatchObject({ kind: 'api-key', id, api_key: { id, tenant_id: tenantId } })
    expect((await own.tenants.get(tenantId)).id).toBe(tenantId)
    expect(await client.me()).toMatchObject({ kind: 'operator', api_key: null })
  })
})

describe('credentials', () => {
  it('that count for nothing, or that do not permit it, are errors of their own', async () => {
    await using provider = await startProvider([await aSigningKey('RS256', 'one')])
    const guarded = await startTestServer({ AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer }, server.database)
    try {
      const withToken = (token?: string) => new TenantClient({ baseUrl: guarded.url, token })
      const missing = await rejectionOf(withToken().tenants.getBySlug('acme'))
      expect(missing).toBeInstanceOf(UnauthenticatedError)
      expect(missing).toMatchObject({ code: 'auth.credentials_missing', attempts: 1 })

      const forged = `${await provider.accessToken()}x`
      const invalid = await rejectionOf(withToken(forged).tenants.getBySlug('acme'))
      expect(invalid).toBeInstanceOf(UnauthenticatedError)
      expect(invalid).not.toMatchObject({ code: 'auth.credentials_missing' })

      // A token that somebody's code fetches is one that the registry accepts; its bearer has no role.
      const getToken = () => provider.accessToken()
      const nobody = new TenantClient({ baseUrl: guarded.url, getToken })
      const forbidden = await rejectionOf(nobody.tenants.getBySlug('acme'))
      expect(forbidden).toBeInstanceOf(ForbiddenError)
      expect(forbidden).toMatchObject({ code: 'auth.permission_denied' })
    } finally {
      await guarded.stop()
    }
  })
})

describe('the service', () => {
  it('says that it is alive and ready', async () => {
    expect(await client.service.health()).toEqual({ status: 'ok' })
    expect(await client.service.readiness()).toEqual({ status: 'ready', notes: [], audit_partitions_ahead: 12 })
  })

  it('without its database is alive and not ready, and asked again before that is believed', async () => {
    const nowhere = new URL(server.database.runtimeUrl)
    nowhere.port = '1'
    const lonely = await startTestServer({ DATABASE_URL: nowhere.href }, server.database)
    try {
      const { service, tenants } = new TenantClient({ baseUrl: lonely.url, retries: 1 })
      expect(await service.health()).toEqual({ status: 'ok' })
      const error = await rejectionOf(service.readiness())
      if (!(error instanceof UnavailableError)) throw error
      expect(error).toMatchObject({ code: 'service.not_ready', attempts: 2, retryAfterSeconds: 1 })
      expect(error.problem?.errors?.map(({ pointer }) => pointer)).toContain('/database')
      expect(await rejectionOf(tenants.getBySlug('acme'))).toMatchObject({ code: 'database.unavailable', attempts: 2 })
    } finally {
      await lonely.stop()
    }
  })

  it('that is gone is a ConnectionError', async () => {
    const stopped = await startTestServer({}, server.database)
    await stopped.stop()
    const { tenants } = new TenantClient({ baseUrl: stopped.url })
    const error = await rejectionOf(tenants.create({ slug: 'never', name: 'Never' }))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ unsent: true, attempts: 3 })
  })
})
