import { randomUUID } from 'node:crypto'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  appendEvents,
  createDb,
  type Db,
  type EventMap,
  EventExportQuery,
  everything,
  exportEvents,
  housekeeping,
  listEvents,
  RecordedEvent,
  RecordedEventQuery,
  type Sight,
  type Tenant,
} from '@breakpilot/tenant-core'
import papa from 'papaparse'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { aTenant, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'
import { asOwner, writePast } from './past.ts'

let database: TestDatabase
let db: Db
let acme: Tenant
let globex: Tenant

const fields: EventMap = [
  ['10', 'first'],
  ['2', 'second'],
  ['__proto__', 'third'],
  ['name', '=1+1'],
]

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  acme = await aTenant(db, { slug: 'acme', name: 'Acme', status: 'active', plan: 'starter' })
  globex = await aTenant(db, { slug: 'globex', name: 'Globex' })
  const event = (tenant: Tenant, n: number) => ({
    tenant_id: tenant.id,
    product: n % 2 === 0 ? 'certifai' : 'compliance',
    environment: 'live' as const,
    action: 'document.read',
    crud: 'r' as const,
    // Several happened at one moment.
    created_at: new Date(Date.UTC(2026, 0, 1) + Math.floor(n / 5)),
    actor: { id: '@jane', name: '-2', fields: [['role', 'x,"y"\r\nz']] as EventMap },
    fields,
  })
  const events = Array.from({ length: 250 }, (_, n) => event(n % 3 === 0 ? globex : acme, n))
  await housekeeping(db, async (tx) => await appendEvents(tx, events))
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const actorOf = (sight: Sight) => ({ ...testActor, sight })

async function exported(query: Record<string, string>, sight: Sight = everything): Promise<string> {
  const { chunks } = await exportEvents(db, actorOf(sight), EventExportQuery.parse(query))
  let text = ''
  for await (const chunk of chunks) text += chunk
  return text
}

const linesOf = (text: string) => text.split('\n').slice(0, -1)
const idsOf = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { id: string }).id)
const parsed = (line: string) => {
  const { cursor: _, ...event } = JSON.parse(line) as { cursor: string; action: string }
  return event
}
/** What does not grow while it is exported: that it is, is itself an event. */
const before = { created_before: '2026-06-01T00:00:00Z' }

async function listed(query: Record<string, string>, sight: Sight): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  let cursor: string | undefined
  do {
    const page = await listEvents(
      db,
      sight,
      RecordedEventQuery.parse({ ...query, limit: '200', ...(cursor !== undefined && { cursor }) }),
    )
    events.push(...page.data)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return events
}

describe('an export', () => {
  it.each([
    ['the platform', () => everything],
    ["a tenant's people", (): Sight => ({ kind: 'tenants', tenantIds: [acme.id] })],
    ['people of two tenants', (): Sight => ({ kind: 'tenants', tenantIds: [acme.id, globex.id] })],
    ['a product', (): Sight => ({ kind: 'product', product: 'certifai', environment: 'live' })],
  ])('has what the list has, for %s', async (_, sightOf) => {
    const sight = sightOf()
    for (const query of [
      before,
      { ...before, product: 'certifai' },
      { ...before, tenant_id: acme.id },
      { ...before, q: 'document' },
    ]) {
      const lines = linesOf(await exported({ ...query, format: 'ndjson' }, sight))
      const withoutCursor = lines.map(parsed)
      const list = await listed(query, sight)
      expect(withoutCursor).toEqual(list.map((event) => z.encode(RecordedEvent, event)))
      const reversed = linesOf(await exported({ ...query, format: 'ndjson', order: 'oldest_first' }, sight))
      expect(idsOf(reversed)).toEqual(idsOf(lines).toReversed())
    }
  })

  it('shows of the own events of the registry what the list shows', async () => {
    const own: Sight = { kind: 'tenants', tenantIds: [acme.id] }
    const query = { product: 'tenant-registry' }
    const list = await listed(query, own)
    const lines = linesOf(await exported({ ...query, format: 'ndjson' }, own))
    const events = lines.map(parsed)
    // The export itself came in between.
    expect(events.filter(({ action }) => action !== 'audit.exported')).toEqual(
      list.filter(({ action }) => action !== 'audit.exported').map((event) => z.encode(RecordedEvent, event)),
    )
    expect(events.length).toBeGreaterThan(1)
    expect(lines.join('')).not.toContain(testActor.id)
  })

  it('has maps in the order in which they were sent, whatever their names are', async () => {
    const [first] = linesOf(await exported({ ...before, format: 'ndjson' }))
    expect(first).toContain('"fields":{"10":"first","2":"second","__proto__":"third","name":"=1+1"}')
  })

  it.each(['newest_first', 'oldest_first'])(
    'that goes on after any of its events is the rest of it: %s',
    async (order) => {
      const query = { ...before, order, format: 'ndjson' }
      const lines = linesOf(await exported(query))
      expect(lines).toHaveLength(250)
      for (const at of [0, 1, 4, 5, 199, 200, 248, 249]) {
        const { cursor } = JSON.parse(lines[at] ?? '') as { cursor: string }
        expect(linesOf(await exported({ ...query, cursor }))).toEqual(lines.slice(at + 1))
        const csv = papa.parse<string[]>(await exported({ ...query, format: 'csv', cursor }), { skipEmptyLines: true })
        expect(csv.data.slice(1).map(([id]) => id)).toEqual(idsOf(lines.slice(at + 1)))
      }
    },
  )

  it('is of as many logs as somebody sees, each once: none, one twice, many', async () => {
    const query = { ...before, format: 'ndjson' }
    expect(await exported(query, { kind: 'tenants', tenantIds: [] })).toBe('')
    const ofAcme = await exported(query, { kind: 'tenants', tenantIds: [acme.id] })
    expect(await exported(query, { kind: 'tenants', tenantIds: [acme.id, acme.id] })).toBe(ofAcme)
    const others = Array.from({ length: 12 }, () => randomUUID() as Tenant['id'])
    expect(await exported(query, { kind: 'tenants', tenantIds: [...others, acme.id] })).toBe(ofAcme)
    expect(linesOf(ofAcme)).toHaveLength(166)
  })

  it('is of one product where there is one, and of none where nothing was recorded', async () => {
    const other = await migratedDatabase()
    const fresh = createDb({ connectionString: other.runtimeUrl })
    onTestFinished(async () => {
      await fresh.destroy()
      await other.drop()
    })
    const all = async () => {
      const { chunks } = await exportEvents(fresh, actorOf(everything), EventExportQuery.parse({ format: 'ndjson' }))
      let text = ''
      for await (const chunk of chunks) text += chunk
      return linesOf(text).map((line) => parsed(line).action)
    }
    expect(await all()).toEqual(['audit.exported'])
    await aTenant(fresh, { slug: 'first', name: 'First' })
    expect(await all()).toEqual(['audit.exported', 'tenant.created', 'audit.exported'])
  })

  it('takes no cursor of another filter or order', async () => {
    const [line = ''] = linesOf(await exported({ ...before, format: 'ndjson' }))
    const { cursor } = JSON.parse(line) as { cursor: string }
    for (const other of [{ order: 'oldest_first' }, { crud: 'r' }]) {
      await expect(exported({ ...before, ...other, format: 'ndjson', cursor })).rejects.toMatchObject({
        code: 'page.cursor_invalid',
      })
    }
  })

  it('as CSV has the same, and no formula', async () => {
    const text = await exported({ ...before, format: 'csv' })
    const { data, errors } = papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true })
    expect(errors).toEqual([])
    const lines = linesOf(await exported({ ...before, format: 'ndjson' }))
    expect(data.map(({ id }) => id)).toEqual(idsOf(lines))
    expect(data[0]).toMatchObject({
      actor_id: "'@jane",
      actor_name: "'-2",
      actor_fields: '{"role":"x,\\"y\\"\\r\\nz"}',
      fields: '{"10":"first","2":"second","__proto__":"third","name":"=1+1"}',
      description: '',
    })
  })

  it('is itself an event, of the tenant whose log it is, with who did it and what was asked', async () => {
    await exported({ format: 'csv', tenant_id: acme.id, q: 'document' })
    const [event] = await listed({ tenant_id: acme.id, action: 'audit.exported' }, everything)
    expect(event).toMatchObject({
      crud: 'r',
      actor: { id: testActor.id },
      target: { id: acme.id, type: 'audit_log' },
      fields: { 'after.format': 'csv', 'after.q': 'document' },
    })
  })

  it("leaves nothing in another tenant's log, whatever is asked for", async () => {
    const own: Sight = { kind: 'tenants', tenantIds: [acme.id] }
    expect(await exported({ format: 'ndjson', tenant_id: globex.id }, own)).toBe('')
    expect(await listed({ tenant_id: globex.id, action: 'audit.exported' }, everything)).toEqual([])
  })
})

describe('many at the same time', () => {
  const begin = async (on: Db = db) => {
    const { chunks } = await exportEvents(on, actorOf(everything), EventExportQuery.parse({ format: 'csv' }))
    return chunks[Symbol.asyncIterator]()
  }
  const count = async () => (await listed({ action: 'audit.exported' }, everything)).length

  it('are so many and no more, and who is not let in has exported nothing', async () => {
    const before = await count()
    const exports = await Promise.all(Array.from({ length: 8 }, async () => await begin()))
    for (const each of exports) await each.next()
    expect(await count()).toBe(before + 8)
    await expect((await begin()).next()).rejects.toMatchObject({
      code: 'audit_export.too_many_running',
      retryAfterSeconds: 10,
    })
    expect(await count()).toBe(before + 8)
    await exports[0]?.return?.()
    const next = await begin()
    await next.next()
    for (const each of [...exports, next]) await each.return?.()
  })

  it.each([2, 10])('leave most of %i connections to others', async (poolSize) => {
    const small = createDb({ connectionString: database.runtimeUrl, poolSize, applicationName: `exports-${poolSize}` })
    const blocker = new Client({ connectionString: database.ownerUrl })
    await blocker.connect()
    try {
      const exports = await Promise.all(Array.from({ length: 8 }, async () => await begin(small)))
      for (const each of exports) await each.next()
      await blocker.query('begin; lock table registry.audit_retention in access exclusive mode')
      const all = Promise.all(
        exports.map(async (each) => {
          while ((await each.next()).done !== true);
        }),
      )
      await sleep(300)
      const reading = await asOwner(
        { ownerUrl: database.adminUrl },
        `select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
        [`exports-${poolSize}`],
      )
      expect(reading).toHaveLength(Math.max(1, Math.floor(poolSize / 4)))
      expect(await small.selectFrom('tenants').select('id').limit(1).execute()).toHaveLength(1)
      await blocker.query('rollback')
      await all
    } finally {
      await blocker.end()
      await small.destroy()
    }
  })
})

/** Without a flag on the command line, which is the whole suite's. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

describe('over HTTP', () => {
  const rows = 100_000
  const stream = '0190f1c2-0000-7000-8000-000000000001'
  let server: ServerUnderTest
  beforeAll(async () => {
    server = await startTestServer({}, database)
    const to = new Date()
    await writePast(database, { stream, product: 'bulk', from: new Date(to.getTime() - 3_600_000), to, count: rows })
    await asOwner(database, 'analyze audit_log')
  }, 120_000)
  afterAll(async () => {
    await server.stop()
  })
  const bulk = '/v1/audit/export?product=bulk&format=ndjson'

  /** Begins an export and takes nothing of it before it is asked to. */
  async function begin(path: string) {
    const request = get(server.url + path)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject)
    })
    return { request, response }
  }

  it('has every row once, in a heap that does not grow with them', { timeout: 60_000 }, async () => {
    const response = await fetch(server.url + bulk)
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-events-[\d-]+\.ndjson"$/)
    expect(response.headers.get('etag')).toBeNull()
    /** What is left in the heap at each tenth, once all garbage is gone. */
    const heap: number[] = []
    let lines = 0
    for await (const chunk of response.body ?? []) {
      for (const byte of chunk as Uint8Array) if (byte === 10) lines += 1
      if (lines <= (heap.length + 1) * (rows / 10)) continue
      collectGarbage()
      heap.push(process.memoryUsage().heapUsed)
    }
    expect(lines).toBe(rows)
    expect(heap).toHaveLength(9)
    // A tenth of the rows is 7 MB as text alone, and several times that as objects.
    expect(Math.max(...heap.slice(1)) - (heap[0] ?? 0)).toBeLessThan(15_000_000)
  })

  it(
    'is asked of the database only as fast as it is taken, and ends when the caller leaves',
    { timeout: 30_000 },
    async () => {
      // The server is in this process, and so are its questions to the database.
      const asked = vi.spyOn(Client.prototype, 'query')
      onTestFinished(() => asked.mockRestore())
      const batches = () => asked.mock.calls.filter((call) => JSON.stringify(call).includes('bytes_before')).length
      const { request, response } = await begin(bulk)
      await new Promise((resolve) => response.once('readable', resolve))
      const rests = async () => {
        const then = batches()
        await sleep(1_500)
        return batches() === then
      }
      await expect.poll(rests, { timeout: 20_000 }).toBe(true)
      expect(batches()).toBeGreaterThan(1)
      // All of it would take 26.
      expect(batches()).toBeLessThan(15)
      request.destroy()
      await expect
        .poll(() => server.log.some(({ status, path }) => status === 499 && path === '/v1/audit/export'), {
          timeout: 5_000,
        })
        .toBe(true)
    },
  )

  it(
    'that cannot go on breaks the connection: half of it is not taken for the whole',
    { timeout: 60_000 },
    async () => {
      const { response } = await begin(bulk)
      await new Promise((resolve) => response.once('readable', resolve))
      await asOwner(database, `revoke select on audit_log from ${database.runtimeRole}`)
      try {
        const taken = (async () => {
          for await (const _ of response) void _
        })()
        await expect(taken).rejects.toThrow(/aborted|ECONNRESET/)
        expect(server.log.some(({ status, path }) => status === 500 && path === '/v1/audit/export')).toBe(true)
      } finally {
        await asOwner(database, `grant select on audit_log to ${database.runtimeRole}`)
      }
    },
  )

  it('outlives a database that drops its connections', { timeout: 60_000 }, async () => {
    const { response } = await begin(bulk)
    let lines = 0
    let isCut = false
    for await (const chunk of response) {
      for (const byte of chunk as Uint8Array) if (byte === 10) lines += 1
      if (!isCut) {
        isCut = true
        const role =
          'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 and datname = current_database()'
        await asOwner(database, `grant pg_signal_backend to current_user`).catch(() => undefined)
        const admin = new Client({ connectionString: database.adminUrl })
        await admin.connect()
        await admin.query(role, [database.runtimeRole])
        await admin.end()
      }
    }
    expect(lines).toBe(rows)
  })

  it('answers who comes when there are as many as may be with 503 and when to come again', async () => {
    const exports = await Promise.all(Array.from({ length: 8 }, async () => await begin(bulk)))
    try {
      const { status, body, headers } = await server.call('GET', bulk)
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'audit_export.too_many_running', '10'])
    } finally {
      for (const { request } of exports) request.destroy()
    }
    // Who left has made room.
    await expect.poll(async () => (await server.call('HEAD', bulk)).status, { timeout: 5_000 }).toBe(200)
  })

  it('answers HEAD with the headers alone, and what is wrong with the request with a problem', async () => {
    const head = await server.call('HEAD', bulk)
    expect([head.status, head.text, head.headers.get('content-type')]).toEqual([200, '', 'application/x-ndjson'])
    const { status, body } = await server.call('GET', `${bulk}&cursor=nonsense`)
    expect([status, body.code]).toEqual([400, 'page.cursor_invalid'])
  })

  it('is broken off when the server stops, and goes on at another one', { timeout: 60_000 }, async () => {
    const other = await startTestServer({}, database)
    const response = await fetch(other.url + bulk)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const { value } = await reader.read()
    const got = linesOf(new TextDecoder().decode(value))
    await other.stop()
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow()
    const { cursor } = JSON.parse(got.at(-1) ?? '') as { cursor: string }
    const rest = await server.call('GET', `${bulk}&cursor=${cursor}`)
    expect(linesOf(rest.text)).toHaveLength(rows - got.length)
  })
})
