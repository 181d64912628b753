import { TenantClient } from '@breakpilot/tenant-client'
import {
  appendEvents,
  createDb,
  type Db,
  everything,
  housekeeping,
  listEvents,
  listLogStreams,
  LogStreamQuery,
  type NewAuditEvent,
  readLogStream,
  RecordedEventQuery,
  type Sight,
  StreamEventQuery,
  type StreamId,
  streamOf,
} from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { aTenant } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { startTestServer } from '../server.ts'

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl, poolSize: 20 })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const event = (group: string, external_id: string, product = 'certifai'): NewAuditEvent => ({
  tenant_id: null,
  product,
  environment: 'live',
  action: 'document.read',
  crud: 'r',
  group: { id: group },
  external_id,
})
const streamOfGroup = (group_id: string, product = 'certifai') =>
  streamOf({ tenant_id: null, product, environment: 'live', group_id })
const append = async (...events: NewAuditEvent[]) =>
  await housekeeping(db, async (tx) => await appendEvents(tx, events))

/** A writer that has written, and commits when it is told to. */
async function aWriter(...events: NewAuditEvent[]) {
  let commit = () => {}
  const mayCommit = new Promise<void>((resolve) => (commit = resolve))
  let written = () => {}
  const isWritten = new Promise<void>((resolve) => (written = resolve))
  const committed = housekeeping(db, async (tx) => {
    await appendEvents(tx, events)
    written()
    await mayCommit
  })
  await isWritten
  return async () => {
    commit()
    await committed
  }
}

const streams = async (cursor?: string, sight: Sight = everything) =>
  await listLogStreams(db, sight, LogStreamQuery.parse(cursor === undefined ? {} : { cursor }))

/** Follows the log as a consumer does, from where it is. */
class Consumer {
  readonly positions = new Map<string, number>()
  readonly got: string[] = []
  cursor: string | undefined
  readonly #sight: Sight

  constructor(sight: Sight = everything) {
    this.#sight = sight
  }

  async look(): Promise<void> {
    for (;;) {
      const page = await streams(this.cursor, this.#sight)
      for (const { stream_id, last_seq } of page.data) {
        for (let after = this.positions.get(stream_id) ?? 0; after < last_seq;) {
          const read = await readLogStream(db, this.#sight, stream_id, StreamEventQuery.parse({ after: String(after) }))
          this.got.push(...read.data.map(({ external_id }) => external_id ?? ''))
          after = read.next_after
          this.positions.set(stream_id, after)
          if (!read.has_more) break
        }
      }
      const isEnd = !page.has_more || page.next_cursor === this.cursor
      this.cursor = page.next_cursor
      if (isEnd) return
    }
  }
}

describe('a stream', () => {
  it('is read in the order of its commits, a part at a time', async () => {
    await append(...Array.from({ length: 7 }, (_, n) => event('parts', `parts-${n}`)))
    const stream = streamOfGroup('parts')
    const read = async (query: object) => await readLogStream(db, everything, stream, StreamEventQuery.parse(query))
    const first = await read({ limit: '3' })
    expect(first).toMatchObject({ has_more: true, next_after: 3 })
    expect(first.data.map(({ stream_seq }) => stream_seq)).toEqual([1, 2, 3])
    expect(first.data[0]).toMatchObject({
      stream_id: stream,
      chain_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
    expect(await read({ after: '3', limit: '4' })).toMatchObject({ has_more: false, next_after: 7 })
    expect(await read({ after: '7' })).toEqual({ data: [], has_more: false, next_after: 7 })
  })

  it('that nobody wrote is not found, nor is one with nothing of one’s own', async () => {
    const sight: Sight = { kind: 'product', product: 'compliance', environment: 'live' }
    await append(event('certifai-alone', 'x'))
    for (const [who, stream] of [
      [everything, streamOfGroup('never')],
      [sight, streamOfGroup('certifai-alone')],
    ] as const) {
      await expect(readLogStream(db, who, stream)).rejects.toMatchObject({ code: 'audit_stream.not_found' })
    }
  })

  it("of a tenant shows a product its own events, and goes on behind the others'", async () => {
    const tenant = await aTenant(db, { slug: 'shared' })
    const of = (product: string, id: string): NewAuditEvent => ({ ...event('x', id, product), tenant_id: tenant.id })
    await append(of('certifai', 'c-1'), of('compliance', 'o-1'), of('certifai', 'c-2'), of('compliance', 'o-2'))
    const sight: Sight = { kind: 'product', product: 'certifai', environment: 'live' }
    const page = await readLogStream(db, sight, tenant.id as string as StreamId)
    expect(page.data.map(({ external_id }) => external_id)).toEqual(['c-1', 'c-2'])
    expect(page).toMatchObject({ has_more: false, next_after: 5 })
    const seen = (await streams(undefined, sight)).data.map(({ stream_id }) => stream_id)
    expect(seen).toContain(tenant.id)
    expect(await streams(undefined, { kind: 'product', product: 'certifai', environment: 'test' })).toMatchObject({
      data: [],
    })
  })
})

describe('reading', () => {
  it('is planned once for each connection, whatever is asked for', async () => {
    const tenant = await aTenant(db, { slug: 'planned' })
    await append(event('planned', 'planned-1'))
    const product: Sight = { kind: 'product', product: 'certifai', environment: 'live' }
    const tenants: Sight = { kind: 'tenants', tenantIds: [tenant.id] }
    const { next_cursor } = await streams()
    const asked = vi.spyOn(Client.prototype, 'query')
    for (const [sight, stream] of [
      [everything, streamOfGroup('planned')],
      [product, streamOfGroup('planned')],
      [tenants, tenant.id],
    ] as const) {
      for (const limit of ['1', '7']) {
        await readLogStream(db, sight, stream as StreamId, StreamEventQuery.parse({ limit }))
        await listLogStreams(db, sight, LogStreamQuery.parse({ limit }))
        await listLogStreams(db, sight, LogStreamQuery.parse({ limit, cursor: next_cursor }))
      }
    }
    const sent = asked.mock.calls.map(([statement]) => statement as unknown as { name?: string; text: string })
    asked.mockRestore()
    expect(sent.filter(({ name }) => name === undefined)).toEqual([])
    // One of the events and two of the streams for each sight, the head, and what is settled.
    expect(new Set(sent.map(({ name }) => name)).size).toBe(3 * 3 + 2)
  })
})

describe('who follows all streams', () => {
  it('loses nothing of writers that commit in another order than they began in', async () => {
    const consumer = new Consumer()
    await consumer.look()
    const slow = await aWriter(event('slow', 'slow'))
    await append(event('fast', 'fast'))
    await consumer.look()
    expect(consumer.got).toContain('fast')
    expect(consumer.got).not.toContain('slow')
    // However often it looks meanwhile.
    await append(event('faster', 'faster'))
    await consumer.look()
    await consumer.look()
    await slow()
    await consumer.look()
    expect(consumer.got.filter((id) => ['slow', 'fast', 'faster'].includes(id))).toEqual(['fast', 'faster', 'slow'])
  })

  it('loses nothing of a writer of another role, of whom it cannot be known when it began', async () => {
    const consumer = new Consumer()
    await consumer.look()
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    const stream = streamOfGroup('owners')
    await append(event('owners', 'owners-1'))
    await owner.query('begin')
    await owner.query('select from registry.audit_streams where stream_id = $1 for update', [stream])
    await owner.query(
      'update registry.audit_streams set last_received_at = clock_timestamp(), last_seq = 2 where stream_id = $1',
      [stream],
    )
    await append(event('beside-owners', 'beside'))
    const before = consumer.cursor
    await consumer.look()
    // What came is told, and where it is to look again stays.
    expect(consumer.got).toContain('beside')
    expect(consumer.cursor).toBe(before)
    await owner.query('commit')
    await owner.end()
    const { data } = await streams(consumer.cursor)
    expect(data.map(({ stream_id, last_seq }) => [stream_id, last_seq])).toContainEqual([stream, 2])
  })

  it('gets every event once, in the order of each stream, from many writers at once', { timeout: 60_000 }, async () => {
    const consumer = new Consumer()
    await consumer.look()
    const writers = 8
    let isWriting = true
    const going = () => isWriting
    const expected = new Map<string, string[]>()
    const following = (async () => {
      do {
        await consumer.look()
      } while (going())
    })()
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let n = 0; n < 25; n += 1) {
          const group = `many-${(writer * 7 + n * 3) % 12}`
          const id = `${group}:${writer}.${n}`
          await append(event(group, id))
          expected.set(group, [...(expected.get(group) ?? []), id])
        }
      }),
    )
    isWriting = false
    await following
    await consumer.look()
    const got = consumer.got.filter((id) => id.startsWith('many-'))
    expect(got.toSorted()).toEqual([...expected.values()].flat().toSorted())
    for (const group of expected.keys()) {
      const { data } = await readLogStream(db, everything, streamOfGroup(group))
      expect(got.filter((id) => id.startsWith(`${group}:`))).toEqual(data.map(({ external_id }) => external_id))
    }
  })

  it('loses nothing when the clock is set back behind a cursor, and does not go round in a circle', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `ahead-${n}`)
    await append(...names.map((name) => event(name, 'e-1')))
    // As if all of this had been written an hour ahead of the clock, and told of as far as that.
    const admin = new Client({ connectionString: database.adminUrl })
    await admin.connect()
    await admin.query(
      `update registry.audit_streams set last_received_at = now() + interval '1 hour' where stream_id = any($1)`,
      [names.map((name) => streamOfGroup(name))],
    )
    await admin.end()
    const ahead = `${Date.now() + 3_600_000}.${streamOfGroup('ahead-0')}`
    await append(event('since', 'e-1'), event('ahead-1', 'e-2'))
    const told = new Map<StreamId, number>()
    let cursor = ahead
    let asked = 0
    for (let hasMore = true; hasMore; asked += 1) {
      const page = await listLogStreams(db, everything, LogStreamQuery.parse({ cursor, limit: '3' }))
      for (const { stream_id, last_seq } of page.data) told.set(stream_id, last_seq)
      cursor = page.next_cursor
      hasMore = page.has_more
      expect(asked).toBeLessThan(100)
    }
    expect(told.get(streamOfGroup('since'))).toBe(1)
    // What is ahead of the clock is told of again until the clock has come there.
    const again = await streams(cursor)
    expect(again.data.find(({ stream_id }) => stream_id === streamOfGroup('ahead-1'))).toMatchObject({ last_seq: 2 })
    expect(Number(cursor.split('.')[0])).toBeLessThanOrEqual(Date.now() + 1_000)
  })

  it('tells of streams in the order in which they changed, to the millisecond, whatever page they are on', async () => {
    const seconds = [0, 0.001, 3, 9.998, 9.999, 10, 10, 25, 61, 61.5]
    const names = seconds.map((_, n) => `ordered-${n}`)
    await append(...names.toReversed().map((name) => event(name, 'e-1')))
    // Where ten seconds begin.
    const first = Math.floor((Date.now() - 86_400_000) / 10_000) * 10_000
    const ids = names.map((name) => streamOfGroup(name))
    const admin = new Client({ connectionString: database.adminUrl })
    await admin.connect()
    await admin.query(
      `update registry.audit_streams head set last_received_at = to_timestamp($1::float8 / 1000) + seconds * interval '1 second'
       from unnest($2::uuid[], $3::float8[]) as changed (id, seconds) where head.stream_id = changed.id`,
      [first, ids, seconds],
    )
    await admin.end()
    const expected = ids
      .map((id, n) => ({ id, at: seconds[n] ?? 0 }))
      .toSorted((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1))
    for (const limit of ['1', '2', '5']) {
      const told: StreamId[] = []
      let cursor = `${first - 1}.${streamOfGroup('ordered-0')}`
      while (told.length < ids.length) {
        const page = await listLogStreams(db, everything, LogStreamQuery.parse({ cursor, limit }))
        expect(page.next_cursor).not.toBe(cursor)
        told.push(...page.data.map(({ stream_id }) => stream_id))
        cursor = page.next_cursor
      }
      expect(told.slice(0, ids.length)).toEqual(expected.map(({ id }) => id))
      // From any of them on.
      for (const [n, { id, at }] of expected.slice(0, -1).entries()) {
        const cursor = `${first + Math.round(at * 1_000)}.${id}`
        const { data } = await listLogStreams(db, everything, LogStreamQuery.parse({ cursor, limit }))
        expect(data[0]?.stream_id, String(at)).toBe(expected[n + 1]?.id)
      }
    }
  })

  it('takes no cursor that is none', async () => {
    for (const cursor of ['', 'x', '1.2', '99999999999999999.0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f']) {
      await expect(streams(cursor)).rejects.toMatchObject({ code: 'page.cursor_invalid' })
    }
  })

  it('does all of this with the client, which also exports', async () => {
    const server = await startTestServer({}, database)
    try {
      const client = new TenantClient({ baseUrl: server.url })
      const stop = new AbortController()
      const kept = new Map<string, number>()
      const got: string[] = []
      const following = (async () => {
        const positionOf = (stream: string) => kept.get(stream) ?? 0
        for await (const { stream_id, events, position } of client.audit.streams.follow({
          positionOf,
          pollMs: 20,
          signal: stop.signal,
        })) {
          got.push(...events.map(({ external_id }) => external_id ?? ''))
          kept.set(stream_id, position)
        }
      })()
      await append(event('client', 'client-1'))
      await expect.poll(() => got, { timeout: 5_000 }).toContain('client-1')
      await append(event('client', 'client-2'), event('client-other', 'client-3'))
      await expect.poll(() => got, { timeout: 5_000 }).toEqual(expect.arrayContaining(['client-2', 'client-3']))
      stop.abort()
      await expect(following).rejects.toMatchObject({ name: 'AbortError' })
      expect(got.filter((id) => id.startsWith('client-'))).toHaveLength(3)

      const exported: string[] = []
      for await (const { external_id } of client.audit.export({ product: 'certifai', order: 'oldest_first' })) {
        exported.push(external_id ?? '')
      }
      expect(exported.toSorted()).toEqual(got.filter((id) => !['', 'o-1', 'o-2'].includes(id)).toSorted())
      let csv = ''
      for await (const text of client.audit.export({ product: 'certifai' }).text('csv')) csv += text
      expect(csv.split('\r\n').length - 2).toBe(exported.length)
    } finally {
      await server.stop()
    }
  })
})

describe('a stream of large events', () => {
  // Within what may be published; JSON spells each of them with six characters.
  const large = '\u0001'.repeat(250_000)
  const idsOf = (group: string, count: number) => Array.from({ length: count }, (_, n) => `${group}:${n}`)

  it.each([
    { what: 'fields', more: { fields: [['x', large] as const] }, count: 14, pages: [6, 6, 2] },
    { what: 'names', more: { actor: { id: 'jane', name: large } }, count: 33, pages: [32, 1] },
  ])('is read in pages that memory has room for: $what', async ({ what, more, count, pages }) => {
    const ids = idsOf(what, count)
    for (const id of ids) await append({ ...event(what, id), ...more })
    const got: string[][] = []
    let after = 0
    for (let isEnd = false; !isEnd;) {
      const query = StreamEventQuery.parse({ after: String(after), limit: '1000' })
      const page = await readLogStream(db, everything, streamOfGroup(what), query)
      got.push(page.data.map(({ external_id }) => external_id ?? ''))
      expect(page.next_after).toBe(page.data.at(-1)?.stream_seq)
      after = page.next_after
      isEnd = !page.has_more
    }
    expect(got.flat()).toEqual(ids)
    expect(got.map(({ length }) => length)).toEqual(pages)
  })

  it('does not stop who follows it', async () => {
    const ids = idsOf('followed', 8)
    for (const id of ids) await append({ ...event('followed', id), fields: [['x', large]] })
    const server = await startTestServer({}, database)
    const stop = new AbortController()
    try {
      const client = new TenantClient({ baseUrl: server.url })
      const got: { ids: (string | null)[]; position: number }[] = []
      const follow = client.audit.streams.follow({ positionOf: () => 0, signal: stop.signal })
      for await (const { stream_id, events, position } of follow) {
        if (stream_id === streamOfGroup('followed')) got.push({ ids: events.map((each) => each.external_id), position })
        if (got.flatMap((part) => part.ids).length === ids.length) break
      }
      expect(got).toEqual([
        { ids: ids.slice(0, 6), position: 6 },
        { ids: ids.slice(6), position: 8 },
      ])
    } finally {
      stop.abort()
      await server.stop()
    }
  })
})

describe('a list of large events', () => {
  const large = '\u0001'.repeat(250_000)

  it.each([
    ['all of them', {}],
    ['an action', { action: 'large.read' }],
    ['a beginning', { action: 'large.*' }],
    ['an external id', { external_id: 'large' }],
    ['words', { q: 'large.read' }],
    ['with the total', { total: 'true' }],
  ] as const)('is read in pages that memory has room for: %s', async (what, query) => {
    const tenant = await aTenant(db, { slug: what.replaceAll(' ', '-'), name: what })
    const about = { ...event(tenant.id, 'large'), tenant_id: tenant.id, action: 'large.read' }
    for (let n = 0; n < 9; n += 1) await append({ ...about, fields: [['x', large]], metadata: [['n', String(n)]] })
    const got: (string | undefined)[][] = []
    let cursor: string | undefined
    do {
      const asked = { tenant_id: tenant.id, product: 'certifai', limit: '200', ...query, ...(cursor && { cursor }) }
      const page = await listEvents(db, everything, RecordedEventQuery.parse(asked))
      got.push(page.data.map(({ metadata }) => metadata?.['n']))
      expect(page.data.every(({ fields }) => fields?.['x'] === large)).toBe(true)
      expect(page.has_more).toBe(page.next_cursor !== null)
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
    expect(got).toEqual([
      ['8', '7', '6', '5', '4', '3'],
      ['2', '1', '0'],
    ])
  })
})
