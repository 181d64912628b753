import {
  assignProduct,
  createDb,
  type Db,
  EventExportQuery,
  exportEvents,
  everything,
  getTenantBySlug,
  Ingest,
  listEvents,
  listTenants,
  PublishedEvent,
  verifyLog,
} from '@breakpilot/tenant-core'
import { createMigrator, latestVersion } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aTransactionPooler } from '../postgres/transaction-pooler.ts'

/** A database whose roles have this setting for themselves. */
async function aDatabaseWith(settings: Readonly<Record<string, string>>): Promise<TestDatabase> {
  const database = await migratedDatabase()
  onTestFinished(async () => database.drop())
  const admin = new Client({ connectionString: database.adminUrl })
  await admin.connect()
  for (const [name, value] of Object.entries(settings)) {
    await admin.query(`alter database ${database.name} set ${name} = ${value}`)
  }
  await admin.end()
  return database
}

function aDb(connectionString: string): Db {
  const db = createDb({ connectionString })
  onTestFinished(async () => db.destroy())
  return db
}

/** Some of everything that reads what PostgreSQL spells: times, bytes, arrays of them, patterns, names without a schema. */
async function use(db: Db): Promise<void> {
  const before = Date.now() - 1_000
  const tenant = await aTenant(db, { slug: 'acme' })
  await assignProduct(db, testActor, testCatalogue, tenant.id, 'certifai')
  const ingest = new Ingest(db, testCatalogue)
  onTestFinished(async () => ingest.close())
  const event = PublishedEvent.parse({
    action: 'report.opened',
    crud: 'r',
    actor: { id: 'u1' },
    group: { id: tenant.id },
    created_at: '2026-01-02T03:04:05.678Z',
    fields: { parts: String.raw`C:\udata, two` },
  })
  const submission = { principal: 'key-1', product: 'certifai', environment: 'live', events: [event] } as const
  const first = await ingest.submit({ ...submission, idempotencyKey: 'once' })
  expect((await ingest.submit({ ...submission, idempotencyKey: 'once' })).recorded).toEqual(first.recorded)

  const { sight } = testActor
  expect((await getTenantBySlug(db, everything, tenant.slug)).created_at.getTime()).toBeGreaterThan(before)
  expect((await listTenants(db, everything, { limit: 1 })).data).toHaveLength(1)
  const all = await listEvents(db, sight, { tenant_id: tenant.id, limit: 1 })
  expect(all.data[0]?.received_at.getTime()).toBeGreaterThan(before)
  const next = await listEvents(db, sight, {
    tenant_id: tenant.id,
    ...(all.next_cursor && { cursor: all.next_cursor }),
  })
  expect(next.data.length).toBeGreaterThan(0)
  const [found] = (await listEvents(db, sight, { tenant_id: tenant.id, q: 'fields.parts:two' })).data
  expect(found?.created_at).toEqual(new Date('2026-01-02T03:04:05.678Z'))

  const query = EventExportQuery.parse({ tenant_id: tenant.id, format: 'ndjson' })
  let text = ''
  for await (const chunk of (await exportEvents(db, testActor, query)).chunks) text += chunk
  expect(text).toContain('"created_at":"2026-01-02T03:04:05.678Z"')
  const findings: unknown[] = []
  expect((await verifyLog(db, { search: true, report: (each) => findings.push(each) })).rows).toBeGreaterThan(2)
  expect(findings).toEqual([])
}

it.each([
  ['datestyle', `'SQL, DMY'`],
  ['datestyle', `'German'`],
  ['timezone', `'Asia/Kolkata'`],
  ['intervalstyle', `'sql_standard'`],
  ['bytea_output', `'escape'`],
  ['standard_conforming_strings', 'off'],
  ['extra_float_digits', '-3'],
  ['search_path', 'pg_catalog'],
  ['default_transaction_isolation', `'serializable'`],
  ['lock_timeout', `'1ms'`],
])('a role that has %s = %s for itself reads and writes as any other', async (name, value) => {
  const database = await aDatabaseWith({ [name]: value })
  await use(aDb(database.runtimeUrl))
  const migrator = createMigrator({ connectionString: database.ownerUrl, runtimeRole: database.runtimeRole })
  expect((await migrator.auditRetention({ dryRun: true })).dropped).toEqual([])
  const { version } = await migrator.version()
  await migrator.down({ steps: version ?? 0 })
  await migrator.up()
  await use(aDb(database.runtimeUrl))
})

it('a pooler that refuses some of what a connection is opened with is asked for less', async () => {
  const database = await aDatabaseWith({})
  const pooler = await aTransactionPooler(database.runtimeUrl, 4, { refused: ['search_path', 'bytea_output'] })
  onTestFinished(async () => pooler.close())
  const db = createDb({ connectionString: pooler.url, prepare: false })
  onTestFinished(async () => db.destroy())
  await Promise.all(Array.from({ length: 3 }, async () => listTenants(db, everything, {})))
  await use(db)
  const owned = await aTransactionPooler(database.ownerUrl, 4, { refused: ['search_path', 'bytea_output'] })
  onTestFinished(async () => owned.close())
  expect(await createMigrator({ connectionString: owned.url }).version()).toMatchObject({ version: latestVersion })
})
