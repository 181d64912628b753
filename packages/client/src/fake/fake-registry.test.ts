import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../test/tenant.ts'
import {
  ConflictError,
  ConnectionError,
  InternalError,
  notModified,
  StaleError,
  type Tenant,
  UnavailableError,
} from '../index.ts'
import { fakeRegistry, refuse } from './index.ts'

const once = { retries: 0 }

describe('what a test says', () => {
  it('is what a client reads: state only what the test is about', async () => {
    const registry = fakeRegistry({ products: ['certifai'] })
    const acme = registry.tenant({ slug: 'acme' })
    registry.entitle(acme, 'certifai', { limits: { seats: 5 } })
    const { tenants, entitlements } = registry.client()
    expect(await tenants.getBySlug('acme')).toMatchObject({ id: acme.id, status: 'active', products: ['certifai'] })
    expect(await entitlements.get(acme.id)).toMatchObject({
      status: 'active',
      data: [{ product: 'certifai', access: 'full', limits: { seats: { value: 5, source: 'tenant' } }, version: 1 }],
    })
    registry.disentitle(acme, 'certifai')
    expect(await entitlements.get(acme.id)).toMatchObject({ data: [] })
    registry.remove(acme)
    expect(await rejectionOf(tenants.get(acme.id))).toMatchObject({ code: 'tenant.not_found' })
  })

  it('about a tenant or a product that is not there is a mistake', () => {
    const registry = fakeRegistry()
    const acme = registry.tenant({ slug: 'acme' })
    expect(() => registry.tenant({ slug: 'acme' })).toThrow('there is a tenant acme')
    expect(() => registry.freeze({ id: 'nobody' })).toThrow('the fake registry has no tenant nobody')
    registry.remove(acme)
    expect(() => registry.entitle(acme, 'certifai')).toThrow(acme.id)
  })

  it('is not what the client holds: changing one leaves the other', async () => {
    const registry = fakeRegistry()
    const { id } = registry.tenant({ metadata: { a: '1' } })
    const read = (await registry.client().tenants.get(id)) as Tenant
    read.metadata['a'] = '2'
    expect(await registry.client().tenants.get(id)).toMatchObject({ metadata: { a: '1' } })
  })

  it('changes the ETag, and only that does', async () => {
    const registry = fakeRegistry()
    const { id } = registry.tenant()
    const { tenants } = registry.client()
    const { etag: ifNoneMatch } = await tenants.get(id).withResponse()
    expect(await tenants.get(id, { ifNoneMatch })).toBe(notModified)
    registry.change({ id }, { name: 'Another' })
    expect(await tenants.get(id, { ifNoneMatch })).toMatchObject({ name: 'Another', version: 2 })
  })

  it('about its slug leaves it to be found by the one before, unless that is another one’s', async () => {
    const registry = fakeRegistry()
    const acme = registry.tenant({ slug: 'acme' })
    const { tenants } = registry.client()
    expect((await tenants.getBySlug('acme').withResponse()).contentLocation).toBeUndefined()
    registry.change(acme, { slug: 'acme-inc' })
    const found = await tenants.getBySlug('acme').withResponse()
    expect(found).toMatchObject({ data: { id: acme.id }, contentLocation: '/v1/tenants/by-slug/acme-inc' })
    const other = registry.tenant({ slug: 'acme' })
    expect(await tenants.getBySlug('acme')).toMatchObject({ id: other.id })
    registry.remove(other)
    registry.remove(acme)
    expect(await rejectionOf(tenants.getBySlug('acme'))).toMatchObject({ code: 'tenant.not_found' })
  })

  it('is by its own clock', async () => {
    let now = Date.parse('2026-03-01T12:00:00.000Z')
    const registry = fakeRegistry({ now: () => now })
    const { id } = registry.tenant({ status: 'trial', trial_ends_at: '2026-03-02T12:00:00.000Z' })
    registry.entitle({ id }, 'certifai')
    const { entitlements } = registry.client()
    const [before] = [await entitlements.get(id)]
    now += 86_400_000
    const after = await entitlements.get(id)
    expect([before, after].map(({ trial_days_left, data: [entry] }) => [trial_days_left, entry?.reason])).toEqual([
      [1, 'granted'],
      [null, 'trial_ended'],
    ])
  })
})

describe('an answer of one’s own', () => {
  it('takes what the operation takes and gives what it gives', async () => {
    const registry = fakeRegistry()
    registry.answer('createTenant', ({ args }) => registry.tenant({ slug: args.body.slug, name: args.body.name }))
    // @ts-expect-error a tenant has more than that
    registry.answer('purgeTenant', () => ({ slug: 'acme' }))
    const made = await registry.client().tenants.create({ slug: 'acme', name: 'Acme' }).withResponse()
    expect(made).toMatchObject({ status: 201, data: { slug: 'acme' }, etag: expect.stringMatching(/^"1-/) as string })
    expect(await registry.client().tenants.getBySlug('acme')).toEqual(made.data)
  })

  it('may refuse, with the codes of the registry', async () => {
    const registry = fakeRegistry()
    const acme = registry.tenant()
    registry.answer('createTenant', () => refuse('conflict', 'tenant.slug_taken', { detail: 'taken by Acme' }))
    registry.answer('updateTenant', ({ ifMatch }) =>
      ifMatch === 1
        ? registry.change(acme, { name: 'New' })
        : refuse('stale', 'resource.version_stale', { current_version: 1 }),
    )
    // @ts-expect-error that is no conflict
    expect(() => refuse('conflict', 'tenant.not_found')).toThrow('tenant.not_found')
    const { tenants } = registry.client()
    const taken = await rejectionOf(tenants.create({ slug: 'acme', name: 'Acme' }))
    expect(taken).toBeInstanceOf(ConflictError)
    expect(taken).toMatchObject({
      code: 'tenant.slug_taken',
      message: expect.stringContaining('taken by Acme') as string,
    })
    const stale = await rejectionOf(tenants.update(acme.id, { name: 'New' }, { ifMatch: 7 }))
    expect(stale).toBeInstanceOf(StaleError)
    expect(stale).toMatchObject({ problem: { current_version: 1 } })
    expect(await tenants.update(acme.id, { name: 'New' }, { ifMatch: '"1-abc"' })).toMatchObject({ version: 2 })
  })

  it('is asked for by what has none: no test takes silence for success', async () => {
    const registry = fakeRegistry()
    const error = await rejectionOf(registry.client().tenants.create({ slug: 'acme', name: 'Acme' }))
    expect(error).toBeInstanceOf(InternalError)
    expect(error).toMatchObject({
      attempts: 1,
      message:
        "createTenant: 500 service.internal_error: the fake registry: no answer to createTenant: give one with registry.answer('createTenant', …)",
    })
    expect(await rejectionOf(registry.client().tenants.list({ q: 'ac' }))).toMatchObject({
      message: expect.stringContaining('does not know q') as string,
    })
  })

  it('may be lines, or nothing', async () => {
    const registry = fakeRegistry()
    registry.answer('liftLegalHold', () => undefined)
    registry.answer('importTenants', ({ args }) =>
      args.body
        .trimEnd()
        .split('\n')
        .map((_, index) => `${JSON.stringify({ line: index + 1, outcome: 'created' })}\n`)
        .join(''),
    )
    const { id } = registry.tenant()
    const { tenants } = registry.client()
    expect(await tenants.legalHold.lift(id)).toBeUndefined()
    const rows = [1, 2].map((n) => ({ slug: `tenant-${n}`, name: 'Tenant' }))
    expect(await tenants.import(rows)).toMatchObject([{ line: 1 }, { line: 2 }])
  })
})

describe('an outage', () => {
  it('is a registry without its database, or none at all, until it comes back', async () => {
    const registry = fakeRegistry()
    const { id } = registry.tenant()
    const { tenants, service } = registry.client(once)
    registry.goDown()
    const unavailable = await rejectionOf(tenants.get(id))
    expect(unavailable).toBeInstanceOf(UnavailableError)
    expect(unavailable).toMatchObject({ code: 'database.unavailable', retryAfterSeconds: 1 })
    expect(await service.health()).toEqual({ status: 'ok' })
    expect(await rejectionOf(service.readiness())).toMatchObject({ code: 'service.not_ready' })
    registry.goDown('unreachable')
    const unreachable = await rejectionOf(service.health())
    expect(unreachable).toBeInstanceOf(ConnectionError)
    expect(unreachable).toMatchObject({ unsent: true })
    registry.comeBack()
    expect(await tenants.get(id)).toMatchObject({ id })
  })

  it('ends the waiting for changes at once', async () => {
    const registry = fakeRegistry()
    const waiting = rejectionOf(registry.client(once).changes.list({ wait: 25 }))
    registry.goDown()
    expect(await waiting).toMatchObject({ code: 'database.unavailable' })
  })
})

it('the feed can be followed, and loses who was away for too long', async () => {
  const registry = fakeRegistry()
  const acme = registry.tenant()
  const { changes } = registry.client()
  const waiting = changes.list({ after: 1, wait: 25 })
  registry.entitle(acme, 'certifai')
  expect(await waiting).toMatchObject({ data: [{ n: 2, kind: 'tenant_product', ref_id: 'certifai' }], head: 2 })
  registry.forgetChanges()
  expect(await rejectionOf(changes.list({ after: 2 }))).toMatchObject({ name: 'ChangesExpiredError' })
  expect(await changes.list()).toMatchObject({ data: [] })
})

it('a Request is a question as well, with all that it has', async () => {
  const registry = fakeRegistry()
  const { id } = registry.tenant()
  const headers = { 'X-Request-Id': 'chosen-by-me' }
  const body = JSON.stringify({ items: [{ tenant_id: id }] })
  const request = new Request('http://registry.test/v1/entitlements/evaluate', { method: 'POST', headers, body })
  const response = await registry.fetch(request)
  expect([response.status, response.headers.get('x-request-id')]).toEqual([200, 'chosen-by-me'])
  expect(await response.json()).toMatchObject({ data: [{ tenant_id: id, error: null }] })
  const stopped = new Request('http://registry.test/v1/changes?wait=25', { signal: AbortSignal.abort() })
  await expect(registry.fetch(stopped)).rejects.toThrow()
})

it('a signal may be of another kind than the platform’s, as it is where a test has a DOM', async () => {
  const { fetch } = fakeRegistry()
  const signal = Object.assign(new EventTarget(), { aborted: false, throwIfAborted: () => {} }) as AbortSignal
  expect((await fetch('http://registry.test/healthz', { signal })).status).toBe(200)
})

it('what is no JSON, and a path that cannot be read, are invalid', async () => {
  const { fetch } = fakeRegistry()
  const codeOf = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://registry.test${path}`, init)
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  const post = { method: 'POST', body: '{' }
  expect(await codeOf('/v1/entitlements/evaluate', post)).toEqual([400, 'request.json_malformed'])
  expect(await codeOf('/v1/tenants/by-slug/%zz')).toEqual([400, 'request.path_malformed'])
})

it('a question can be stopped, and every one is remembered', async () => {
  const registry = fakeRegistry()
  const stop = new AbortController()
  const waiting = rejectionOf(registry.client().changes.list({ wait: 25 }, { signal: stop.signal }))
  stop.abort()
  expect(await waiting).toMatchObject({ name: 'AbortError' })
  await registry.client({ token: 'secret' }).products.list()
  expect(registry.requests.map(({ operation, headers }) => [operation, headers.get('authorization')])).toEqual([
    ['listChanges', null],
    ['listProducts', 'Bearer secret'],
  ])
})

describe('a key', () => {
  function aScene() {
    const registry = fakeRegistry({ products: [{ key: 'certifai', scopes: ['reports:read'] }] })
    const acme = registry.tenant({ slug: 'acme' })
    registry.entitle(acme, 'certifai')
    const issued = registry.apiKeys.issue({ tenant_id: acme.id, scopes: ['reports:read'] })
    const { apiKeys } = registry.client(once)
    const codeOf = async (question: Omit<Parameters<typeof apiKeys.verify>[0], 'key'> = {}) =>
      (await apiKeys.verify({ key: issued.key, ...question })).code
    return { registry, acme, issued, apiKeys, codeOf }
  }

  it('is good for what it was made for, and opens the product that has its scopes', async () => {
    const { issued, acme, apiKeys, codeOf } = aScene()
    expect(issued).toMatchObject({ tenant_id: acme.id, audience: 'certifai', status: 'active', version: 1 })
    expect(await apiKeys.verify({ key: issued.key, scopes: ['reports:read'] })).toEqual({
      valid: true,
      code: 'VALID',
      api_key_id: issued.id,
      tenant_id: acme.id,
      project_id: null,
      environment: 'live',
      scopes: ['reports:read'],
      expires_at: null,
      tenant_status: null,
      max_age: 5,
    })
    expect(await codeOf({ scopes: ['reports:write'] })).toBe('INSUFFICIENT_SCOPE')
    expect(await codeOf({ environment: 'test' })).toBe('ENVIRONMENT_MISMATCH')
    const { data } = await apiKeys.verifyMany([{ key: issued.key }, { key: 'nonsense' }])
    expect(data.map(({ code }) => code)).toEqual(['VALID', 'NOT_FOUND'])
  })

  it('ends, and is switched off, as a test says', async () => {
    const { registry, issued, codeOf } = aScene()
    registry.apiKeys.change(issued, { enabled: false })
    expect(await codeOf()).toBe('DISABLED')
    expect(registry.apiKeys.expire(issued)).toMatchObject({ status: 'expired' })
    expect(await codeOf()).toBe('EXPIRED')
    expect(registry.apiKeys.revoke(issued, 'compromised')).toMatchObject({ revoked_reason: 'compromised', version: 4 })
    expect(await codeOf()).toBe('REVOKED')
  })

  it('that leaked is ended by whoever holds it, and nobody learns whether it was one', async () => {
    const { issued, apiKeys, codeOf } = aScene()
    expect(await apiKeys.revokeLeaked('nonsense')).toBeUndefined()
    expect(await apiKeys.revokeLeaked(issued.key)).toBeUndefined()
    expect(await codeOf()).toBe('REVOKED')
  })

  it('is bound to networks', async () => {
    const { registry, issued, codeOf } = aScene()
    registry.apiKeys.change(issued, { ip_allow: ['203.0.113.0/24', '2001:db8::1'] })
    expect(await codeOf()).toBe('IP_NOT_ALLOWED')
    for (const [client_ip, code] of [
      ['203.0.113.7', 'VALID'],
      ['::ffff:203.0.113.7', 'VALID'],
      ['2001:db8::1', 'VALID'],
      ['203.0.114.7', 'IP_NOT_ALLOWED'],
      ['2001:db8::2', 'IP_NOT_ALLOWED'],
    ] as const)
      expect([client_ip, await codeOf({ client_ip })]).toEqual([client_ip, code])
  })

  it('of nobody is a mistake', () => {
    const { registry } = aScene()
    expect(() => registry.apiKeys.issue({ tenant_id: 'nobody', scopes: ['a:b'] })).toThrow('no tenant nobody')
    expect(() => registry.apiKeys.revoke({ key: 'nobody' })).toThrow('no such key')
  })
})
