import { createDb, newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readConfig } from '../../apps/server/src/config.ts'
import { createLog } from '../../apps/server/src/log.ts'
import { type RunningServer, startServer } from '../../apps/server/src/server.ts'
import { aKey, aTenantWithProducts } from '../api-keys/keys.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { keyringFile } from '../server.ts'

const text = newKeyringText('metrics')
let database: TestDatabase
let server: RunningServer
let key: string

beforeAll(async () => {
  database = await migratedDatabase()
  const config = readConfig({
    APP_ENV: 'dev',
    AUTH_MODE: 'off',
    ADDR: '127.0.0.1:0',
    METRICS_ADDR: '127.0.0.1:0',
    DATABASE_URL: database.runtimeUrl,
    SECRETS_KEYRING_FILE: keyringFile(text),
  })
  server = await startServer(config, createLog('fatal'), { jobs: { 'revocation-probe': 50 } })
  const db = createDb({ connectionString: database.runtimeUrl, poolSize: 1 })
  const tenant = await aTenantWithProducts(db)
  key = (await aKey(db, parseKeyring(text), tenant.id)).key
  await db.destroy()
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

const scrape = async () => await (await fetch(`${server.metricsAddresses[0]}/metrics`)).text()
const verify = async (brought: string) => {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ key: brought })
  await fetch(`${server.addresses[0]}/v1/api-keys/verify`, { method: 'POST', headers, body })
}
const valueOf = (metrics: string, series: string) =>
  Number(
    metrics
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1],
  )

it('counts what was said of keys, how, and how requests went', async () => {
  const argon2 = valueOf(await scrape(), 'tenant_registry_argon2_total')
  for (const brought of [key, key, key, 'nonsense']) await verify(brought)
  await fetch(`${server.addresses[0]}/v1/nothing-at-all`)
  const metrics = await scrape()
  expect(valueOf(metrics, 'tenant_registry_api_key_verifications_total{code="NOT_FOUND"}')).toBe(1)
  expect(valueOf(metrics, 'tenant_registry_api_key_verifications_total{code="VALID"}')).toBeGreaterThanOrEqual(3)
  expect(valueOf(metrics, 'tenant_registry_api_key_warm_total')).toBeGreaterThanOrEqual(2)
  expect(valueOf(metrics, 'tenant_registry_argon2_total')).toBeGreaterThan(argon2)
  expect(valueOf(metrics, 'tenant_registry_changes_listening')).toBe(1)
  const route = 'method="POST",route="/v1/api-keys/verify",status="200"'
  expect(valueOf(metrics, `tenant_registry_http_request_seconds_count{${route}}`)).toBe(4)
  expect(metrics).toContain('tenant_registry_http_request_seconds_count{method="any",route="none",status="404"} 1')
  expect(metrics).toContain('process_cpu_seconds_total')
  expect(metrics).not.toContain(key.slice(0, 21))
})

it('measures how quickly a revocation elsewhere is refused here', async () => {
  const count = async () => valueOf(await scrape(), 'tenant_registry_revocation_seconds_count')
  await expect.poll(count, { timeout: 20_000, interval: 100 }).toBeGreaterThan(0)
  // Whatever the machine does beside: changes are heard, not looked for.
  expect(valueOf(await scrape(), 'tenant_registry_revocation_seconds_bucket{le="5"}')).toBeGreaterThan(0)
})

it('answers nothing else on that port, and nothing of it on the other', async () => {
  const [url = ''] = server.metricsAddresses
  expect((await fetch(`${url}/healthz`)).status).toBe(404)
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
  expect((await fetch(`${server.addresses[0]}/metrics`)).status).toBe(404)
})
