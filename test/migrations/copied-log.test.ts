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
  await owner.query(insert, [tenant, 'report.b', tenant, 'ü1', { b: '2', a: '1' }, null, {}, at(1), at(20)])
  await owner.query(insert, [tenant, 'report.a', tenant, null, null, true, null, null, at(2)])
  await owner.query(insert, [null, 'report.c', 'grüppe', 'u2', null, false, { x: 'y' }, null, at(60)])
  await owner.query(insert, [null, 'report.d', null, 'u2', null, null, null, null, at(3)])
})
afterAll(async () => {
  await owner.end()
  await database.drop()
})

it('gives rows that were there before a stream, a place in it and the very links that the application would', async () => {
  await createMigrator({ connectionString: database.ownerUrl, runtimeRole: database.runtimeRole }).up()
  const db = createDb({ connectionString: database.runtimeUrl })
  const rows = await db.selectFrom('audit_log').selectAll().orderBy('stream_id').orderBy('stream_seq').execute()
  const heads = await db.selectFrom('registry.audit_streams').selectAll().execute()
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
    actor_fields: '{"a": "1", "b": "2"}',
    hash: null,
  })
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
