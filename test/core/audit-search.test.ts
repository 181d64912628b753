import {
  appendEvents,
  createDb,
  type Db,
  everything,
  housekeeping,
  listEvents,
  type NewAuditEvent,
  placeLegalHold,
  type Reader,
  RecordedEventQuery,
  type Sight,
  type Tenant,
  TenantChanges,
  updateTenant,
} from '@breakpilot/tenant-core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { conditionOf } from '../../packages/core/src/audit/search-conditions.ts'
import { parseSearch } from '../../packages/core/src/audit/search-language.ts'
import { boundedRead } from '../../packages/core/src/db/bounded-read.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db
let acme: Tenant
let own: Sight

/** What products recorded, each known by its description's first word. */
const recorded: readonly (Omit<NewAuditEvent, 'tenant_id' | 'environment' | 'crud' | 'product'> &
  Partial<Pick<NewAuditEvent, 'crud' | 'product'>>)[] = [
  {
    action: 'report.read',
    description: 'one: the quarterly figures',
    actor: { id: 'jane', name: 'Jane Doe' },
    target: { id: 'r-1', name: 'Quarterly report', type: 'report' },
    created_at: new Date('2026-01-01T10:00:00Z'),
    source_ip: '192.0.2.7',
    fields: [
      ['record_id', '7, 8'],
      ['quality', 'good'],
    ],
    is_failure: false,
  },
  {
    action: 'report.read.denied',
    description: 'two: nobody may',
    actor: { id: 'joe', name: 'Joe' },
    target: { id: 'r-2', type: 'report' },
    created_at: new Date('2026-01-02T10:00:00Z'),
    is_failure: true,
    external_id: 'x-2',
  },
  {
    action: 'reporting.begun',
    description: "three: don't panic, it's a test of (parentheses) and \\ signs",
    product: 'compliance',
    crud: 'c',
    created_at: new Date('2026-01-03T10:00:00Z'),
    fields: [['__proto__', 'polluted']],
    metadata: [['trace', 'deadbeefcafe']],
    component: 'worker',
    version: '1.2.3',
  },
  {
    action: 'Mixed.Case',
    description: 'four jane@acme.example',
    is_anonymous: true,
    crud: 'd',
    created_at: new Date('2026-01-04T10:00:00Z'),
    group: { id: 'g-4', name: 'The fourth' },
  },
]

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  acme = await aTenant(db, { slug: 'acme', name: 'Acme', status: 'active', plan: 'starter' })
  own = { kind: 'tenants', tenantIds: [acme.id] }
  const actor = {
    ...testActor,
    id: 'operator-jane',
    name: 'Operator Jane',
    source_ip: '192.0.2.9',
    request_id: 'req-77',
  }
  await updateTenant(
    db,
    actor,
    testCatalogue,
    acme.id,
    TenantChanges.parse({ name: 'Acme Inc.', sales_owner: 'hidden-owner' }),
  )
  await placeLegalHold(db, actor, acme.id, { reason: 'hidden-lawsuit' })
  const events = recorded.map((event): NewAuditEvent => {
    return { product: 'certifai', crud: 'r', ...event, tenant_id: acme.id, environment: 'live' }
  })
  await housekeeping(db, async (tx) => await appendEvents(tx, events))
  // The same words in another log.
  const other = await aTenant(db, { slug: 'other', name: 'Other' })
  await housekeeping(
    db,
    async (tx) =>
      await appendEvents(tx, [
        {
          tenant_id: other.id,
          product: 'certifai',
          environment: 'live',
          action: 'report.read',
          crud: 'r',
          description: 'five: quarterly',
        },
      ]),
  )
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

async function search(sight: Sight, q: string, more: Partial<Record<'tenant_id' | 'product', string>> = {}) {
  return (await listEvents(db, sight, RecordedEventQuery.parse({ q, limit: '200', ...more }))).data
}

/** The first words of what is found: of the registry's own events their actions. */
const found = async (sight: Sight, q: string, more?: Parameters<typeof search>[2]) =>
  (await search(sight, q, more)).map(({ description, action }) => description?.split(/[: ]/)[0] ?? action).toSorted()

describe('what products recorded is found', () => {
  it.each<[string, string[]]>([
    ['quarterly', ['five', 'one']],
    ['QUARTERLY', ['five', 'one']],
    ['quarter', []],
    ['quart*', ['five', 'one']],
    ['"quarterly figures"', ['one']],
    ['"figures quarterly"', []],
    ['figures quarterly', ['one']],
    ['report.read', ['five', 'one']],
    ['report.read.denied', ['two']],
    ['report', ['one', 'two']],
    ['mixed.case', ['four']],
    ["don't", ['three']],
    ['"(parentheses)"', ['three']],
    ["it's*", ['three']],
    ['deadbeefcafe', ['three']],
    ['192.0.2.7', ['one']],
    ['192.0.2', []],
    ['1.2.3', ['three']],
    ['status:panic', ['three']],
    ['action:report.read', ['five', 'one']],
    ['action:report.read*', ['five', 'one', 'two']],
    ['action:report*,Mixed.Case', ['five', 'four', 'one', 'three', 'two']],
    ['action:mixed.case', []],
    ['action:report.* -crud:r', []],
    ['crud:c,d product:certifai,compliance', ['four', 'three']],
    ['actor.id:jane', ['one']],
    ['actor.id:jane,joe', ['one', 'two']],
    ['actor.id:jan', []],
    ['actor.name:doe', ['one']],
    ['target.name:quarterly', ['one']],
    ['target.type:report -is_failure:true', ['one']],
    ['description:quarterly', ['five', 'one']],
    ['group.id:g-4', ['four']],
    ['group.name:fourth', ['four']],
    ['external_id:x-2', ['two']],
    ['component:worker version:1.2.3', ['three']],
    ['source_ip:192.0.2.7', ['one']],
    ['is_failure:true', ['two']],
    ['is_failure:false', ['one']],
    ['is_anonymous:true', ['four']],
    ['product:certifai -is_failure:true -is_failure:false', ['five', 'four']],
    ['fields.quality:good', ['one']],
    ['fields.record_id:8', ['one']],
    ['fields.record_id:"7, 8"', ['one']],
    ['fields.record_id:9', []],
    ['fields.quality:8', []],
    ['fields.__proto__:polluted', ['three']],
    ['fields.constructor:x', []],
    ['created:2026-01-02,2026-01-03T10:00:00Z', ['two']],
    ['created:2026-01-03T10:00:00Z,', ['four', 'three']],
    ['created:,2026-01-02T11:00:00+01:00', ['one']],
    ['received:,2026-01-02', []],
    ['(actor.id:jane OR actor.id:joe) is_failure:true', ['two']],
    ['actor.id:jane OR is_anonymous:true', ['four', 'one']],
    ['product:certifai NOT (report OR five)', ['four']],
    ["%' or true --", []],
    ['actor.id:"\' or 1=1 --"', []],
    ['Mixed.Case & four', ['four']],
    ['product:certifai,compliance 0*', []],
    ['product:certifai,compliance 01*', []],
    ['product:certifai,compliance 192.0.2*', ['one']],
    ['jane@ac*', ['four']],
    ['jane@acme.exam*', ['four']],
    ['acme.ex*', []],
    ['1.2*', ['three']],
    ['report.re*', ['five', 'one', 'two']],
    ['REPORT.READ.d*', ['two']],
    ['a<->b* OR four', ['four']],
    ["it's a te*", ['three']],
    [`${'é'.repeat(1_800)}*`, []],
  ])('%s', async (q, expected) => {
    expect(await found(everything, q)).toEqual(expected)
    expect(await found(everything, q, { tenant_id: acme.id })).toEqual(expected.filter((each) => each !== 'five'))
    // Of what products recorded a tenant's people see everything of their own.
    expect(await found(own, q)).toEqual(expected.filter((each) => each !== 'five'))
  })

  it('by nothing at all: everything', async () => {
    expect(await found(everything, ' ')).toEqual(await found(everything, 'crud:'))
    expect((await found(everything, '')).length).toBeGreaterThanOrEqual(9)
  })
})

describe('what the registry did', () => {
  it.each<[string, string[], string[]]>([
    ['operator-jane', ['legal_hold.placed', 'tenant.updated'], []],
    ['actor.id:operator-jane', ['legal_hold.placed', 'tenant.updated'], []],
    ['actor.name:operator', ['legal_hold.placed', 'tenant.updated'], []],
    ['source_ip:192.0.2.9', ['legal_hold.placed', 'tenant.updated'], []],
    ['req-77', ['legal_hold.placed', 'tenant.updated'], []],
    ['hidden-owner', ['tenant.updated'], []],
    ['hid*', ['legal_hold.placed', 'tenant.updated'], []],
    ['fields.after.sales_owner:hidden-owner', ['tenant.updated'], []],
    ['"Acme Inc."', ['legal_hold.placed', 'tenant.updated'], ['tenant.updated']],
    ['tenant.updated', ['tenant.updated'], ['tenant.updated']],
    ['action:tenant.* group.name:"Acme Inc."', ['tenant.updated'], ['tenant.updated']],
  ])('%s is found by the platform, and by others as far as they see it', async (q, platform, others) => {
    expect(await found(everything, q, { product: 'tenant-registry' })).toEqual(platform)
    expect(await found(own, q, { product: 'tenant-registry' })).toEqual(others)
  })

  it.each([
    'hidden-owner',
    'operator-jane',
    'hidden-lawsuit',
    'req-77',
    'actor.id:operator-jane',
    'fields.after.sales_owner:hidden-owner',
  ])('does not say what it hides by what is not there: NOT %s', async (q) => {
    expect(await found(own, `product:tenant-registry NOT ${q}`)).toEqual(await found(own, 'product:tenant-registry'))
  })
})

describe('what only the platform sees', () => {
  it('is not found by what stands next to it', async () => {
    const spied = await aTenant(db, { slug: 'spied', name: 'Acme J', status: 'active', plan: 'starter' })
    for (const name of ['Jane', 'Kim', 'Acme']) {
      const changes = TenantChanges.parse({ sales_owner: name })
      await updateTenant(db, { ...testActor, id: 'x', name }, testCatalogue, spied.id, changes)
    }
    const their: Sight = { kind: 'tenants', tenantIds: [spied.id] }
    const count = (await search(their, 'action:tenant.updated')).length
    expect(count).toBe(3)
    // In the whole text the actor's name stands between the group's and the id of the target, which is the tenant's.
    const beginning = spied.id.slice(0, 8)
    for (const [q, times] of [
      [`"j ${spied.id}"`, count],
      [`j,${beginning}*`, count],
      [`"acme ${spied.id}"`, 0],
      [`"kim ${spied.id}"`, 0],
      [`k,${beginning}*`, 0],
    ] as const) {
      expect(await search(their, `action:tenant.updated ${q}`), q).toHaveLength(times)
      expect(await search(their, `action:tenant.updated NOT ${q}`), q).toHaveLength(count - times)
    }
  })
})

it('a dotted name with a number behind it is a word of its own, also where both stand in one text', async () => {
  const { id: tenant_id } = await aTenant(db, { slug: 'jobs', name: 'Jobs' })
  const common = { tenant_id, product: 'certifai', environment: 'live', crud: 'r' } as const
  const events = [
    { ...common, action: 'job.run', description: 'plain' },
    { ...common, action: 'job.run-1', description: 'first' },
    { ...common, action: 'job.run-1-2', description: 'second' },
    { ...common, action: 'job.listed', description: 'both job.run-1 and job.run' },
  ]
  await housekeeping(db, async (tx) => await appendEvents(tx, events))
  for (const sight of [everything, { kind: 'tenants', tenantIds: [tenant_id] } as const]) {
    expect(await found(sight, 'job.run', { tenant_id })).toEqual(['both', 'plain'])
    expect(await found(sight, 'job.run-1', { tenant_id })).toEqual(['both', 'first'])
    expect(await found(sight, 'job.run-1-2', { tenant_id })).toEqual(['second'])
    expect(await found(sight, 'job.run-2', { tenant_id })).toEqual([])
    expect(await found(sight, 'job.run*', { tenant_id })).toEqual(['both', 'first', 'plain', 'second'])
    expect(await found(sight, 'action:job.run', { tenant_id })).toEqual(['plain'])
    expect(await found(sight, '"job.run"', { tenant_id })).toEqual(['both', 'plain'])
    expect(await found(sight, 'description:job.run', { tenant_id })).toEqual(['both'])
  }
})

it('so is one with underscores; a mere number is found also before one below zero', async () => {
  const { id: tenant_id } = await aTenant(db, { slug: 'places', name: 'Places' })
  const common = { tenant_id, product: 'certifai', environment: 'live', crud: 'r' } as const
  const events = [
    { ...common, action: 'night_job.run', description: 'plain' },
    { ...common, action: 'night_job.run-1', description: 'first' },
    { ...common, action: 'place.seen', description: 'place 40.7128 -74.006' },
    { ...common, action: 'place.seen', description: 'joined 40.7128,-74.006' },
  ]
  await housekeeping(db, async (tx) => await appendEvents(tx, events))
  for (const sight of [everything, { kind: 'tenants', tenantIds: [tenant_id] } as const]) {
    expect(await found(sight, 'night_job.run', { tenant_id })).toEqual(['plain'])
    expect(await found(sight, 'night_job.run-1', { tenant_id })).toEqual(['first'])
    expect(await found(sight, '40.7128', { tenant_id })).toEqual(['joined', 'place'])
    expect(await found(sight, 'description:40.7128', { tenant_id })).toEqual(['joined', 'place'])
  }
})

it('the index is not asked for the numbers that may not stand behind a dotted name: it would read all of them', async () => {
  for (const sight of [
    everything,
    { kind: 'tenants', tenantIds: [acme.id] },
    { kind: 'product', product: 'certifai' },
  ]) {
    for (const q of ['job.run', 'job.run other', '"job.run"', 'job.run quart*', 'job.run "two words"']) {
      const search = parseSearch(q)
      const asked = await db.transaction().execute(async (tx) => {
        await sql`set local enable_seqscan = off`.execute(tx)
        const text = sql`select id from audit_log where ${search && conditionOf(sight as Sight, search)}`
        const { rows } = await sql<{ 'QUERY PLAN': string }>`explain ${text}`.execute(tx)
        return rows.map((row) => row['QUERY PLAN']).filter((line) => line.includes('Index Cond'))
      })
      expect(asked.length, q).toBeGreaterThan(0)
      expect(
        asked.filter((line) => line.includes('!')),
        q,
      ).toEqual([])
    }
  }
})

it('an event that cannot be read as text, or not as words, keeps nobody from finding the others', async () => {
  const { id: tenant_id } = await aTenant(db, { slug: 'odd', name: 'Odd' })
  const words = Array.from({ length: 200_000 }, (_, n) => `w${n}`).join(' ')
  const common = { tenant_id, product: 'certifai', environment: 'live', crud: 'r' } as const
  await housekeeping(
    db,
    async (tx) =>
      await appendEvents(tx, [
        { ...common, action: 'odd.one', description: 'whole', fields: [['x', 'good']] },
        { ...common, action: 'odd.half', description: 'half', fields: [['x', 'a\ud800b']] },
        { ...common, action: 'odd.long', description: `long ${words}`, fields: [['x', 'good']] },
        // Written as JSON each of them has what could be half a pair, and is none.
        {
          ...common,
          action: 'even.path',
          description: 'path',
          fields: [
            ['n', '7'],
            ['file', String.raw`C:\udata`],
            ['share', String.raw`\\\u0000`],
          ],
        },
        // And this is one, behind what is none.
        {
          ...common,
          action: 'even.half',
          description: 'both',
          fields: [
            ['n', '7'],
            ['x', '\\\ud800'],
          ],
        },
      ]),
  )
  expect(await found(everything, 'action:odd.* fields.x:good')).toEqual(['long', 'whole'])
  expect(await found(everything, 'fields.n:7', { tenant_id })).toEqual(['path'])
  expect(await found(everything, 'action:odd.* NOT fields.x:good')).toEqual(['half'])
  expect(await found(everything, 'description:w17', { tenant_id })).toEqual(['long'])
  expect(await found({ kind: 'tenants', tenantIds: [tenant_id] }, 'w17 description:long')).toEqual(['long'])
})

it(
  'an event whose words PostgreSQL alone would look for minutes long is recorded and found',
  { timeout: 30_000 },
  async () => {
    const { id: tenant_id } = await aTenant(db, { slug: 'slow', name: 'Slow' })
    const common = { tenant_id, product: 'certifai', environment: 'live', crud: 'r', action: 'slow.one' } as const
    const patterns = ['a_', '@1e', '/~', '<!--', `<a b='&`]
    const events = patterns.map((pattern, n) => ({
      ...common,
      description: `slow: no${n} jane@acme.example ${pattern.repeat(60_000 / pattern.length)} end`,
    }))
    await housekeeping(db, async (tx) => await appendEvents(tx, events))
    for (const q of ['no3', 'description:no3', 'jane@acme.example no3 end', 'description:"no3 jane@acme.example"']) {
      expect(await search(everything, q, { tenant_id }), q).toHaveLength(1)
    }
    expect(await search(everything, 'description:"john@acme.example"', { tenant_id })).toEqual([])
  },
)

it('what stands together and is long or has many signs is found as it was written', async () => {
  const { id: tenant_id } = await aTenant(db, { slug: 'long', name: 'Long' })
  const common = { tenant_id, product: 'certifai', environment: 'live', crud: 'r', action: 'long.one' } as const
  const texts = [
    'https://acme.example/a/b/c/d/e/f/g/h_i_j_k?to=jane@acme.example',
    'x'.repeat(700),
    Buffer.from('?~'.repeat(400)).toString('base64url'),
  ]
  const events = texts.map((description) => ({ ...common, description }))
  await housekeeping(db, async (tx) => await appendEvents(tx, events))
  for (const text of texts) {
    for (const q of [text, `"${text}"`, `description:"${text}"`]) {
      const found = await search(everything, q, { tenant_id })
      expect(
        found.map(({ description }) => description),
        q,
      ).toEqual([text])
    }
  }
})

it('a search that takes too long is ended by PostgreSQL, and its caller is told to come back', async () => {
  const slow = boundedRead(
    db,
    50,
    async (reader) =>
      await reader
        .selectFrom(sql`pg_sleep(60)`.as('slow'))
        .selectAll()
        .execute(),
  )
  await expect(slow).rejects.toMatchObject({ code: 'database.busy' })
  const { rows } =
    await sql`select from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()`.execute(
      db,
    )
  expect(rows).toEqual([])
})

it.each(['freely', 'in_order'] as const)(
  'what is read %s is not compiled, whatever PostgreSQL can do',
  async (planning) => {
    const jit = async (reader: Reader) =>
      await reader
        .selectFrom(sql`(select current_setting('jit') as jit)`.as('settings'))
        .select(sql<string>`settings.jit`.as('jit'))
        .execute()
    expect(await boundedRead(db, 1_000, jit, planning)).toEqual([{ jit: 'off' }])
  },
)

it('whatever is asked, it or its opposite holds of every event', async () => {
  const term = fc.constantFrom(
    'quarterly',
    'rep*',
    '"a test"',
    'action:report*',
    'crud:r,c',
    'actor.id:jane',
    'actor.name:doe',
    'is_failure:true',
    'fields.quality:good',
    'created:2026-01-02,',
    'description:nobody',
    'source_ip:192.0.2.7',
  )
  const { query } = fc.letrec<{ query: string; both: string }>((tie) => ({
    query: fc.oneof({ maxDepth: 3 }, term, tie('both')),
    both: fc
      .tuple(tie('query'), fc.constantFrom(' ', ' OR ', ' NOT '), tie('query'))
      .map(([one, joint, other]) => `(${one}${joint}${other})`),
  }))
  for (const sight of [everything, own]) {
    const count = (await search(sight, '')).length
    await fc.assert(
      fc.asyncProperty(query, async (q) => {
        const [it, opposite] = [await search(sight, q), await search(sight, `NOT ${q}`)]
        expect(new Set([...it, ...opposite].map(({ id }) => id)).size).toBe(count)
        expect(it.length + opposite.length).toBe(count)
      }),
      { numRuns: 60 },
    )
  }
})

it('whatever is written, PostgreSQL can read what becomes of it', async () => {
  const piece = fc.constantFrom(
    '"',
    "'",
    '\\',
    '*',
    ':',
    '&',
    '|',
    '!',
    '<->',
    '(',
    ')',
    '-',
    '$1',
    '%',
    'action:',
    'fields.a:',
    'x',
    ' ',
  )
  const written = fc
    .array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 })
    .map((parts) => parts.join(''))
  for (const sight of [everything, own]) {
    await fc.assert(
      fc.asyncProperty(written, async (q) => {
        try {
          await search(sight, q, { tenant_id: acme.id })
        } catch (error) {
          expect(error).toMatchObject({ code: 'audit_search.invalid' })
        }
      }),
      { numRuns: 200 },
    )
  }
})

it('pages go through all that is found, each event once', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listEvents(
      db,
      everything,
      RecordedEventQuery.parse({ q: 'action:report*', limit: '2', ...(cursor && { cursor }) }),
    )
    seen.push(...page.data.map(({ id }) => id))
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  expect(seen).toEqual((await search(everything, 'action:report*')).map(({ id }) => id))
  expect(new Set(seen).size).toBe(4)
  const { next_cursor } = await listEvents(
    db,
    everything,
    RecordedEventQuery.parse({ q: 'action:report*', limit: '2' }),
  )
  const another = RecordedEventQuery.parse({ q: 'action:report.read', limit: '2', cursor: next_cursor ?? '' })
  await expect(listEvents(db, everything, another)).rejects.toMatchObject({ code: 'page.cursor_invalid' })
})
