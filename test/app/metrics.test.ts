import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDb, newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../apps/server/src/config.ts'
import { createLog } from '../../apps/server/src/log.ts'
import { type RunningServer, type ServerOptions, startServer } from '../../apps/server/src/server.ts'
import { aKey, aTenantWithProducts } from '../api-keys/keys.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { keyringFile } from '../server.ts'

const text = newKeyringText('metrics')
let database: TestDatabase
let server: RunningServer
let key: string

const start = async (env: Record<string, string> = {}, jobs: ServerOptions['jobs'] = 'none') => {
  const config = readConfig({
    APP_ENV: 'dev',
    AUTH_MODE: 'off',
    ADDR: '127.0.0.1:0',
    METRICS_ADDR: '127.0.0.1:0',
    DATABASE_URL: database.runtimeUrl,
    SECRETS_KEYRING_FILE: keyringFile(text),
    ...env,
  })
  return await startServer(config, createLog('fatal'), { jobs })
}

beforeAll(async () => {
  database = await migratedDatabase()
  server = await start()
  const db = createDb({ connectionString: database.runtimeUrl, poolSize: 1 })
  const tenant = await aTenantWithProducts(db)
  key = (await aKey(db, parseKeyring(text), tenant.id)).key
  await db.destroy()
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

/** Measures all the time. Everything else runs without, so that nothing is counted that the test did not do. */
const probing = { 'revocation-probe': 50 }

const scrape = async (of: RunningServer = server) => await (await fetch(`${of.metricsAddresses[0]}/metrics`)).text()
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
  let asked = 0
  const warm = async () => {
    await verify(key)
    asked += 1
    return valueOf(await scrape(), 'tenant_registry_api_key_warm_total')
  }
  // Nothing is kept until changes are heard, those of the key itself among them.
  await expect.poll(warm, { timeout: 20_000, interval: 20 }).toBe(1)
  await verify('nonsense')
  await fetch(`${server.addresses[0]}/v1/nothing-at-all`)
  const metrics = await scrape()
  expect(valueOf(metrics, 'tenant_registry_api_key_verifications_total{code="NOT_FOUND"}')).toBe(1)
  expect(valueOf(metrics, 'tenant_registry_api_key_verifications_total{code="VALID"}')).toBe(asked)
  expect(valueOf(metrics, 'tenant_registry_api_key_state_reads_total')).toBeGreaterThan(0)
  expect(valueOf(metrics, 'tenant_registry_api_keys_kept')).toBe(1)
  expect(valueOf(metrics, 'tenant_registry_argon2_total')).toBe(1)
  expect(valueOf(metrics, 'tenant_registry_changes_listening')).toBe(1)
  expect(valueOf(metrics, 'tenant_registry_changes_silence_seconds')).toBeLessThan(60)
  const route = 'method="POST",route="/v1/api-keys/verify",status="200"'
  expect(valueOf(metrics, `tenant_registry_http_request_seconds_count{${route}}`)).toBe(asked + 1)
  expect(metrics).toContain('tenant_registry_http_request_seconds_count{method="any",route="none",status="404"} 1')
  expect(metrics).toContain('process_cpu_seconds_total')
  expect(metrics).not.toContain(key.slice(0, 21))
  const served = [...metrics.matchAll(/^# TYPE tenant_registry_(\S+ \S+)$/gm)].map(([, series = '']) => series)
  expect(served.toSorted()).toEqual([
    'api_key_state_reads_total counter',
    'api_key_verifications_total counter',
    'api_key_warm_total counter',
    'api_keys_kept gauge',
    'argon2_refused_total counter',
    'argon2_total counter',
    'argon2_waiting gauge',
    'audit_partitions_ahead gauge',
    'changes_listening gauge',
    'changes_silence_seconds gauge',
    'http_request_seconds histogram',
    'revocation_probe_failures_total counter',
    'revocation_seconds histogram',
  ])
})

it('measures how quickly a revocation elsewhere is refused here, counts what failed, and goes on', async () => {
  const measuring = await start({}, probing)
  const owner = new Client({ connectionString: database.ownerUrl })
  onTestFinished(async () => {
    await owner.end()
    await measuring.stop()
  })
  const measured = async () => valueOf(await scrape(measuring), 'tenant_registry_revocation_seconds_count')
  const failed = async () => valueOf(await scrape(measuring), 'tenant_registry_revocation_probe_failures_total')
  await expect.poll(measured, { timeout: 20_000, interval: 100 }).toBe(1)
  // Whatever the machine does beside: changes are heard, not looked for.
  expect(valueOf(await scrape(measuring), 'tenant_registry_revocation_seconds_bucket{le="5"}')).toBe(1)
  expect(await failed()).toBe(0)

  await owner.connect()
  await owner.query('alter table registry.revocation_probe rename to away')
  await expect.poll(failed, { timeout: 20_000, interval: 50 }).toBeGreaterThan(0)
  await owner.query('alter table registry.away rename to revocation_probe')
  await owner.query(`update registry.revocation_probe set held_until = '1970-01-01 00:00:00+00'`)
  await expect.poll(measured, { timeout: 20_000, interval: 100 }).toBe(2)
})

it('does not measure while nothing is heard, and says that', async () => {
  const other = await migratedDatabase()
  const nowhere = new URL(other.runtimeUrl)
  nowhere.port = '1'
  const deaf = await start({ DATABASE_URL: other.runtimeUrl, DATABASE_LISTEN_URL: nowhere.href }, probing)
  // By then a probe has had its turn many times.
  const looked = async () => valueOf(await scrape(deaf), 'tenant_registry_changes_silence_seconds')
  await expect.poll(looked, { timeout: 20_000, interval: 50 }).toBeLessThan(60)
  await sleep(500)
  const metrics = await scrape(deaf)
  expect(valueOf(metrics, 'tenant_registry_changes_listening')).toBe(0)
  expect(valueOf(metrics, 'tenant_registry_api_key_verifications_total{code="VALID"}')).toBe(0)
  expect(valueOf(metrics, 'tenant_registry_revocation_seconds_count')).toBe(0)
  expect(valueOf(metrics, 'tenant_registry_revocation_probe_failures_total')).toBe(0)
  await deaf.stop()
  await other.drop()
})

it('answers nothing else on that port, and nothing of it on the other', async () => {
  const [url = ''] = server.metricsAddresses
  expect((await fetch(`${url}/healthz`)).status).toBe(404)
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
  expect((await fetch(`${server.addresses[0]}/metrics`)).status).toBe(404)
})

it('ends with the server, and keeps no port when the server cannot start', async () => {
  const other = await start()
  const [api = '', metrics = ''] = [other.addresses[0], other.metricsAddresses[0]]
  expect((await fetch(`${metrics}/metrics`)).status).toBe(200)
  await other.stop()
  await expect(fetch(`${metrics}/metrics`)).rejects.toThrow('fetch failed')

  const squatter = createServer().listen(Number(new URL(metrics).port), '127.0.0.1')
  await once(squatter, 'listening')
  const addresses = { ADDR: new URL(api).host, METRICS_ADDR: new URL(metrics).host }
  await expect(start(addresses)).rejects.toThrow('EADDRINUSE')
  await expect(fetch(`${api}/healthz`)).rejects.toThrow('fetch failed')
  squatter.close()
})

it('is not served unless it is asked for', async () => {
  const quiet = await start({ METRICS_ADDR: '' })
  expect(quiet.metricsAddresses).toEqual([])
  await quiet.stop()
})
