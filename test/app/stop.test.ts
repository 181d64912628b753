import { once } from 'node:events'
import { connect } from 'node:net'
import { createDb } from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { startProcess } from './process.ts'

let database: TestDatabase
let owner: Client
beforeAll(async () => {
  database = await migratedDatabase()
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  const db = createDb({ connectionString: database.runtimeUrl })
  await aTenant(db, { slug: 'acme' })
  await db.destroy()
})
afterAll(async () => {
  await owner.end()
  await database.drop()
})

const start = (env: Record<string, string> = {}) =>
  startProcess({ APP_ENV: 'dev', AUTH_MODE: 'off', ADDR: '127.0.0.1:0', DATABASE_URL: database.runtimeUrl, ...env })

/** Holds every read of tenants back until it is released. */
async function holdTenants(): Promise<() => Promise<unknown>> {
  await owner.query('begin')
  await owner.query('lock table tenants in access exclusive mode')
  return () => owner.query('rollback')
}

it('lets a request in flight end before it stops, and takes no new one', async () => {
  const server = start()
  const url = await server.listening
  const release = await holdTenants()
  const inFlight = fetch(`${url}/v1/tenants/by-slug/acme`)
  await waitFor(async () => (await blocked()) > 0)
  server.child.kill('SIGTERM')
  await waitFor(async () => server.stdout().includes('"msg":"stopping"'))
  await waitFor(async () => (await fetch(`${url}/healthz`).catch(() => undefined)) === undefined)
  await release()
  expect((await inFlight).status).toBe(200)
  expect(await server.ended).toBe(0)
})

it('says that it is not ready, and still answers, for as long as a load balancer may need to notice', async () => {
  const server = start({ SHUTDOWN_DELAY: '2' })
  const url = await server.listening
  server.child.kill('SIGTERM')
  await waitFor(async () => server.stdout().includes('"msg":"stopping"'))
  const ready = await fetch(`${url}/readyz`)
  expect(await ready.json()).toMatchObject({ status: 503, detail: 'shutdown: the server is stopping' })
  const answer = await fetch(`${url}/v1/tenants/by-slug/acme`)
  expect({ status: answer.status, connection: answer.headers.get('connection') }).toEqual({
    status: 200,
    connection: 'close',
  })
  expect(await server.ended).toBe(0)
})

it.each([
  ['nothing was ever sent', ''],
  ['half a request was sent', 'GET /v1/tenants HTTP/1.1\r\nHost: loc'],
])('does not wait for a connection on which %s', async (_, sent) => {
  const server = start({ SHUTDOWN_TIMEOUT: '60' })
  const { hostname, port } = new URL(await server.listening)
  const silent = connect(Number(port), hostname)
  await once(silent, 'connect')
  if (sent !== '') silent.write(sent)
  // The server has seen it when it has answered one that came later.
  expect((await fetch(`http://${hostname}:${port}/healthz`)).status).toBe(200)
  const closed = once(silent, 'close')
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  await closed
})

it('does not wait for ever: SHUTDOWN_TIMEOUT ends it', async () => {
  const server = start({ SHUTDOWN_TIMEOUT: '1' })
  const url = await server.listening
  const release = await holdTenants()
  const inFlight = fetch(`${url}/v1/tenants/by-slug/acme`).catch((error: unknown) => error)
  await waitFor(async () => (await blocked()) > 0)
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(1)
  expect(await inFlight).toBeInstanceOf(Error)
  await release()
})

it('ends at once at the second signal', async () => {
  const server = start({ SHUTDOWN_TIMEOUT: '60' })
  const url = await server.listening
  const release = await holdTenants()
  const inFlight = fetch(`${url}/v1/tenants/by-slug/acme`).catch((error: unknown) => error)
  await waitFor(async () => (await blocked()) > 0)
  server.child.kill('SIGTERM')
  await waitFor(async () => server.stdout().includes('"msg":"stopping"'))
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(1)
  await release()
  await inFlight
})

it('keeps what it acknowledged when it is killed in the middle of everything', async () => {
  const server = start()
  const url = await server.listening
  const acknowledged: string[] = []
  const killed = new AbortController()
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; !killed.signal.aborted; n += 1) {
      const slug = `killed-${writer}-${n}`
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ slug, name: slug })
      const answer = await fetch(`${url}/v1/tenants`, { method: 'POST', headers, body }).catch(() => undefined)
      if (answer?.status === 201) acknowledged.push(slug)
    }
  })
  await waitFor(async () => acknowledged.length > 40)
  server.child.kill('SIGKILL')
  killed.abort()
  await Promise.all(writers)

  const tenants = await owner.query<{ slug: string }>(`select slug from tenants where slug like 'killed-%'`)
  const events = await owner.query<{ slug: string }>(
    `select fields ->> 'after.slug' as slug from audit_log where action = 'tenant.created' and fields ->> 'after.slug' like 'killed-%'`,
  )
  const slugs = tenants.rows.map(({ slug }) => slug).sort()
  expect(slugs).toEqual(expect.arrayContaining(acknowledged))
  // Each with its event, and no event without its tenant.
  expect(events.rows.map(({ slug }) => slug).sort()).toEqual(slugs)
})

async function blocked(): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(
    `select count(*)::int as n from pg_locks where not granted and database = (select oid from pg_database where datname = $1)`,
    [database.name],
  )
  return rows[0]?.n ?? 0
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error('that never became true')
}
