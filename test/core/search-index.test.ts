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

interface Scene {
  readonly database: TestDatabase
  readonly db: Db
  readonly ingest: Ingest
  readonly failures: readonly unknown[]
}

async function aDatabase(poolSize: number): Promise<Scene> {
  const database = await migratedDatabase()
  // Which takes in what it comes by.
  await asOwner(
    database,
    `do $$ begin execute format('alter table registry.audit_log_%s set (autovacuum_enabled = false)', to_char(now() at time zone 'UTC', 'YYYY_MM')); end $$`,
  )
  const db = createDb({ connectionString: database.runtimeUrl, poolSize })
  const failures: unknown[] = []
  const ingest = new Ingest(db, testCatalogue, (error) => failures.push(error))
  onTestFinished(async () => {
    await ingest.close()
    await db.destroy()
    await database.drop()
  })
  return { database, db, ingest, failures }
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

it('events are written all the same where the index cannot be told to, and that is told once until it can again', async () => {
  const { database, db, ingest, failures } = await aDatabase(6)
  const execute = async (granted: 'grant' | 'revoke') =>
    await asOwner(
      database,
      `${granted} execute on function registry.flush_audit_search() ${granted === 'grant' ? 'to' : 'from'} ${database.runtimeRole}`,
    )
  await execute('revoke')
  for (let batch = 0; batch < 8; batch += 1) await publish(ingest, 800)
  expect(await found(db)).toBe(6_400)
  await expect.poll(() => failures).toEqual([expect.objectContaining({ message: expect.stringContaining('denied') })])
  await execute('grant')
  for (let batch = 0; batch < 8; batch += 1) await publish(ingest, 800)
  expect(failures).toHaveLength(1)
  await execute('revoke')
  for (let batch = 0; batch < 8; batch += 1) await publish(ingest, 800)
  await expect.poll(() => failures).toHaveLength(2)
})
