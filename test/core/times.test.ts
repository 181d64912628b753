import { createDb, type Db } from '@breakpilot/tenant-core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl, poolSize: 1 })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

/** What is read of times that PostgreSQL holds. */
async function read(texts: readonly string[]): Promise<Date[]> {
  const { rows } = await sql<{ time: Date }>`
    select value::timestamptz as time from unnest(${texts}::text[]) with ordinality as each (value, at) order by at`.execute(
    db,
  )
  return rows.map(({ time }) => time)
}

it('times of all years that ISO 8601 writes in four digits are what they were, to the millisecond', async () => {
  const [min, max] = [new Date('0001-01-01T00:00:00.000Z'), new Date('9999-12-31T23:59:59.999Z')]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.date({ min, max, noInvalidDate: true }), { maxLength: 300 }), async (times) => {
      expect(await read(times.map((time) => time.toISOString()))).toEqual(times)
    }),
    { numRuns: 50 },
  )
})

it.each([
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05.6Z', '2026-01-02T03:04:05.600Z'],
  ['2026-01-02T03:04:05.06Z', '2026-01-02T03:04:05.060Z'],
  ['2026-01-02T03:04:05.006Z', '2026-01-02T03:04:05.006Z'],
  ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05.678901Z', '2026-01-02T03:04:05.678Z'],
  ['2024-02-29T23:59:59.999+00', '2024-02-29T23:59:59.999Z'],
  ['2026-01-02T03:04:05+05:30', '2026-01-01T21:34:05.000Z'],
  ['0026-01-02T03:04:05.006Z', '0026-01-02T03:04:05.006Z'],
  ['0099-12-31T23:59:59.999Z', '0099-12-31T23:59:59.999Z'],
  ['0100-01-01T00:00:00.000Z', '0100-01-01T00:00:00.000Z'],
  ['12345-01-02T03:04:05.006Z', '+012345-01-02T03:04:05.006Z'],
  ['0001-01-02 03:04:05.006+00 BC', '0000-01-02T03:04:05.006Z'],
  ['infinity', '+275760-09-13T00:00:00.000Z'],
  ['-infinity', '-271821-04-20T00:00:00.000Z'],
])('%s is read as %s', async (said, iso) => {
  expect((await read([said])).map((time) => time.toISOString())).toEqual([iso])
})
