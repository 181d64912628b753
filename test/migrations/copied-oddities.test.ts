import {
  createDb,
  type Db,
  EventExportQuery,
  exportEvents,
  type Finding,
  listEvents,
  listEventsJson,
  scriptActor,
  TenantId,
  verifyLog,
} from '@breakpilot/tenant-core'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { emptyDatabase, type TestDatabase } from '../postgres/database.ts'

const tenant = TenantId.parse('00000000-0000-0000-0000-0000000000aa')
const actor = scriptActor('auditor')
let database: TestDatabase
let owner: Client
let db: Db

// Rows of the log before this one, which had no rules: maps of anything, and times that RFC 3339 cannot write.
const times = [
  '0044-03-15 12:00:00+00 BC',
  '2025-11-01 12:00:00+00',
  '9999-12-31 23:59:59.999+00',
  '10000-01-01 00:00:00+00',
  '12345-06-07 08:09:10.123+00',
  '275760-09-12 00:00:00+00',
]
const spelled = [
  '-000043-03-15T12:00:00.000Z',
  '2025-11-01T12:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '+010000-01-01T00:00:00.000Z',
  '+012345-06-07T08:09:10.123Z',
  '+275760-09-12T00:00:00.000Z',
]
const odd = { n: null, list: [1, 'one', null], deep: { 10: 'ten', 9: { nine: '9' } }, long: 'a/b_c@d.e '.repeat(7_000) }

beforeAll(async () => {
  database = await emptyDatabase()
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  await createMigrator({ connectionString: database.ownerUrl }).up({ to: 2 })
  await owner.query(`insert into tenants (id, slug, name, plan) values ($1, 'acme', 'Acme', 'professional')`, [tenant])
  const insert = `insert into audit_log (tenant_id, product, action, crud, fields, created_at, received_at)
    values ($1, 'certifai', 'report.opened.Über', 'r', $2, $3, '2025-11-20 12:00:00+00')`
  for (const at of times) await owner.query(insert, [tenant, odd, at])
  await createMigrator({ connectionString: database.ownerUrl, runtimeRole: database.runtimeRole }).up()
  db = createDb({ connectionString: database.runtimeUrl })
})
afterAll(async () => {
  await db.destroy()
  await owner.end()
  await database.drop()
})

it('a verification finds nothing in copied rows, also not in what they are found by, but where it was edited', async () => {
  const found: Finding[] = []
  const { rows } = await verifyLog(db, { search: true, report: (each) => found.push(each) })
  expect({ rows, found }).toEqual({ rows: times.length, found: [] })
  await owner.query(`update audit_log set search = search || to_tsvector('simple', 'more') where stream_seq = 3`)
  await verifyLog(db, { search: true, report: (each) => found.push(each) })
  expect(found).toMatchObject([{ code: 'search_edited', stream_id: tenant, stream_seq: 3 }])
})

it('every page of a list has its events, whatever time they say', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listEvents(db, actor.sight, { tenant_id: tenant, limit: 1, ...(cursor && { cursor }) })
    const json = JSON.parse(
      await listEventsJson(db, actor.sight, { tenant_id: tenant, limit: 1, ...(cursor && { cursor }) }),
    ) as { data: { canonical_at: string }[] }
    expect(json.data.map((event) => event.canonical_at)).toEqual(
      page.data.map((event) => event.canonical_at.toISOString()),
    )
    seen.push(...json.data.map((event) => event.canonical_at))
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  expect(seen).toEqual(spelled.toReversed())
})

it.each(['oldest_first', 'newest_first'] as const)(
  'so has an export, %s, and goes on after each of them',
  async (order) => {
    const exported = async (cursor?: string) => {
      const query = EventExportQuery.parse({ tenant_id: tenant, format: 'ndjson', order, ...(cursor && { cursor }) })
      let text = ''
      for await (const chunk of (await exportEvents(db, actor, query)).chunks) text += chunk
      const events = text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { canonical_at: string; cursor: string; product: string })
      // The export itself is told of in the log.
      return events.filter(({ product }) => product === 'certifai')
    }
    const expected = order === 'oldest_first' ? spelled : spelled.toReversed()
    const whole = await exported()
    expect(whole.map((event) => event.canonical_at)).toEqual(expected)
    for (const [at, { cursor }] of whole.entries()) {
      expect((await exported(cursor)).map((event) => event.canonical_at)).toEqual(expected.slice(at + 1))
    }
  },
)

it('a time that is none any more ends nothing', async () => {
  await owner.query(`update audit_log set canonical_at = 'infinity', created_at = '-infinity' where stream_seq = 2`)
  await owner.query(`update audit_log set canonical_at = '280000-01-01' where stream_seq = 1`)
  for (const order of ['oldest_first', 'newest_first'] as const) {
    const query = EventExportQuery.parse({ tenant_id: tenant, product: 'certifai', format: 'csv', order })
    let text = ''
    for await (const chunk of (await exportEvents(db, actor, query)).chunks) text += chunk
    expect(text.match(/report\.opened/g)).toHaveLength(times.length)
  }
})
