import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { aTenant } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aRelay, type Relay } from '../postgres/relay.ts'
import { type Answer, type ServerUnderTest, startTestServer } from '../server.ts'

/** What the contract says is two seconds, on a machine that does other things too. */
const soonMs = 4_000

let database: TestDatabase
let relay: Relay
let server: ServerUnderTest
beforeAll(async () => {
  database = await migratedDatabase()
  relay = await aRelay(database.runtimeUrl)
  server = await startTestServer({ DATABASE_URL: relay.url, DATABASE_POOL_SIZE: '2' }, database)
  await aTenant(server.db, { slug: 'acme', name: 'Acme' })
})
afterAll(async () => {
  await relay.restore()
  await server.stop()
  await relay.close()
  await database.drop()
})

const read = () => server.call('GET', '/v1/tenants/by-slug/acme')
const list = () => server.call('GET', '/v1/tenants')
const write = (slug: string) => server.call('POST', '/v1/tenants', { json: { slug, name: 'Written' } })

/** An answer, and how long it took. */
async function timed(request: () => Promise<Answer>): Promise<Answer & { ms: number }> {
  const begun = performance.now()
  const answer = await request()
  return { ...answer, ms: performance.now() - begun }
}

function expectUnavailable(answer: Answer, code = 'database.unavailable'): void {
  expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 503, code })
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
}

/** A session of somebody else's, who can be in the way. */
async function aSession(): Promise<Client> {
  const session = new Client({ connectionString: database.adminUrl })
  session.on('error', () => undefined)
  await session.connect()
  onTestFinished(async () => session.end())
  return session
}

async function lockTenants(mode: string): Promise<Client> {
  const session = await aSession()
  await session.query('begin')
  await session.query(`lock table tenants in ${mode} mode`)
  return session
}

/** Resolves once so many of the server's sessions wait for a lock. False when they do not within the time. */
async function untilWaiting(count: number, withinMs = 30_000): Promise<boolean> {
  // Not the one that is in the way: in a transaction, what the others do is looked up once.
  const session = await aSession()
  const waiting = `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`
  const begun = performance.now()
  while ((await session.query(waiting, [database.name])).rowCount !== count) {
    if (performance.now() - begun > withinMs) return false
    await sleep(20)
  }
  return true
}

/**
 * Resolves once the server has both of its connections: on one that a test before made lead nowhere the server may have
 * asked something by itself, such as where the feed is, and wait for the answer for some seconds.
 */
async function untilBothConnectionsWork(): Promise<void> {
  for (let both = false; !both;) {
    const session = await lockTenants('access exclusive')
    const reads = [read(), read()]
    both = await untilWaiting(2, 1_000)
    await session.query('rollback')
    await Promise.all(reads)
  }
}

/** Ends the sessions that wait for a lock. */
async function endWaiting(): Promise<void> {
  const session = await aSession()
  await session.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
    [database.name],
  )
}

async function written(slug: string): Promise<{ tenants: number; events: number }> {
  const session = await aSession()
  const { rows } = await session.query<{ tenants: number; events: number }>(
    `select (select count(*)::integer from tenants where slug = $1) as tenants,
            (select count(*)::integer from audit_log where target_name = 'Written' and fields::text like $2) as events`,
    [slug, `%${slug}%`],
  )
  return rows[0] ?? { tenants: -1, events: -1 }
}

const nothing = { tenants: 0, events: 0 }

beforeEach(async () => {
  await relay.restore()
  // Whatever the test before did to the connections, this one begins with one that works.
  await expect.poll(async () => (await read()).status, { timeout: 20_000 }).toBe(200)
  await untilBothConnectionsWork()
})

describe('a database that is down', () => {
  it('is 503 at once while it refuses connections, and forgotten as soon as it takes them', async () => {
    await relay.refuse()
    for (const request of [read, list, () => write('refused')]) {
      const answer = await timed(request)
      expectUnavailable(answer)
      expect(answer.ms).toBeLessThan(soonMs)
    }
    expect(await server.call('GET', '/healthz')).toMatchObject({ status: 200 })
    expect(await server.call('GET', '/readyz')).toMatchObject({ status: 503 })
    await relay.restore()
    expect(await server.call('GET', '/readyz')).toMatchObject({ status: 200 })
    expect((await read()).status).toBe(200)
    expect(await written('refused')).toEqual(nothing)
  })

  it('is 503 for the statement in flight when it resets the connection, and leaves nothing behind', async () => {
    const session = await lockTenants('access exclusive')
    const answers = [timed(read), timed(() => write('reset'))]
    expect(await untilWaiting(2)).toBe(true)
    relay.reset()
    for (const answer of await Promise.all(answers)) expectUnavailable(answer)
    await session.query('rollback')
    expect((await read()).status).toBe(200)
    expect(await written('reset')).toEqual(nothing)
  })

  it('is 503 soon when the network swallows what is sent, for reads, lists, writes and readiness', async () => {
    relay.swallow()
    const requests = [read, list, () => write('swallowed'), read, () => server.call('GET', '/readyz')]
    const answers = await Promise.all(requests.map(timed))
    const ready = answers.pop()
    for (const answer of answers) {
      expectUnavailable(answer)
      expect(answer.ms).toBeLessThan(soonMs)
    }
    expectUnavailable(ready as Answer, 'service.not_ready')
    // And again, when there is no connection left that could have been swallowed.
    for (const answer of await Promise.all([read, () => write('swallowed')].map(timed))) {
      expectUnavailable(answer)
      expect(answer.ms).toBeLessThan(soonMs)
    }
    await relay.restore()
    // The server looks at the feed every second: meanwhile it may hold one of the two that were swallowed.
    await untilBothConnectionsWork()
    expect((await write('after-the-silence')).status).toBe(201)
    expect(await written('swallowed')).toEqual(nothing)
  })

  it('is noticed in the middle of a transaction that waits for a lock', async () => {
    const session = await lockTenants('exclusive')
    const answer = timed(() => write('half-way'))
    expect(await untilWaiting(1)).toBe(true)
    relay.swallow()
    const swallowed = performance.now()
    expectUnavailable(await answer)
    expect(performance.now() - swallowed).toBeLessThan(soonMs)
    // The session that was cut off: what it did ends with it.
    await endWaiting()
    await session.query('rollback')
    await relay.restore()
    expect((await read()).status).toBe(200)
    expect(await written('half-way')).toEqual(nothing)
  })

  it('that moved takes one silence to forget: no second request meets a connection that leads nowhere', async () => {
    await Promise.all([read(), read(), list()])
    relay.swallow('present')
    expectUnavailable(await read())
    for (const request of [read, list, () => write('moved'), read]) {
      expect((await request()).status).toBeLessThan(300)
    }
  })
})

describe('a database that is busy', () => {
  it('is 503 with Retry-After while the pool is full, and not for longer', async () => {
    const session = await lockTenants('exclusive')
    const writes = [write('first-in-line'), write('second-in-line')]
    expect(await untilWaiting(2)).toBe(true)
    const answer = await timed(read)
    expectUnavailable(answer)
    expect(answer.ms).toBeLessThan(soonMs)
    await session.query('rollback')
    expect((await Promise.all(writes)).map(({ status }) => status)).toEqual([201, 201])
    expect((await read()).status).toBe(200)
  })

  it('is 503 for what is stuck on a lock, a read as well as a write, and nothing was changed', async () => {
    const session = await lockTenants('access exclusive')
    const [reading, writing] = await Promise.all([read(), write('stuck')])
    expectUnavailable(reading)
    expectUnavailable(writing, 'database.busy')
    await session.query('rollback')
    expect((await read()).status).toBe(200)
    expect(await written('stuck')).toEqual(nothing)
  })
})

describe('half a transaction', () => {
  it('is nothing when its session is ended', async () => {
    const session = await lockTenants('exclusive')
    const answer = write('ended')
    expect(await untilWaiting(1)).toBe(true)
    await endWaiting()
    expectUnavailable(await answer)
    await session.query('rollback')
    expect(await written('ended')).toEqual(nothing)
    expect((await write('ended')).status).toBe(201)
    expect(await written('ended')).toEqual({ tenants: 1, events: 1 })
  })

  it('is a whole one when only the answer to its commit was lost: with its key, a repetition finds out', async () => {
    const repeatable = { json: { slug: 'lost', name: 'Written' }, headers: { 'idempotency-key': 'a-lost-answer' } }
    // As a whole statement: others speak of commits too.
    relay.loseAnswerTo('commit\0')
    expectUnavailable(await server.call('POST', '/v1/tenants', repeatable))
    const again = await server.call('POST', '/v1/tenants', repeatable)
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await written('lost')).toEqual({ tenants: 1, events: 1 })
  })

  it.each([
    ['the disk is full', 'full', '53100', 'tenants'],
    ['the disk is full when the event is written', 'full-later', '53100', 'registry.audit_streams'],
    ['the primary has become a standby', 'standby', '25006', 'tenants'],
  ])('is nothing when %s', async (_, slug, state, table) => {
    const session = await aSession()
    await session.query(`
      create function public.fails() returns trigger language plpgsql as
        $$ begin raise exception 'could not extend file "base/1/2"' using errcode = '${state}'; end $$;
      create trigger fails before insert or update on ${table} execute function public.fails()`)
    const answer = await write(slug)
    await session.query(`drop function public.fails() cascade`)
    expectUnavailable(answer)
    expect(answer.text).not.toMatch(/base\/1|extend/)
    expect(await written(slug)).toEqual(nothing)
    expect((await write(slug)).status).toBe(201)
  })
})
