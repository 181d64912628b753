import { BlockList, isIP, isIPv4 } from 'node:net'
import {
  appendEvents,
  createDb,
  type Db,
  everything,
  housekeeping,
  listEvents,
  type NewAuditEvent,
  placeLegalHold,
  type RecordedEvent,
  RecordedEventQuery,
  type Sight,
  type Tenant,
  TenantChanges,
  type TenantId,
  updateTenant,
} from '@breakpilot/tenant-core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { conditionsOf } from '../../packages/core/src/audit/event-filter.ts'
import { counted } from '../../packages/core/src/audit/event-page.ts'
import { cameFrom } from '../../packages/core/src/audit/source-address.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

type Query = z.input<typeof RecordedEventQuery>

let database: TestDatabase
let db: Db
let tenants: Tenant[]
/** All that there is, newest first, as the plain list has it. */
let log: RecordedEvent[]

/** Numbers that look random and are the same every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; state = (state * 1_103_515_245 + 12_345) % 2 ** 31) yield state / 2 ** 31
}

const pools = {
  product: ['certifai', 'compliance'],
  environment: ['live', 'live', 'live', 'test'],
  action: [
    'report.read',
    'report.read',
    'report.created',
    'reporting.begun',
    'user.deleted',
    'Login.failed',
    'report.\u{10ffff}x',
  ],
  crud: ['c', 'r', 'u', 'd'],
  group: [undefined, 'g-1', 'g-2'],
  actor: [undefined, 'jane', 'joe', 'platform'],
  target: [undefined, 'r-1', 'r-2'],
  type: [undefined, 'report', 'user'],
  flag: [undefined, true, false],
  source_ip: [
    undefined,
    '10.1.2.3',
    '10.9.9.9',
    '192.0.2.1',
    '::ffff:10.1.2.3',
    '2001:db8::1',
    '2001:DB8:0:0::1',
    'fe80::1%eth0',
    '999.1.1.1',
    'unknown',
    '',
    '10.1.2.3/8',
    '1.2.3',
    '1::2::3',
    '::1.2.3.4',
    '1:2:3:4:5:6:7::',
    ' 10.1.2.3',
  ],
  word: ['apple', 'apple', 'apple', 'banana', 'cherry'],
} as const

/** Thousands in the log of one tenant, in which old ones and rare ones stand out, and some in other logs. */
function someEvents([large, small]: readonly [TenantId, TenantId]): NewAuditEvent[] {
  const random = numbers(17)
  const draw = <Value>(pool: readonly Value[]): Value => pool[Math.floor(random.next().value * pool.length)] as Value
  return Array.from({ length: 4_000 }, (_, number): NewAuditEvent => {
    const target = draw(pools.target)
    const [actor, type, source_ip, group, at] = [
      draw(pools.actor),
      draw(pools.type),
      draw(pools.source_ip),
      draw(pools.group),
      draw([0, 1, 2]),
    ]
    const isRare = number % 400 === 7
    const [is_failure, is_anonymous] = [draw(pools.flag), draw(pools.flag)]
    return {
      tenant_id: number % 10 === 0 ? null : number % 10 === 1 ? small : large,
      product: draw(pools.product),
      environment: draw(pools.environment),
      action: isRare ? `rare.${draw(['a', 'b', 'c'])}` : draw(pools.action),
      crud: draw(pools.crud),
      ...(group !== undefined && { group: { id: group } }),
      ...(actor !== undefined && { actor: { id: actor } }),
      ...(target !== undefined && { target: { id: target, ...(type !== undefined && { type }) } }),
      ...(at !== 2 && { created_at: new Date(Date.UTC(2026, 0, 1 + Math.floor(number / 200), at)) }),
      ...(source_ip !== undefined && { source_ip }),
      ...(number % 3 === 0 && { external_id: `x-${number % 50}` }),
      ...(is_failure !== undefined && { is_failure }),
      ...(is_anonymous !== undefined && { is_anonymous }),
      // What nine of ten old events say, the new ones do not.
      description: `${draw(pools.word)} ${number < 1_500 ? 'early' : 'late'}${isRare ? ' seldom' : ''}${random.next().value < 0.18 ? ' often' : ''}`,
    }
  })
}

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  tenants = []
  for (const slug of ['large', 'small'])
    tenants.push(await aTenant(db, { slug, name: slug, status: 'active', plan: 'starter' }))
  const [large, small] = tenants
  if (!large || !small) throw new Error('two tenants were made')
  const events = someEvents([large.id, small.id])
  for (let from = 0; from < events.length; from += 1_000) {
    await housekeeping(db, async (tx) => await appendEvents(tx, events.slice(from, from + 1_000)))
  }
  const jane = { ...testActor, id: 'jane', source_ip: '10.1.2.3' }
  await updateTenant(db, jane, testCatalogue, large.id, TenantChanges.parse({ name: 'Large Inc.' }))
  await placeLegalHold(db, jane, large.id, { reason: 'lawsuit' })
  log = await all(everything, {})
}, 60_000)
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const page = async (sight: Sight, query: Query) => await listEvents(db, sight, RecordedEventQuery.parse(query))

/** A list, page by page. */
async function all(sight: Sight, query: Query): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  let cursor: string | undefined
  do {
    const { data, next_cursor } = await page(sight, { limit: '200', ...query, ...(cursor !== undefined && { cursor }) })
    events.push(...data)
    cursor = next_cursor ?? undefined
  } while (cursor !== undefined)
  return events
}

/** What each parameter means, said without an index. */
const meanings: {
  readonly [Name in keyof Query]: (value: NonNullable<Query[Name]>) => (event: RecordedEvent) => boolean
} = {
  tenant_id: (value) => (event) => event.tenant_id === value,
  product: (value) => (event) => event.product === value,
  environment: (value) => (event) => event.environment === value,
  group_id: (value) => (event) => event.group.id === value,
  action: (value) => (event) =>
    value.endsWith('*') ? event.action.startsWith(value.slice(0, -1)) : event.action === value,
  crud: (value) => (event) => value.split(',').includes(event.crud),
  actor_id: (value) => (event) => event.actor.id === value,
  target_id: (value) => (event) => event.target.id === value,
  target_type: (value) => (event) => event.target.type === value,
  external_id: (value) => (event) => event.external_id === value,
  is_failure: (value) => (event) => event.is_failure === (value === 'true'),
  is_anonymous: (value) => (event) => event.is_anonymous === (value === 'true'),
  source_ip: (value) => (event) => isIn(value, event.source_ip),
  created_after: (value) => (event) => event.canonical_at >= new Date(value),
  created_before: (value) => (event) => event.canonical_at < new Date(value),
  received_after: (value) => (event) => event.received_at >= new Date(value),
  received_before: (value) => (event) => event.received_at < new Date(value),
  q: (value) => (event) => value.split(' ').every((word) => event.description?.split(' ').includes(word)),
}

/** Whether an address is in a network, as Node.js sees it. */
function isIn(network: string, source: string | null): boolean {
  const [address = '', length] = network.split('/')
  const bare = (text: string) => text.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  const list = new BlockList()
  list.addSubnet(address, Number(length ?? (isIPv4(address) ? 32 : 128)), isIPv4(address) ? 'ipv4' : 'ipv6')
  const spelled = bare(source ?? '')
  // It takes an IPv4 address for one in an IPv6 network of mapped ones, which is of no use here.
  return (
    isIP(spelled) !== 0 && isIPv4(spelled) === isIPv4(address) && list.check(spelled, isIPv4(spelled) ? 'ipv4' : 'ipv6')
  )
}

const matching = (query: Query): RecordedEvent[] =>
  log.filter((event) =>
    Object.entries(query).every(([name, value]) => {
      const meaning = meanings[name as keyof Query] as
        | ((value: unknown) => (event: RecordedEvent) => boolean)
        | undefined
      return meaning === undefined || meaning(value)(event)
    }),
  )

const ids = (events: readonly RecordedEvent[]) => events.map(({ id }) => id)

it('the list has all events, newest first', () => {
  const place = (event: RecordedEvent) => `${event.canonical_at.toISOString()} ${event.id}`
  expect(log).toHaveLength(4_004)
  expect(log.map(place)).toEqual(log.map(place).toSorted().toReversed())
})

/** A value for each parameter that finds some and leaves some. */
const parameters = (): { readonly [Name in keyof Query]: fc.Arbitrary<NonNullable<Query[Name]>> } => {
  const from = <Value extends string>(...values: readonly Value[]) => fc.constantFrom(...values)
  const instant = fc.integer({ min: 0, max: log.length - 1 }).map((at) => log[at]?.canonical_at.toISOString() ?? '')
  const received = fc.integer({ min: 0, max: log.length - 1 }).map((at) => log[at]?.received_at.toISOString() ?? '')
  return {
    tenant_id: from(...tenants.map(({ id }) => id as string)),
    product: from('certifai', 'compliance', 'tenant-registry', 'nobody'),
    environment: from('live', 'test'),
    group_id: from('g-1', 'g-2', 'g-3'),
    action: from(
      'report.read',
      'report.*',
      'report*',
      'rare.*',
      'rare.a',
      'L*',
      '*',
      'nothing.*',
      'report.\u{10ffff}*',
      'tenant.*',
    ),
    crud: from('c', 'c,d', 'r,u', 'd,u,r,c'),
    actor_id: from('jane', 'joe', 'platform', 'nobody'),
    target_id: from('r-1', 'r-3'),
    target_type: from('report', 'user', 'tenant'),
    external_id: from('x-0', 'x-3', 'x-49', 'y'),
    is_failure: from('true', 'false'),
    is_anonymous: from('true', 'false'),
    source_ip: from(
      '10.1.2.3',
      '10.0.0.0/8',
      '10.1.2.3/8',
      '192.0.2.0/24',
      '0.0.0.0/0',
      '2001:db8::/32',
      '2001:db8::1',
      'fe80::/10',
      '::/0',
      '::/64',
    ),
    created_after: instant,
    created_before: instant,
    received_after: received,
    received_before: received,
    q: from('apple', 'early', 'late', 'seldom', 'often', 'banana early', 'nowhere'),
  }
}

describe('each filter finds what it says, and nothing else', () => {
  it.each(Object.keys(meanings) as (keyof typeof meanings)[])('%s', async (name) => {
    let hits = 0
    await fc.assert(
      fc.asyncProperty(parameters()[name] ?? fc.constant(''), async (value) => {
        const query = { [name]: value } as Query
        const expected = matching(query)
        hits += expected.length
        expect(ids(await all(everything, query))).toEqual(ids(expected))
      }),
      { numRuns: 12 },
    )
    expect(hits).toBeGreaterThan(0)
  })

  it('and so do several together, page by page, with the total on each page', async () => {
    let hits = 0
    const some = fc
      .record(parameters() as Record<string, fc.Arbitrary<string>>, { requiredKeys: [] })
      // All of them at once find nothing.
      .chain((query) => fc.subarray(Object.entries(query), { minLength: 1, maxLength: 4 }))
      .map((entries) => Object.fromEntries(entries) as Query)
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom('3', '50', '200'), async (query, limit) => {
        const expected = matching(query)
        hits += expected.length
        const first = await page(everything, { ...query, limit, total: 'true' })
        expect({ ...first, data: ids(first.data) }).toMatchObject({
          data: ids(expected.slice(0, Number(limit))),
          has_more: expected.length > Number(limit),
          total: expected.length,
          total_is_exact: true,
        })
        if (first.next_cursor === null) return
        // Whether the total is asked for says nothing about the place.
        const second = await page(everything, { ...query, limit, cursor: first.next_cursor })
        expect(ids(second.data)).toEqual(ids(expected.slice(Number(limit), 2 * Number(limit))))
        expect(second).not.toHaveProperty('total')
      }),
      { numRuns: 150 },
    )
    expect(hits).toBeGreaterThan(0)
  }, 60_000)

  /** A page of which there are some dozens: of few events, where few match. */
  const partOf = (query: Query) => String(Math.max(7, Math.ceil(matching(query).length / 40)))

  it('in one log, by beginnings of actions and by words, however rare or old', async () => {
    const inLarge = { tenant_id: tenants[0]?.id ?? '' }
    const more = [{}, { product: 'certifai' }, { crud: 'c,d', is_failure: 'true' }] as const
    for (const what of [
      { action: 'rare.*' },
      { action: 'report.*' },
      { action: '*' },
      { q: 'seldom' },
      { q: 'early' },
      { q: 'often' },
      { q: 'often early' },
      { q: 'apple' },
    ]) {
      for (const rest of more) {
        const query = { ...inLarge, ...what, ...rest }
        expect(ids(await all(everything, query)), JSON.stringify(query)).toEqual(ids(matching(query)))
        expect(ids(await all(everything, { ...query, limit: partOf(query) })), JSON.stringify(query)).toEqual(
          ids(matching(query)),
        )
      }
    }
  })

  it('in all logs at once, by what only has an index within each, however rare or old', async () => {
    const more = [{}, { product: 'certifai' }, { crud: 'c,d', is_failure: 'true' }] as const
    for (const what of [
      { action: 'rare.thing' },
      { action: 'report.read' },
      { actor_id: 'jane' },
      { actor_id: 'jane', action: 'report.created', target_id: 'r-1' },
      { target_id: 'r-2' },
      { target_id: 'none' },
      { external_id: 'none' },
    ]) {
      for (const rest of more) {
        const query = { ...what, ...rest }
        const found = await page(everything, { ...query, limit: '200', total: 'true' })
        expect(ids(found.data), JSON.stringify(query)).toEqual(ids(matching(query)).slice(0, 200))
        expect(found.total, JSON.stringify(query)).toBe(matching(query).length)
        expect(ids(await all(everything, { ...query, limit: partOf(query) })), JSON.stringify(query)).toEqual(
          ids(matching(query)),
        )
      }
    }
  })
})

describe('a tenant’s own people', () => {
  /** What they see of the log: nothing of holds, and of the registry's own events neither who nor from where. */
  const seen = (of: readonly TenantId[]) =>
    log
      .filter(({ tenant_id, target }) => tenant_id !== null && of.includes(tenant_id) && target.type !== 'legal_hold')
      .map((event) =>
        event.product === 'tenant-registry'
          ? { ...event, source_ip: null, actor: { ...event.actor, id: 'platform' } }
          : event,
      )

  it.each([
    ['one tenant', 1],
    ['two', 2],
  ])('find by each filter what they are shown, and are told how much that is: people of %s', async (_, count) => {
    const of = tenants.slice(0, count).map(({ id }) => id)
    const theirs = seen(of)
    const sight: Sight = { kind: 'tenants', tenantIds: of }
    for (const [name, values] of Object.entries(parameters())) {
      for (const value of new Set(fc.sample(values, { numRuns: 8, seed: 3 }))) {
        const meaning = meanings[name as keyof Query] as (value: unknown) => (event: RecordedEvent) => boolean
        const expected = theirs.filter(meaning(value))
        const found = await page(sight, { [name]: value, limit: '200', total: 'true' })
        expect(ids(found.data), `${name}=${value}`).toEqual(ids(expected.slice(0, 200)))
        expect(found.total, `${name}=${value}`).toBe(expected.length)
      }
    }
  })

  it('find nothing in the log of another tenant, however they name it', async () => {
    const [large, small] = tenants
    const sight: Sight = { kind: 'tenants', tenantIds: small ? [small.id] : [] }
    for (const more of [{}, { action: 'report.*' }, { q: 'apple' }, { external_id: 'x-3' }]) {
      const found = await page(sight, { tenant_id: large?.id, total: 'true', ...more })
      expect(found).toMatchObject({ data: [], total: 0, total_is_exact: true })
    }
  })
})

it('a product is told of nothing, and that there is nothing', async () => {
  const found = await page({ kind: 'product', product: 'certifai' }, { total: 'true' })
  expect(found).toEqual({ data: [], has_more: false, next_cursor: null, total: 0, total_is_exact: true })
})

describe('the total', () => {
  const bulk = (number: number): NewAuditEvent => ({
    tenant_id: null,
    product: 'bulk',
    environment: number < 10_000 ? 'live' : 'test',
    action: 'thing.done',
    crud: 'u',
    description: 'plenty',
  })

  it('is exact up to 10 000, and says so when it is not', async () => {
    for (let from = 0; from < 10_050; from += 1_000) {
      const events = Array.from({ length: Math.min(1_000, 10_050 - from) }, (_, at) => bulk(from + at))
      await housekeeping(db, async (tx) => await appendEvents(tx, events))
    }
    const totalOf = async (query: Query) => {
      const { total, total_is_exact } = await page(everything, { limit: '1', total: 'true', product: 'bulk', ...query })
      return [total, total_is_exact]
    }
    expect(await totalOf({})).toEqual([10_000, false])
    expect(await totalOf({ q: 'plenty' })).toEqual([10_000, false])
    expect(await totalOf({ environment: 'live' })).toEqual([10_000, true])
    expect(await totalOf({ environment: 'test' })).toEqual([50, true])
    expect(await totalOf({ environment: 'test', q: 'plenty' })).toEqual([50, true])
  }, 30_000)

  it('is as of the moment of the page', async () => {
    const writing = (async () => {
      for (let number = 0; number < 190; number += 1) {
        const event = { ...bulk(number), product: 'growing' }
        await housekeeping(db, async (tx) => await appendEvents(tx, [event]))
      }
    })()
    const totals = new Set<number>()
    const state = { isOver: false }
    void writing.finally(() => (state.isOver = true))
    while (!state.isOver) {
      const { data, total } = await page(everything, { product: 'growing', limit: '200', total: 'true' })
      expect(data).toHaveLength(total ?? -1)
      totals.add(data.length)
    }
    await writing
    // It was looked at while it grew.
    expect(totals.size).toBeGreaterThan(5)
  }, 30_000)
})

it('what a product recorded for a tenant is counted in the index alone', async () => {
  const asked = { tenant_id: tenants[0]?.id, product: 'certifai', environment: 'live', crud: 'r' }
  const parsed = RecordedEventQuery.parse(asked)
  const { sql: text, parameters } = counted(conditionsOf(everything, parsed), 10_001).compile(db)
  const owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  try {
    // As the registry plans its lists, and as though the log were large and vacuumed, as a large one is.
    await owner.query('vacuum analyze audit_log')
    await owner.query(
      'set enable_sort = off; set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_bitmapscan = off',
    )
    const { rows } = await owner.query<{ 'QUERY PLAN': string }>({ text: `explain ${text}`, values: [...parameters] })
    const scans = rows.map((row) => row['QUERY PLAN']).filter((line) => /Scan using audit_log_\d/.test(line))
    expect(scans).not.toEqual([])
    expect(scans.filter((line) => !/Index Only Scan using audit_log_\d+_\d+_stream_product_idx/.test(line))).toEqual([])
  } finally {
    await owner.end()
  }
})

describe('addresses', () => {
  it('whatever stands in the log, it is in a network when Node.js says so, and nothing fails', async () => {
    const odd = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF:./%x g'.split('')) })
    const mangled = fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(40), fc.constantFrom('', ':', '.', '0', 'f', '%', '::', '256'))
      .map(([address, at, what]) => address.slice(0, at) + what + address.slice(at + 1))
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      odd,
      mangled,
      fc.ipV4().map((text) => `::FFFF:${text}`),
    )
    const network = fc.oneof(
      fc.tuple(fc.ipV4(), fc.nat(32)).map(([text, length]) => `${text}/${length}`),
      // Node.js takes only plain ones.
      fc
        .tuple(
          fc.ipV6().filter((text) => !text.includes('.')),
          fc.nat(128),
        )
        .map(([text, length]) => `${text}/${length}`),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 60, maxLength: 60 }), network, async (addresses, of) => {
        const { rows } = await sql<{ source_ip: string; found: boolean }>`
          select source_ip, ${cameFrom(everything, of)} as found from unnest(${addresses}::text[]) as log (source_ip)`.execute(
          db,
        )
        for (const { source_ip, found } of rows)
          expect([source_ip, of, found]).toEqual([source_ip, of, isIn(of, source_ip)])
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0',
    'fe80::1%eth0',
    '10.0.0.1/',
    '/8',
    'everywhere',
    '10.0.0.0/-1',
    '::ffff:10.0.0.0/95',
  ])('%s is neither an address nor a network', (source_ip) => {
    expect(RecordedEventQuery.safeParse({ source_ip }).success).toBe(false)
  })

  it('in a search, what is neither is looked for as it stands', async () => {
    for (const [q, meaning] of [
      ['source_ip:10.0.0.0/8', ({ source_ip }: RecordedEvent) => isIn('10.0.0.0/8', source_ip)],
      ['source_ip:2001:db8::1', ({ source_ip }: RecordedEvent) => isIn('2001:db8::1', source_ip)],
      ['source_ip:unknown', ({ source_ip }: RecordedEvent) => source_ip === 'unknown'],
    ] as const) {
      const expected = log.filter(meaning)
      expect(expected.length).toBeGreaterThan(0)
      expect(ids(await all(everything, { q })), q).toEqual(ids(expected))
    }
  })
})

// The last one: it adds to the log that all others compare with.
describe('a beginning of actions that was asked for before', () => {
  it('has those that are new since, however many there are by then', async () => {
    const tenant = await aTenant(db, { slug: 'growing' })
    const listed = async () => {
      const { data } = await page(everything, { tenant_id: tenant.id, action: 'new.*', limit: '100', total: 'true' })
      return data.map(({ action }) => action).toSorted()
    }
    const published: string[] = []
    const publish = async (...actions: string[]) => {
      const events = actions.map((action): NewAuditEvent => ({
        tenant_id: tenant.id,
        product: 'certifai',
        environment: 'live',
        action,
        crud: 'c',
      }))
      await housekeeping(db, async (tx) => await appendEvents(tx, events))
      published.push(...actions)
    }
    const many = (count: number, name: string) => Array.from({ length: count }, (_, n) => `${name}-${n}`)
    const isNew = (action: string) => action.startsWith('new.')
    const asExpected = async () => expect(await listed()).toEqual(published.filter(isNew).toSorted())
    for (const actions of [[], ['new.b'], ['new.c', 'new.a'], ['new.b'], many(900, 'old'), ['new.d']]) {
      await publish(...actions)
      for (let times = 0; times < 3; times += 1) await asExpected()
    }
    // More came since than is looked through, and the new one is the last of them.
    for (const actions of [many(1_000, 'old'), many(500, 'old'), ['new.e']]) await publish(...actions)
    for (let times = 0; times < 3; times += 1) await asExpected()

    // A replica that had not all of it takes over: what comes then has the places of what was.
    const admin = new Client({ connectionString: database.adminUrl })
    await admin.connect()
    await publish('new.lost', 'new.lost')
    await asExpected()
    await asExpected()
    const { rows } = await admin.query<{ stream_seq: string }>(
      `delete from audit_log where stream_id = $1 and action = 'new.lost' returning stream_seq`,
      [tenant.id],
    )
    expect(rows).toHaveLength(2)
    await admin.query(
      `update registry.audit_streams head set last_seq = last.stream_seq, last_hash = last.chain_hash
       from (select stream_seq, chain_hash from audit_log where stream_id = $1 order by stream_seq desc limit 1) as last
       where head.stream_id = $1`,
      [tenant.id],
    )
    await admin.end()
    published.splice(-2)
    await publish('new.other', 'new.c', 'new.c')
    for (let times = 0; times < 3; times += 1) await asExpected()

    await publish(...many(40, 'new.many'))
    for (let times = 0; times < 3; times += 1) await asExpected()
  })
})
