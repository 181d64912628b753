import { TenantClient, UnavailableError } from '@breakpilot/tenant-client'
import {
  createEntitlements,
  type EntitlementChange,
  type EntitlementsOptions,
  type KeptEntitlements,
} from '@breakpilot/tenant-client/entitlements'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { memberClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, startProvider } from '../../packages/http/test/oidc-provider.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aRelay } from '../postgres/relay.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

const hourMs = 3_600_000
let database: TestDatabase
/** Always there, to change things with: what is taken away from the product under test is another one. */
let office: ServerUnderTest
let platform: TenantClient
const kept: KeptEntitlements<'certifai'>[] = []

beforeAll(async () => {
  database = await migratedDatabase()
  office = await startTestServer({}, database)
  platform = new TenantClient({ baseUrl: office.url })
})
afterAll(async () => {
  await office.stop()
  for (const each of kept) each.close()
  await database.drop()
})

let tenants = 0
async function aTenantWith(terms: Parameters<typeof platform.tenantProducts.put>[2] = {}, trialEndsAt?: number) {
  tenants += 1
  const slug = `entitled-${tenants}`
  const trial = { status: 'trial', trial_ends_at: new Date(trialEndsAt ?? 0).toISOString() } as const
  const active = { status: 'active', plan: 'professional' } as const
  const tenant = await platform.tenants.create({ slug, name: slug, ...(trialEndsAt === undefined ? active : trial) })
  await platform.tenantProducts.put(tenant.id, 'certifai', terms)
  return tenant
}

function keep(url: string, options: Partial<EntitlementsOptions<'certifai'>> = {}) {
  const entitlements = createEntitlements({
    client: new TenantClient({ baseUrl: url }),
    products: ['certifai'],
    onUnavailable: 'last_known',
    ...options,
  })
  kept.push(entitlements)
  return entitlements
}

const freeze = (tenantId: string) =>
  platform.tenants.transition(tenantId, { to: 'frozen', reason: 'payment_overdue' }, { retries: 0 })

/** The next change that is told. */
const nextChange = (entitlements: KeptEntitlements<'certifai'>) =>
  new Promise<EntitlementChange>((resolve) => {
    const end = entitlements.on('change', (change) => {
      end()
      resolve(change)
    })
  })

describe('with the registry', () => {
  it('what a tenant may use is as the registry says, and a freeze is heard of without asking', async () => {
    const { id } = await aTenantWith({ limits: { projects: 40 } })
    const entitlements = keep(office.url)
    await entitlements.waitUntilReady()
    expect(await entitlements.check(id, 'certifai')).toEqual({
      product: 'certifai',
      access: 'full',
      allowed: true,
      reason: 'granted',
      config: { region: 'eu' },
      limits: {
        projects: { value: 40, source: 'tenant' },
        audit_retention_days: { value: 365, source: 'plan' },
      },
      features: ['reports', 'api'],
      valid_until: null,
      trial_days_left: null,
      source: 'live',
      stale_ms: expect.any(Number) as number,
    })
    // Whoever only asked again would find it a minute later.
    const changed = nextChange(entitlements)
    await freeze(id)
    expect(await changed).toMatchObject({
      tenant_id: id,
      product: 'certifai',
      before: { access: 'full' },
      after: { access: 'read_only', reason: 'tenant_frozen' },
    })
    expect(await entitlements.check(id, 'certifai')).toMatchObject({ access: 'read_only', source: 'cache' })
    expect(await entitlements.limit(id, 'certifai', 'projects')).toMatchObject({ value: 40, source: 'cache' })
  })

  it('a product with a token of its own hears that it was taken away; who may not follow asks', async () => {
    await using provider = await startProvider([await aSigningKey('RS256', 'one')])
    const guarded = await startTestServer({ AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer }, database)
    try {
      const { id } = await aTenantWith()
      const getToken = () => provider.accessToken({ claims: productClaims('certifai') })
      const product = keep(guarded.url, { client: new TenantClient({ baseUrl: guarded.url, getToken }) })
      await product.waitUntilReady()
      expect(await product.check(id, 'certifai')).toMatchObject({ access: 'full', source: 'live' })
      const changed = nextChange(product)

      const errors: unknown[] = []
      const claims = memberClaims({ any: [id, 'tenant-admin'] })
      const people = keep(guarded.url, {
        client: new TenantClient({ baseUrl: guarded.url, getToken: () => provider.accessToken({ claims }) }),
        freshMs: 0,
        onError: (error) => void errors.push(error),
      })
      await people.waitUntilReady()
      expect(errors).toMatchObject([{ status: 403, code: 'auth.permission_denied' }])
      expect(await people.check(id, 'certifai')).toMatchObject({ access: 'full', source: 'live' })

      await platform.tenantProducts.remove(id, 'certifai')
      expect(await changed).toMatchObject({ tenant_id: id, after: { access: 'none' } })
      expect(await people.check(id, 'certifai')).toMatchObject({ access: 'none', reason: 'not_assigned' })
    } finally {
      await guarded.stop()
    }
  })

  it('a restart of it delays what is told, and loses nothing', async () => {
    const { id } = await aTenantWith()
    const first = await startTestServer({}, database)
    const entitlements = keep(first.url)
    await entitlements.waitUntilReady()
    await entitlements.check(id, 'certifai')
    const changed = nextChange(entitlements)
    await first.stop()
    await freeze(id)
    const second = await startTestServer({ ADDR: new URL(first.url).host }, database)
    try {
      expect(await changed).toMatchObject({ after: { access: 'read_only' } })
      expect(await entitlements.check(id, 'certifai')).toMatchObject({ access: 'read_only', source: 'cache' })
    } finally {
      await second.stop()
    }
  })
})

describe('without the registry', () => {
  it('a trial is over at its very end, and what comes then is known', async () => {
    let now = Date.now()
    const endsAt = now + 5 * hourMs
    const { id } = await aTenantWith({ config: { region: 'us' } }, endsAt)
    const server = await startTestServer({}, database)
    const entitlements = keep(server.url, { now: () => now, tenantIds: [id] })
    await entitlements.waitUntilReady()
    await vi.waitFor(() => expect(entitlements.snapshot().entries[0]?.answers).toHaveLength(2))
    await server.stop()

    now = endsAt - 1
    expect(await entitlements.check(id, 'certifai')).toMatchObject({
      access: 'full',
      trial_days_left: 1,
      source: 'last_known',
    })
    now = endsAt
    const over = await entitlements.check(id, 'certifai')
    expect(over).toMatchObject({
      access: 'read_only',
      reason: 'trial_ended',
      config: { region: 'us' },
      source: 'last_known',
    })
    expect(over.stale_ms).toBeGreaterThanOrEqual(5 * hourMs)
  })

  it('`deny` lets nobody in, `last_known` whoever was let in before, and neither a stranger', async () => {
    const { id } = await aTenantWith()
    const stranger = await aTenantWith()
    const server = await startTestServer({}, database)
    const lenient = keep(server.url, { freshMs: 0, tenantIds: [id] })
    const strict = keep(server.url, { freshMs: 0, tenantIds: [id], onUnavailable: 'deny' })
    await lenient.waitUntilReady()
    await strict.waitUntilReady()
    await server.stop()
    // That the feed broke off is heard a moment later: who is told at its end that nothing happened pauses for a second.
    await vi.waitFor(
      async () => {
        expect(await lenient.check(id, 'certifai')).toMatchObject({ access: 'full', source: 'last_known' })
        expect(await strict.check(id, 'certifai')).toMatchObject({ access: 'none', source: 'unavailable' })
      },
      { timeout: 5_000 },
    )
    expect(await lenient.check(stranger.id, 'certifai')).toMatchObject({ access: 'none', source: 'unavailable' })
  })

  it('whoever starts goes by what it kept, and by the registry as soon as that is there', async () => {
    const { id } = await aTenantWith()
    const server = await startTestServer({}, database)
    const before = keep(server.url, { tenantIds: [id] })
    await before.waitUntilReady()
    const file = JSON.stringify(before.snapshot())
    await server.stop()
    await freeze(id)

    const entitlements = keep(server.url, { tenantIds: [id], bootstrap: JSON.parse(file) as never })
    await entitlements.waitUntilReady()
    expect(await entitlements.check(id, 'certifai')).toMatchObject({ access: 'full', source: 'bootstrap' })
    const changed = nextChange(entitlements)
    const again = await startTestServer({ ADDR: new URL(server.url).host }, database)
    try {
      expect(await changed).toMatchObject({ before: { access: 'full' }, after: { access: 'read_only' } })
    } finally {
      await again.stop()
    }
  })

  it('that has lost its database is as good as none, until it has it again', async () => {
    const relay = await aRelay(database.runtimeUrl)
    const server = await startTestServer({ DATABASE_URL: relay.url }, database)
    try {
      const { id } = await aTenantWith()
      const stranger = await aTenantWith()
      const errors: unknown[] = []
      const entitlements = keep(server.url, { onError: (error) => void errors.push(error) })
      await entitlements.waitUntilReady()
      expect(await entitlements.check(id, 'certifai')).toMatchObject({ access: 'full', source: 'live' })
      await relay.refuse()
      expect(await entitlements.check(stranger.id, 'certifai')).toMatchObject({ access: 'none', source: 'unavailable' })
      expect(errors).toContainEqual(expect.any(UnavailableError))
      const changed = nextChange(entitlements)
      await freeze(id)
      await relay.restore()
      expect(await changed).toMatchObject({ after: { access: 'read_only' } })
    } finally {
      await server.stop()
      await relay.close()
    }
  })
})
