import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { TenantClient } from '@breakpilot/tenant-client'
import { newKeyringText } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { operatorClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'

const root = resolve(import.meta.dirname, '../..')
const staleIfErrorMs = 8_000

const keyring = keyringFile(newKeyringText())
let provider: TestProvider
let database: TestDatabase
let server: ServerUnderTest
let office: TenantClient
let tenantId: string
/** A tenant with a key, of which nothing changes any more: no change can make the app forget what it keeps of it. */
let unchanging: { readonly tenantId: string; readonly key: string }
let app: { readonly url: string; readonly stop: () => Promise<void> }

/** The server, which knows its keys again when it comes back. */
const start = (address = '127.0.0.1:0') =>
  startTestServer(
    {
      AUTH_MODE: 'oidc',
      KEYCLOAK_ISSUER: provider.issuer,
      SECRETS_KEYRING_FILE: keyring,
      ADDR: address,
    },
    database,
  )

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  database = await migratedDatabase()
  server = await start()
  const getToken = () => provider.accessToken({ claims: operatorClaims('platform-owner') })
  office = new TenantClient({ baseUrl: server.url, getToken })
  tenantId = await aTenant('acme')
  const quiet = await aTenant('quiet')
  unchanging = { tenantId: quiet, key: (await aKey(['certifai:read'], quiet)).key }
  app = await startApp()
})
afterAll(async () => {
  await app.stop()
  await server.stop()
  await database.drop()
  await provider.close()
})

/** Starts the app as anybody would, with a token of its own. */
async function startApp() {
  const child = spawn(
    process.execPath,
    ['--conditions=@breakpilot/source', join(root, 'examples/product-app/app.ts')],
    {
      env: {
        ...process.env,
        PORT: '0',
        TENANT_REGISTRY_URL: server.url,
        TENANT_REGISTRY_TOKEN: await provider.accessToken({ claims: productClaims('certifai') }),
        STALE_IF_ERROR_MS: String(staleIfErrorMs),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit')])) as [string]
  const { port } = JSON.parse(line) as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
    },
  }
}

async function aTenant(slug: string) {
  const { id } = await office.tenants.create({ slug, name: slug, status: 'active', plan: 'professional' })
  await office.tenantProducts.put(id, 'certifai', {})
  return id
}

async function aKey(scopes = ['certifai:read'], tenant = tenantId) {
  return await office.apiKeys.issue(tenant, { name: 'Key', scopes })
}

async function ask(headers: Record<string, string> = {}, path = '/reports') {
  const response = await fetch(app.url + path, { headers })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Record<string, unknown>,
  }
}
const askWith = (key: string) => ask({ authorization: `Bearer ${key}` })

/** Long for a change to be heard of, and sooner than what is kept of a key is too old to count. */
const heard = { timeout: 4_000 }

describe('the example of a product', () => {
  it('lets a key in that is good for it', async () => {
    const { key } = await aKey()
    expect(await askWith(key)).toMatchObject({ status: 200, body: { reports: [], tenant_id: tenantId, stale: false } })
    expect(await ask({ 'x-api-key': key })).toMatchObject({ status: 200 })
    expect(await askWith((await aKey(['certifai:*'])).key)).toMatchObject({ status: 200 })
  })

  it('keeps out who has none: nothing, one in the address, and what nobody proved', async () => {
    const { key } = await aKey()
    expect(await ask()).toMatchObject({ status: 401, challenge: 'Bearer', body: { code: 'auth.credentials_missing' } })
    expect(await ask({}, `/reports?api_key=${key}`)).toMatchObject({ status: 401 })
    expect(await askWith(`${key.slice(0, -1)}_`)).toMatchObject({ status: 401, body: { code: 'auth.api_key_invalid' } })
  })

  it('keeps out a key that is for another scope, network or product', async () => {
    const other = await aKey(['certifai:write'])
    const challenge = 'Bearer error="insufficient_scope", scope="certifai:read"'
    expect(await askWith(other.key)).toMatchObject({ status: 403, challenge, body: { reason: 'INSUFFICIENT_SCOPE' } })
    await office.apiKeys.update(tenantId, other.id, { scopes: ['certifai:read'], ip_allow: ['203.0.113.0/24'] })
    await vi.waitFor(async () => {
      expect(await askWith(other.key)).toMatchObject({ status: 403, body: { reason: 'IP_NOT_ALLOWED' } })
    }, heard)
    await office.apiKeys.update(tenantId, other.id, { ip_allow: ['127.0.0.0/8'] })
    await vi.waitFor(async () => expect(await askWith(other.key)).toMatchObject({ status: 200 }), heard)
    const registry = await aKey(['tenant:read'])
    expect(await askWith(registry.key)).toMatchObject({ status: 401, body: { code: 'auth.api_key_invalid' } })
  })

  it('keeps out a key that is revoked, long before what was said of it is over', async () => {
    const { id, key } = await aKey()
    // Whoever followed nothing would let it in for five seconds more.
    await vi.waitFor(async () => expect(await askWith(key)).toMatchObject({ status: 200 }))
    await office.apiKeys.revoke(tenantId, id, { reason: 'compromised' })
    await vi.waitFor(async () => {
      expect(await askWith(key)).toMatchObject({ status: 401, body: { reason: 'REVOKED' } })
    }, heard)
  })

  it('keeps out all keys of a tenant whose keys were all revoked, and lets in what was made afterwards', async () => {
    const before = await aKey()
    expect(await askWith(before.key)).toMatchObject({ status: 200 })
    expect((await office.apiKeys.previewRevokeAll(tenantId, { reason: 'leak' })).api_keys).toBeGreaterThan(0)
    expect(await askWith(before.key)).toMatchObject({ status: 200 })
    await office.apiKeys.revokeAll(tenantId, { reason: 'leak' })
    await vi.waitFor(async () => expect(await askWith(before.key)).toMatchObject({ status: 401 }), heard)
    expect(await askWith((await aKey()).key)).toMatchObject({ status: 200 })
  })

  it('goes on without the registry for a while with keys that it knows, and not for ever', async () => {
    const [known, stranger] = [unchanging, await aKey()]
    expect(await askWith(known.key)).toMatchObject({ status: 200 })
    const askedAt = performance.now()
    await server.stop()
    const unavailable = { status: 503, retryAfter: '1', challenge: null, body: { code: 'auth.provider_unavailable' } }
    expect(await askWith(stranger.key)).toMatchObject(unavailable)
    const soon = { timeout: 10_000, interval: 100 }
    await vi.waitFor(async () => {
      expect(await askWith(known.key)).toMatchObject({ status: 200, body: { tenant_id: known.tenantId, stale: true } })
    }, soon)
    await vi.waitFor(async () => expect(await askWith(known.key)).toMatchObject(unavailable), soon)
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(staleIfErrorMs - 100)

    server = await start(new URL(server.url).host)
    await vi.waitFor(async () => {
      expect(await askWith(known.key)).toMatchObject({ status: 200, body: { stale: false } })
    }, soon)
  })
})
