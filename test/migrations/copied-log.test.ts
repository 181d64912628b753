import { chainHash, createDb, genesisHash, personalDigest, StreamId, streamOf } from '@breakpilot/tenant-core'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { emptyDatabase, type TestDatabase } from '../postgres/database.ts'

const tenant = '00000000-0000-0000-0000-0000000000aa'
let database: TestDatabase
let owner: Client

beforeAll(async () => {
  database = await emptyDatabase()
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  await createMigrator({ connectionString: database.ownerUrl }).up({ to: 2 })
  await owner.query(`insert into tenants (id, slug, name, plan) values ($1, 'acme', 'Acme', 'professional')`, [tenant])
  const insert = `insert into audit_log
    (tenant_id, product, action, crud, group_id, actor_id, actor_fields, is_failure, fields, created_at, received_at)
    values ($1, 'certifai', $2, 'u', $3, $4, $5, $6, $7, $8, $9)`
  const at = (day: number) => new Date(Date.UTC(2025, 10, day, 12, 0, 0, 123))
  await owner.query(insert, [tenant, 'report.b', tenant, 'ü1', { b: 'first\nsecond', a: '1' }, null, {}, at(1), at(20)])
  await owner.query(insert, [tenant, 'report.a', tenant, null, null, true, null, null, at(2)])
  await owner.query(insert, [null, 'report.c', 'grüppe', 'u2', null, false, { x: 'y' }, null, at(60)])
  await owner.query(insert, [null, 'report.d', '', '', null, null, null, null, at(3)])
})
afterAll(async () => {
  await owner.end()
  await database.drop()
})

it('gives rows that were there before a stream, a place in it and the very links that the application would', async () => {
  await createMigrator({ connectionString: database.ownerUrl, runtimeRole: database.runtimeRole }).up()
  const db = createDb({ connectionString: database.runtimeUrl })
  const rows = await db.selectFrom('audit_log').selectAll().orderBy('stream_id').orderBy('stream_seq').execute()
  const heads = await db
    .selectFrom('registry.audit_streams')
    .select(['stream_id', 'last_seq', 'last_hash', 'last_received_at'])
    .execute()
  await db.destroy()

  const key = { tenant_id: null, product: 'certifai', environment: 'live' } as const
  const streams = Object.groupBy(rows, (row) => row.stream_id)
  expect(Object.fromEntries(Object.entries(streams).map(([id, list]) => [id, list?.map((row) => row.action)]))).toEqual(
    {
      [StreamId.parse(tenant)]: ['report.a', 'report.b'],
      [streamOf({ ...key, group_id: 'grüppe' })]: ['report.c'],
      [streamOf({ ...key, group_id: null })]: ['report.d'],
    },
  )
  for (const list of Object.values(streams)) {
    let previous = genesisHash
    for (const [index, row] of (list ?? []).entries()) {
      if (row.row_salt === null) throw new Error('nothing is redacted here')
      const digest = personalDigest(row.row_salt, row)
      expect(row).toMatchObject({ stream_seq: index + 1, personal_digest: digest, prev_hash: previous })
      expect(row.chain_hash).toEqual(chainHash(previous, digest, row))
      previous = row.chain_hash
    }
    const last = list?.at(-1)
    expect(heads.find((head) => head.stream_id === last?.stream_id)).toEqual({
      stream_id: last?.stream_id,
      last_seq: last?.stream_seq,
      last_hash: previous,
      last_received_at: last?.received_at,
    })
  }
  expect(rows.find((row) => row.action === 'report.b')).toMatchObject({
    canonical_at: new Date('2025-11-01T12:00:00.123Z'),
    created_at: new Date('2025-11-01T12:00:00.123Z'),
    actor_fields: '{"a": "1", "b": "first\\nsecond"}',
    hash: null,
  })
})

it('finds copied rows by their words, as it finds those that the application writes', async () => {
  const found = async (query: string) =>
    (
      await owner.query<{ action: string }>('select action from audit_log where search @@ $1::tsquery', [query])
    ).rows.map(({ action }) => action)
  expect(await found('second')).toEqual(['report.b'])
  expect(await found(`'report.c'`)).toEqual(['report.c'])
  expect(await found(`'${tenant}'`)).toHaveLength(2)
  // Names of fields are no words.
  expect(await found('b')).toEqual([])
})

it('keeps every event on the way back', async () => {
  await createMigrator({ connectionString: database.ownerUrl }).down()
  const { rows } = await owner.query<{ action: string; fields: unknown }>(
    'select action, fields from audit_log order by action',
  )
  expect(rows).toEqual([
    { action: 'report.a', fields: null },
    { action: 'report.b', fields: {} },
    { action: 'report.c', fields: { x: 'y' } },
    { action: 'report.d', fields: null },
  ])
})

it('names the rows that do not fit, and copies none', async () => {
  const fresh = await emptyDatabase()
  const migrator = createMigrator({ connectionString: fresh.ownerUrl })
  await migrator.up({ to: 2 })
  const client = new Client({ connectionString: fresh.ownerUrl })
  await client.connect()
  const ids = ['a', 'b', 'c', 'd'].map((digit) => `00000000-0000-0000-0000-00000000000${digit}`)
  const insert = `insert into audit_log (id, product, action, crud, actor_id, received_at) values ($1, 'certifai', $2, 'c', $3, $4)`
  await client.query(insert, [ids[0], 'a.b', 'x'.repeat(1025), new Date()])
  await client.query(insert, [ids[1], '', null, new Date()])
  await client.query(insert, [ids[2], 'a.b', null, new Date('2100-01-01')])
  await client.query(insert, [ids[3], 'a.b', null, new Date('0900-01-01')])
  const error = await migrator.up().catch((failure: unknown) => failure)
  for (const [index, problem] of [
    'an actor_id of more',
    'no action',
    'more than a year ahead',
    'before the year',
  ].entries()) {
    expect(String(error)).toContain(`${ids[index]}: ${index === 0 || index === 1 ? '' : 'received '}${problem}`)
  }
  expect((await migrator.version()).version).toBe(2)
  await client.end()
  await fresh.drop()
})

it('two callers who find the same month missing both succeed, and the log waits for nobody for long', async () => {
  const fresh = await emptyDatabase()
  await createMigrator({ connectionString: fresh.ownerUrl, runtimeRole: fresh.runtimeRole }).up()
  const client = new Client({ connectionString: fresh.ownerUrl })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_log'::regclass order by 1 desc limit 2`,
  )
  for (const { name } of rows) await client.query(`drop table ${name}`)
  const callers = await Promise.all(
    [1, 2, 3].map(async () => {
      const caller = new Client({ connectionString: fresh.runtimeUrl })
      await caller.connect()
      const answer = await caller.query<{ made: number }>('select registry.ensure_audit_partitions() as made')
      await caller.end()
      return answer.rows[0]?.made
    }),
  )
  expect(callers.map(String).sort()).toEqual(['0', '0', '2'])

  // A writer on tenants is in the way of the attach: `up` waits, tries again, and succeeds once it is gone.
  await client.query(`drop table ${rows[0]?.name}`)
  await client.query('begin')
  await client.query(`insert into tenants (slug, name) values ('in-the-way', 'x')`)
  const up = createMigrator({ connectionString: fresh.ownerUrl }).up()
  await new Promise((done) => setTimeout(done, 2500))
  await client.query('commit')
  await expect(up).resolves.toMatchObject({ done: [] })
  await client.end()
  await fresh.drop()
})
