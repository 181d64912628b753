import { randomUUID } from 'node:crypto'
import {
  countPartitionsAhead,
  createCatalogue,
  createDb,
  type Db,
  ensureAuditPartitions,
  EventExportQuery,
  EventId,
  everything,
  exportEvents,
  getEvent,
  listEvents,
  listLogStreams,
  parseManifest,
  placeLegalHold,
  liftLegalHold,
  readLogStream,
  RecordedEventQuery,
  recordDrops,
  saveRetention,
  type Sight,
  StreamEventQuery,
  type StreamId,
  type Tenant,
} from '@breakpilot/tenant-core'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { aTenant, testActor } from '../builders.ts'
import { start } from '../migrations/command.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { asOwner, makeMonths, writePast } from './past.ts'

const manifest = (key: string, days: string) =>
  parseManifest(
    `key: ${key}\nname: ${key}\nstatus: active\nowner: us\nsupports_projects: false\n${days}`,
    `${key}.yaml`,
  )
/** Certifai: 30 days, 90 on professional; compliance: 60 days. */
const catalogue = createCatalogue([
  manifest(
    'certifai',
    'limits: { audit_retention_days: 30 }\nplans: { professional: { limits: { audit_retention_days: 90 } }, starter: {} }\n',
  ),
  manifest('compliance', 'limits: { audit_retention_days: 60 }\n'),
])

let database: TestDatabase
let db: Db
let acme: Tenant
let globex: Tenant
beforeEach(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  acme = await aTenant(db, { slug: 'acme', name: 'Acme', status: 'active', plan: 'professional' })
  globex = await aTenant(db, { slug: 'globex', name: 'Globex', status: 'active', plan: 'starter' })
})
afterEach(async () => {
  await db.destroy()
  await database.drop()
})

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000)
/** The first day of the month so many months ago, and the middle of it. */
const monthOf = (ago: number) => {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - ago, 1))
}
const dateOf = (date: Date) => date.toISOString().slice(0, 10)
const middleOf = (ago: number) => new Date(monthOf(ago).getTime() + 14 * 86_400_000)

interface PlanNode {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Rows Removed by Filter'?: number
}

/** All nodes of a plan, wherever they stand in it. */
const nodesOf = (plan: unknown): PlanNode[] =>
  typeof plan === 'object' && plan !== null ? [plan, ...Object.values(plan).flatMap(nodesOf)] : []

async function seen(sight: Sight, tenant: Tenant, product?: string): Promise<number> {
  return await seenOf(sight, {
    tenant_id: tenant.id,
    action: 'document.read',
    ...(product !== undefined && { product }),
  })
}

/** How many events are listed, which are as many as are counted and exported. */
async function seenOf(sight: Sight, query: Record<string, string>): Promise<number> {
  const { data, total } = await listEvents(db, sight, RecordedEventQuery.parse({ ...query, total: 'true' }))
  expect(await listEvents(db, sight, RecordedEventQuery.parse(query))).toMatchObject({ data })
  expect(total).toBe(data.length)
  let text = ''
  const { chunks } = await exportEvents(
    db,
    { ...testActor, sight },
    EventExportQuery.parse({ ...query, format: 'ndjson', q: 'document' }),
  )
  for await (const chunk of chunks) text += chunk
  expect(text.split('\n')).toHaveLength(data.length + 1)
  return data.length
}

/** Agrees with both tenants for how long events of certifai are kept, and with one on nonsense. */
async function agree(): Promise<void> {
  await asOwner(
    database,
    `insert into tenant_products (tenant_id, product, limits) values ($1, 'certifai', '{"audit_retention_days": 60}'),
      ($2, 'certifai', '{"audit_retention_days": 3650}'), ($2, 'compliance', '{"audit_retention_days": "many"}')`,
    [acme.id, globex.id],
  )
}

const certifai: Sight = { kind: 'product', product: 'certifai', environment: 'live' }

/** What a stream shows to who follows it: how many days ago what happened to documents came in. */
async function followed(sight: Sight, stream: string, limit = '1000') {
  const { data, ...page } = await readLogStream(db, sight, stream as StreamId, StreamEventQuery.parse({ limit }))
  const days = data
    .filter(({ action }) => action === 'document.read')
    .map(({ received_at }) => Math.round((Date.now() - received_at.getTime()) / 86_400_000))
  return { days, ...page }
}

describe('what is over by a plan', () => {
  beforeEach(async () => {
    await makeMonths(database, ...[1, 2, 3, 4].map((ago) => dateOf(monthOf(ago))))
    const past = [acme, globex].flatMap((tenant) =>
      ['certifai', 'compliance'].flatMap((product) =>
        [1, 29, 31, 59, 61, 89, 91].map((days) => ({ stream: tenant.id, product, from: daysAgo(days) })),
      ),
    )
    await writePast(database, ...past)
  })

  it('is there for ever as long as nobody says otherwise', async () => {
    expect(await seen(everything, acme)).toBe(14)
  })

  it('is neither found nor counted nor exported, by the plan of the tenant or what its product keeps without one', async () => {
    expect(await saveRetention(db, catalogue)).toBe(4)
    expect(await saveRetention(db, catalogue)).toBe(0)
    const own = (tenant: Tenant): Sight => ({ kind: 'tenants', tenantIds: [tenant.id] })
    const both: Sight = { kind: 'tenants', tenantIds: [acme.id, globex.id] }
    for (const sight of [everything, both]) {
      expect([await seen(sight, acme, 'certifai'), await seen(sight, globex, 'certifai')]).toEqual([6, 2])
      expect([await seen(sight, acme, 'compliance'), await seen(sight, globex, 'compliance')]).toEqual([4, 4])
    }
    expect([await seen(own(acme), acme), await seen(own(globex), globex)]).toEqual([10, 6])
    const [old] = await asOwner<{ id: string }>(
      database,
      `select id from audit_log where stream_id = $1 and product = 'certifai' and received_at < now() - interval '90 days'`,
      [acme.id],
    )
    await expect(getEvent(db, everything, EventId.parse(old?.id))).rejects.toMatchObject({
      code: 'audit_event.not_found',
    })
    // The plan is judged when it is asked.
    await asOwner(database, `update tenants set plan = 'starter' where id = $1`, [acme.id])
    expect(await seen(everything, acme, 'certifai')).toBe(2)
  })

  it('is left out of every page, through all months and whatever an event says of when it happened', async () => {
    await saveRetention(db, catalogue)
    // Came in long ago, and told of what was to happen: one is kept by the plan of its tenant, one is not.
    await asOwner(
      database,
      `update audit_log set canonical_at = now() + interval '1 day' where product = 'certifai'
         and received_at between now() - interval '60 days' and now() - interval '58 days'`,
    )
    const everyPage = async (query: Record<string, string>) => {
      const ids: string[] = []
      let cursor: string | null = null
      do {
        const page = RecordedEventQuery.parse({ ...query, limit: '3', ...(cursor && { cursor }) })
        const { data, next_cursor } = await listEvents(db, everything, page)
        ids.push(...data.map(({ id }) => id))
        cursor = next_cursor
      } while (cursor !== null)
      return ids
    }
    const kept = async (condition: string, ...values: unknown[]) => {
      const rows = await asOwner<{ id: string }>(
        database,
        `select id from audit_log where action = 'document.read' and (${condition}) and received_at > now() - make_interval(days =>
           case when product = 'compliance' then 60 when stream_id = '${acme.id}' then 90 else 30 end)
         order by canonical_at desc, id desc`,
        values,
      )
      return rows.map(({ id }) => id)
    }
    const all = await kept('true')
    expect(all).toHaveLength(16)
    expect(await everyPage({ action: 'document.*' })).toEqual(all)
    expect(await everyPage({ action: 'document.read' })).toEqual(all)
    expect(await everyPage({ product: 'certifai', action: 'document.*' })).toEqual(await kept(`product = 'certifai'`))
    expect(await everyPage({ tenant_id: acme.id, action: 'document.*' })).toEqual(await kept('stream_id = $1', acme.id))
    const [first] = all
    const [early] = await asOwner<{ id: string }>(
      database,
      `select id from audit_log where canonical_at > now() and stream_id = $1`,
      [acme.id],
    )
    expect(early?.id).toBe(first)
  })

  it('comes behind what every plan keeps, also where that is not near', async () => {
    await saveRetention(db, catalogue)
    await writePast(
      database,
      { stream: acme.id, from: daysAgo(80), to: daysAgo(70), count: 10 },
      { stream: acme.id, from: daysAgo(20), to: daysAgo(19), count: 5 },
    )
    const few = `stream_id = $1 and target_id <> 'doc-1' and received_at < now() - interval '10 days'`
    await asOwner(database, `update audit_log set action = 'report.read' where ${few}`, [acme.id])
    await writePast(database, { stream: acme.id, from: daysAgo(2), to: daysAgo(1), count: 2_100 })
    const query = { tenant_id: acme.id, action: 'report.*', limit: '8' }
    const { data } = await listEvents(db, everything, RecordedEventQuery.parse(query))
    const days = data.map(({ received_at }) => Math.round((Date.now() - received_at.getTime()) / 86_400_000))
    expect(days).toEqual([19, 19, 20, 20, 70, 71, 72, 73])
  })

  it('is found by its actions, where few begin as is asked', async () => {
    await saveRetention(db, catalogue)
    await writePast(database, { stream: acme.id, from: daysAgo(20), to: daysAgo(19), count: 5 })
    await asOwner(database, `update audit_log set action = 'report.read' where received_at between $1 and $2`, [
      daysAgo(21),
      daysAgo(18),
    ])
    await writePast(
      database,
      { stream: acme.id, from: daysAgo(80), to: daysAgo(70), count: 1_000 },
      { stream: acme.id, from: daysAgo(2), to: daysAgo(1), count: 2_100 },
    )
    // Of one action alone there, PostgreSQL would take all that is asked for.
    await asOwner(
      database,
      `update audit_log set action = 'document.' || stream_seq % 50 where received_at < now() - interval '65 days'`,
    )
    const list = async () =>
      await listEvents(db, everything, RecordedEventQuery.parse({ tenant_id: acme.id, action: 'report.*' }))
    // That they are not near is known afterwards.
    expect((await list()).data).toHaveLength(5)
    const asked = vi.spyOn(Client.prototype, 'query')
    await list()
    const statements = asked.mock.calls
      .map(([sent]) => sent as unknown as { text?: string; values?: unknown[] })
      .filter(({ text }) => text?.includes('from audit_log'))
    asked.mockRestore()
    expect(statements).toHaveLength(2)
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    await owner.query('analyze audit_log; set enable_sort = off; set plan_cache_mode = force_generic_plan')
    const reads: number[] = []
    for (const { text = '', values = [] } of statements) {
      const { rows } = await owner.query(`explain (analyze, format json) ${text}`, values)
      const nodes = nodesOf(rows).filter((node) => node['Relation Name']?.startsWith('audit_log_'))
      reads.push(...nodes.map((node) => (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)))
    }
    await owner.end()
    expect(Math.max(...reads)).toBeLessThan(100)
  })

  it('leaves out all that came in before any plan keeps it that a tenant is on, and no more', async () => {
    await saveRetention(db, catalogue)
    const floor = async () => {
      const [row] = await asOwner<{ days: number }>(
        database,
        `select extract(day from now() - registry.audit_floor('certifai'))::integer as days`,
      )
      return row?.days
    }
    expect(await floor()).toBe(90)
    await asOwner(database, `update tenants set plan = 'starter' where id = $1`, [acme.id])
    expect(await floor()).toBe(30)
    await asOwner(
      database,
      `insert into tenant_products (tenant_id, product, limits) values ($1, 'certifai', '{"audit_retention_days": 45}')`,
      [acme.id],
    )
    expect(await floor()).toBe(45)
  })

  it('is not looked at, where what is kept fills the page', async () => {
    await saveRetention(db, catalogue)
    const partition = `audit_log_${dateOf(monthOf(4)).slice(0, 7).replace('-', '_')}`
    await writePast(database, { stream: globex.id, from: middleOf(4), count: 200 })
    await writePast(database, { stream: globex.id, from: daysAgo(1), count: 60 })
    const asked = vi.spyOn(Client.prototype, 'query')
    await listEvents(db, everything, RecordedEventQuery.parse({}))
    const statements = asked.mock.calls
      .map(([sent]) => sent as unknown as { text?: string; values?: unknown[] })
      .filter(({ text }) => text?.includes('from audit_log'))
    asked.mockRestore()
    expect(statements).not.toEqual([])
    for (const { text = '', values = [] } of statements) {
      const plan = await asOwner<object>(database, `explain (analyze, format json) ${text}`, values)
      const read = nodesOf(plan).filter((node) => node['Relation Name'] === partition)
      expect(
        read.map((node) => (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)).filter(Boolean),
      ).toEqual([])
    }
  })

  it('is looked for in whole months, so that nobody walks past all that came later in the first of them', async () => {
    for (const days of [400, 100, 45]) {
      await asOwner(database, `truncate registry.audit_retention`)
      await asOwner(
        database,
        `insert into registry.audit_retention (product, plan, days) values ('certifai', '', $1)`,
        [days],
      )
      const [horizon] = await asOwner<{ at: Date }>(database, `select registry.audit_horizon() as at`)
      const at = horizon?.at ?? new Date()
      const asked = vi.spyOn(Client.prototype, 'query')
      await listEvents(db, everything, RecordedEventQuery.parse({}))
      const values = asked.mock.calls.flatMap(([sent]) => (sent as unknown as { values?: unknown[] }).values ?? [])
      asked.mockRestore()
      // Of 45 days the month after is this one or the one before.
      expect(values).toContain(
        `${dateOf(new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1)))} 00:00:00+00`,
      )
    }
  })

  it('leaves no page larger than others, where what is kept by all and what only some keep come together', async () => {
    await saveRetention(db, catalogue)
    const { id } = await aTenant(db, { slug: 'initech', status: 'active', plan: 'professional' })
    await writePast(
      database,
      { stream: id, from: daysAgo(12), to: daysAgo(10), count: 5 },
      { stream: id, from: daysAgo(72), to: daysAgo(70), count: 5 },
    )
    await asOwner(
      database,
      `update audit_log set description = repeat('x', 1500000) where stream_id = $1 and action = 'document.read'`,
      [id],
    )
    const pages: number[] = []
    let cursor: string | undefined
    do {
      const query = { tenant_id: id, action: 'document.read', ...(cursor !== undefined && { cursor }) }
      const page = await listEvents(db, everything, RecordedEventQuery.parse(query))
      pages.push(page.data.length)
      expect(page.data.every(({ description }) => description?.length === 1_500_000)).toBe(true)
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
    // Up to the one with which there are eight million.
    expect(pages).toEqual([6, 4])
  })

  it('is over by what was agreed with the tenant, whatever the plan says', async () => {
    await saveRetention(db, catalogue)
    await agree()
    expect([await seen(everything, acme, 'certifai'), await seen(everything, globex, 'certifai')]).toEqual([4, 7])
    expect(await seen(everything, globex, 'compliance')).toBe(4)
  })

  it('is readable for the platform alone under a legal hold', async () => {
    await saveRetention(db, catalogue)
    await placeLegalHold(db, testActor, globex.id, { reason: 'lawsuit' })
    expect(await seen(everything, globex)).toBe(14)
    expect(await seen({ kind: 'tenants', tenantIds: [globex.id] }, globex)).toBe(6)
    expect((await followed(everything, globex.id)).days).toHaveLength(14)
    expect((await followed(certifai, globex.id)).days).toEqual([1, 29])
  })

  it('is no more in the lists and exports of a product, by what is kept of each log', async () => {
    await saveRetention(db, catalogue)
    await agree()
    await writePast(database, ...[1, 29, 31].map((days) => ({ stream: randomUUID(), from: daysAgo(days) })))
    const products = async (sight: Sight) => [
      await seenOf(sight, { product: 'certifai', action: 'document.read' }),
      await seenOf(sight, { product: 'compliance', action: 'document.read' }),
    ]
    // Of a log that is no tenant's, what the product keeps without a plan.
    expect(await products(everything)).toEqual([4 + 7 + 2, 4 + 4])
    expect(await seenOf(certifai, { action: 'document.read' })).toBe(4 + 7 + 2)
    expect(await seenOf(everything, { action: 'document.read' })).toBe(4 + 7 + 2 + 4 + 4)
    await placeLegalHold(db, testActor, acme.id, { reason: 'lawsuit' })
    // A hold keeps no months that no plan keeps: of those one asks for the log that is held.
    expect(await products(everything)).toEqual([7 + 7 + 2, 4 + 4])
    expect(await seenOf(certifai, { action: 'document.read' })).toBe(4 + 7 + 2)
  })

  it('is not followed, and who follows goes on behind it', async () => {
    await saveRetention(db, catalogue)
    const gone = randomUUID()
    await writePast(database, { stream: gone, from: daysAgo(31) })
    for (const [tenant, all, its] of [
      [acme, 10, [1, 29, 31, 59, 61, 89]],
      [globex, 6, [1, 29]],
    ] as const) {
      const [head] = await asOwner<{ seq: number }>(
        database,
        'select last_seq::integer as seq from registry.audit_streams where stream_id = $1',
        [tenant.id],
      )
      const whole = await followed(everything, tenant.id)
      expect([whole.days.length, whole.next_after]).toEqual([all, head?.seq])
      const own = await followed(certifai, tenant.id)
      expect([own.days, own.next_after]).toEqual([its, head?.seq])
      // A part at a time, up to the end of what is kept.
      expect(await followed(certifai, tenant.id, '1')).toMatchObject({ has_more: true })
    }
    await expect(followed(everything, gone)).rejects.toMatchObject({ code: 'audit_stream.not_found' })
    const { data } = await listLogStreams(db, everything)
    expect(data.map(({ stream_id }) => stream_id as string)).toEqual(expect.arrayContaining([acme.id, globex.id]))
    expect(data.map(({ stream_id }) => stream_id as string)).not.toContain(gone)
  })

  it('stays over while servers take turns in saying it of which one does not know all products', async () => {
    await saveRetention(db, catalogue)
    const terms = async () => await asOwner(database, 'select * from registry.audit_retention order by product, plan')
    const said = await terms()
    for (const known of catalogue.products.values()) {
      expect(await saveRetention(db, createCatalogue([known]))).toBe(0)
    }
    expect(await terms()).toEqual(said)
    expect([await seen(everything, acme, 'compliance'), await seen(everything, acme, 'certifai')]).toEqual([4, 6])
    // Plans that a product has no more are none.
    const plain = createCatalogue([manifest('certifai', 'limits: { audit_retention_days: 30 }\n')])
    expect(await saveRetention(db, plain)).toBe(2)
    expect(await seen(everything, acme, 'certifai')).toBe(2)
  })

  it.each([4_000_000, 3_000_000_000, Number.MAX_SAFE_INTEGER])(
    'is nothing of a product that keeps its events for %i days',
    async (days) => {
      await saveRetention(db, catalogue)
      await saveRetention(db, createCatalogue([manifest('certifai', `limits: { audit_retention_days: ${days} }\n`)]))
      expect([await seen(everything, acme, 'certifai'), await seen(everything, globex)]).toEqual([7, 11])
      expect((await followed(everything, acme.id)).days).toHaveLength(11)
      const outcome = await createMigrator({ connectionString: database.ownerUrl }).auditRetention({ dryRun: true })
      expect(outcome.dropped).toEqual([])
    },
  )
})

describe('tenant-migrate audit-retention', () => {
  const ages = [4, 5, 6, 7]
  const stray = randomUUID()
  const names = ages.map((ago) => dateOf(monthOf(ago)).slice(0, 7)).toReversed()
  const migrator = () => createMigrator({ connectionString: database.ownerUrl })
  const partitions = async () =>
    (
      await asOwner<{ name: string }>(
        database,
        `select relname as name from pg_class where relname ~ '^audit_log_[0-9]{4}_[0-9]{2}$' and relname < $1 order by 1`,
        [`audit_log_${dateOf(monthOf(0)).slice(0, 7).replace('-', '_')}`],
      )
    ).map(({ name }) => name.slice(10).replace('_', '-'))
  const cuts = async () =>
    await asOwner(database, 'select stream_id, stream_seq::integer, chain_hash from registry.audit_cuts order by 1, 2')
  const rowOf = async (stream: string, seq: number) =>
    await asOwner(
      database,
      'select stream_id, stream_seq::integer, chain_hash from audit_log where stream_id = $1 and stream_seq = $2',
      [stream, seq],
    )
  const told = async () =>
    (
      await listEvents(
        db,
        everything,
        RecordedEventQuery.parse({ action: 'audit_log.month_dropped', product: 'tenant-registry' }),
      )
    ).data.map(({ target, fields }) => [target.id, fields])
  /** Everything has been said for long enough. */
  const sayForLong = async () => {
    await saveRetention(db, catalogue)
    await asOwner(database, `update registry.audit_retention set since = now() - interval '8 days'`)
  }

  beforeEach(async () => {
    await makeMonths(database, ...ages.map((ago) => dateOf(monthOf(ago))))
    for (const ago of ages.toReversed()) {
      await writePast(database, { stream: acme.id, from: monthOf(ago), to: middleOf(ago), count: 3 })
      await writePast(database, { stream: stray, product: 'compliance', from: middleOf(ago), count: 2 })
    }
  })

  it('drops what no plan keeps, writes down where the chains begin, and a server tells of it once', async () => {
    await sayForLong()
    const would = await migrator().auditRetention({ dryRun: true })
    expect(would).toMatchObject({
      busy: false,
      dropped: names.map((month) => ({ month, events: month ? 5 : 0, streams: 2 })),
    })
    expect(await partitions()).toEqual(names)
    expect(await cuts()).toEqual([])

    const last = [...(await rowOf(acme.id, 13)), ...(await rowOf(stray, 8))]
    const outcome = await migrator().auditRetention()
    expect(outcome).toEqual(would)
    expect(await partitions()).toEqual([])
    expect(await cuts()).toHaveLength(8)
    expect(await cuts()).toEqual(expect.arrayContaining(last))
    expect(await migrator().auditRetention()).toEqual({ dropped: [], busy: false })

    expect(await Promise.all([recordDrops(db, testActor), recordDrops(db, testActor)])).toEqual(
      expect.arrayContaining([4]),
    )
    expect(await recordDrops(db, testActor)).toBe(0)
    expect(await told()).toEqual(
      names.toReversed().map((month) => [month, { 'before.events': '5', 'before.streams': '2' }]),
    )
  })

  it.each([
    ['nothing is said', async () => {}, /nothing says how long events are kept/],
    [
      'a product keeps its events for ever',
      async () => {
        await saveRetention(db, createCatalogue([...catalogue.products.values(), manifest('eternal', '')]))
        await asOwner(database, `update registry.audit_retention set since = now() - interval '8 days'`)
        await writePast(database, { stream: randomUUID(), product: 'eternal', from: middleOf(7) })
      },
      /eternal keeps its events for ever/,
    ],
    [
      'a product keeps its events for ever and no other one says anything',
      async () => {
        await saveRetention(db, createCatalogue([manifest('eternal', '')]))
        await asOwner(database, `update registry.audit_retention set since = now() - interval '8 days'`)
      },
      /eternal keeps its events for ever/,
    ],
    ['it has been said for a moment only', async () => await saveRetention(db, catalogue), /less than 7 days/],
    [
      'there are events of a product of which nothing is said',
      async () => {
        await sayForLong()
        await writePast(database, { stream: randomUUID(), product: 'forgotten', from: middleOf(7) })
      },
      /nothing says how long the events of forgotten are kept/,
    ],
    [
      'more was agreed with a tenant',
      async () => {
        await sayForLong()
        await asOwner(
          database,
          `insert into tenant_products (tenant_id, product, limits) values ($1, 'certifai', '{"audit_retention_days": 1000}')`,
          [acme.id],
        )
      },
      /some are kept for 1000 days/,
    ],
  ])('drops nothing while %s', async (_, arrange, reason) => {
    await arrange()
    const outcome = await migrator().auditRetention()
    expect(outcome.dropped).toEqual([])
    expect(outcome.next).toEqual({ month: names[0], reason: expect.stringMatching(reason) as string })
    expect(await partitions()).toEqual(names)
    expect(await cuts()).toEqual([])
  })

  it('drops the months in which a product that keeps its events for ever has none, also when no manifest names it', async () => {
    await saveRetention(db, createCatalogue([...catalogue.products.values(), manifest('eternal', '')]))
    await sayForLong()
    await writePast(database, { stream: randomUUID(), product: 'eternal', from: middleOf(5) })
    const { dropped, next } = await migrator().auditRetention()
    expect(dropped.map(({ month }) => month)).toEqual(names.slice(0, 2))
    expect(next).toEqual({
      month: names[2],
      reason: expect.stringMatching(/eternal keeps its events for ever/) as string,
    })
  })

  it('leaves the month of a held stream and all after it, so that no chain has a hole', async () => {
    await sayForLong()
    // It has no events before this month.
    await writePast(database, { stream: globex.id, from: middleOf(6) })
    await placeLegalHold(db, testActor, globex.id, { reason: 'lawsuit' })
    const outcome = await migrator().auditRetention()
    expect(outcome.dropped.map(({ month }) => month)).toEqual([names[0]])
    expect(outcome.next).toEqual({ month: names[1], reason: `stream ${globex.id} is under a legal hold` })
    expect(await partitions()).toEqual(names.slice(1))
    await liftLegalHold(db, testActor, globex.id)
    expect((await migrator().auditRetention()).dropped.map(({ month }) => month)).toEqual(names.slice(1))
  })

  it('is done once by two that do it at once', async () => {
    await sayForLong()
    const outcomes = await Promise.all([migrator().auditRetention(), migrator().auditRetention()])
    expect(outcomes.flatMap(({ dropped }) => dropped.map(({ month }) => month)).toSorted()).toEqual(names)
    expect(await partitions()).toEqual([])
  })

  it('goes on after a kill in the middle, with nothing lost and nothing told twice', { timeout: 60_000 }, async () => {
    await sayForLong()
    // A reader of the log that takes its time: the partition is detached when it is done.
    const reader = new Client({ connectionString: database.ownerUrl })
    await reader.connect()
    await reader.query('begin; select count(*) from audit_log')
    const command = start(['audit-retention', '--json'], { DATABASE_URL: database.ownerUrl })
    const pending = async () => (await asOwner(database, 'select from pg_inherits where inhdetachpending')).length
    await expect.poll(pending, { timeout: 15_000 }).toBe(1)
    command.process.kill('SIGKILL')
    await command.ended
    // The back end of who was killed notices it, or is at its end soon.
    await reader.query('rollback')
    await reader.end()
    await expect
      .poll(
        async () =>
          await asOwner(
            database,
            `select from pg_stat_activity where datname = current_database() and application_name = 'tenant-migrate'`,
          ),
        { timeout: 30_000 },
      )
      .toEqual([])
    const outcome = await migrator().auditRetention()
    expect(outcome.next).toBeUndefined()
    expect(await partitions()).toEqual([])
    expect(await recordDrops(db, testActor)).toBe(4)
    expect(await told()).toHaveLength(4)
    expect(await cuts()).toHaveLength(8)
  })

  it('gives a month back to the log when a hold is put on it after it was detached', async () => {
    await sayForLong()
    const [first = ''] = names
    const table = `registry.audit_log_${first.replace('-', '_')}`
    // As a run leaves it that is killed in between.
    await asOwner(database, `insert into registry.audit_drops (month, events, streams) values ('${first}-01', 5, 2)`)
    await asOwner(
      database,
      `insert into registry.audit_cuts (stream_id, stream_seq, chain_hash, received_at)
       select distinct on (stream_id) stream_id, stream_seq, chain_hash, received_at from ${table} order by stream_id, stream_seq desc`,
    )
    await asOwner(database, `alter table audit_log detach partition ${table} concurrently`)
    await placeLegalHold(db, testActor, acme.id, { reason: 'lawsuit' })
    const outcome = await migrator().auditRetention()
    expect(outcome).toMatchObject({ dropped: [], next: { month: first } })
    expect(await rowOf(acme.id, 4)).toHaveLength(1)
    expect(await cuts()).toEqual([])
    expect(await asOwner(database, 'select from registry.audit_drops')).toEqual([])
    await liftLegalHold(db, testActor, acme.id)
    expect((await migrator().auditRetention()).dropped).toHaveLength(4)
  })
})

describe('the coming months', () => {
  it(
    'are made once by replicas that find them missing together, also with a writer in the way',
    { timeout: 60_000 },
    async () => {
      const ahead = monthOf(-12)
      await asOwner(database, `drop table registry.audit_log_${dateOf(ahead).slice(0, 7).replace('-', '_')}`)
      expect(await countPartitionsAhead(db)).toBe(11)
      let release = () => {}
      const mayEnd = new Promise<void>((resolve) => (release = resolve))
      // Attaching a partition waits for who writes tenants.
      const writer = new Client({ connectionString: database.ownerUrl })
      await writer.connect()
      await writer.query('begin')
      await writer.query('lock table tenants in row exclusive mode')
      const ended = mayEnd.then(async () => {
        await writer.query('rollback')
        await writer.end()
      })
      setTimeout(release, 3_000)
      const made = await Promise.all(Array.from({ length: 4 }, async () => await ensureAuditPartitions(db)))
      await ended
      expect(made.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 1])
      expect(await countPartitionsAhead(db)).toBe(12)
    },
  )
})
