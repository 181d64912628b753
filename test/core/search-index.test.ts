import {
  createDb,
  type Db,
  everything,
  Ingest,
  listEvents,
  PublishedEvent,
  RecordedEventQuery,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { asOwner } from '../audit-outlets/past.ts'
import { testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

async function aDatabase(poolSize: number): Promise<{ database: TestDatabase; db: Db; ingest: Ingest }> {
  const database = await migratedDatabase()
  // Which takes in what it comes by.
  await asOwner(
    database,
    `do $$ begin execute format('alter table registry.audit_log_%s set (autovacuum_enabled = false)', to_char(now() at time zone 'UTC', 'YYYY_MM')); end $$`,
  )
  const db = createDb({ connectionString: database.runtimeUrl, poolSize })
  const ingest = new Ingest(db, testCatalogue)
  onTestFinished(async () => {
    await ingest.close()
    await db.destroy()
    await database.drop()
  })
  return { database, db, ingest }
}

/** Publishes so many events of about 800 bytes. */
async function publish(ingest: Ingest, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, at) =>
    PublishedEvent.parse({
      action: 'report.opened',
      crud: 'r',
      actor: { id: `u${at}` },
      group: { id: 'g' },
      description: `needle ${'and the words around it '.repeat(30)}`,
    }),
  )
  await ingest.submit({ principal: 'key-1', product: 'certifai', environment: 'live', events })
}

/** How many pages the search index has listed and not taken in: none afterwards. */
async function takeIn(db: Db): Promise<number> {
  const { rows } = await sql<{ pages: number }>`select registry.flush_audit_search() as pages`.execute(db)
  return rows[0]?.pages ?? 0
}

const found = async (db: Db) =>
  (await listEvents(db, everything, RecordedEventQuery.parse({ q: 'needle', total: 'true' }))).total

it('the search index takes in what it has listed, and everything is found before and afterwards', async () => {
  const { db, ingest } = await aDatabase(2)
  await publish(ingest, 10)
  expect(await found(db)).toBe(10)
  expect(await takeIn(db)).toBeGreaterThan(0)
  expect(await takeIn(db)).toBe(0)
  expect(await found(db)).toBe(10)
})

it('who writes much has it taken in beside, and who has no connection to spare does not', async () => {
  const left = async (poolSize: number) => {
    const { db, ingest } = await aDatabase(poolSize)
    for (let batch = 0; batch < 8; batch += 1) await publish(ingest, 400)
    await ingest.close()
    expect(await found(db)).toBe(3_200)
    return await takeIn(db)
  }
  const [beside, alone] = [await left(6), await left(4)]
  expect(alone).toBeGreaterThan(100)
  expect(beside).toBeLessThan(alone / 2)
})

it('events are written all the same where the index cannot be told to', async () => {
  const { database, db, ingest } = await aDatabase(6)
  await asOwner(database, 'drop function registry.flush_audit_search()')
  for (let batch = 0; batch < 4; batch += 1) await publish(ingest, 800)
  expect(await found(db)).toBe(3_200)
})
