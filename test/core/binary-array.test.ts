import { createDb, type Db } from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binaryArray, type BinaryTypes } from '../../packages/core/src/db/binary-array.ts'
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

/** What PostgreSQL takes elements for, each as its own text. */
async function read<Type extends keyof BinaryTypes>(type: Type, values: (BinaryTypes[Type] | null)[]) {
  const { rows } = await sql<{ text: string | null }>`
    select value::text as text from unnest(${binaryArray(type, values)}) with ordinality as each (value, at) order by at`.execute(
    db,
  )
  return rows.map(({ text }) => text)
}

describe('binaryArray', () => {
  it('texts are what they were, whatever is in them', async () => {
    const texts = [
      '',
      'a',
      'NULL',
      'null',
      '{"a",b}',
      'back\\slash "quoted"',
      'zeilen\numbruch\t',
      'ä€😀',
      'x'.repeat(100_000),
      'é'.repeat(47),
      'ascii and then é',
    ]
    expect(await read('text', texts)).toEqual(texts)
    const maps = texts.map((text) => JSON.stringify({ [text]: text, b: 1 }))
    expect(await read('json', maps)).toEqual(maps)
  })

  it('half of a surrogate pair becomes the sign for what cannot be shown', async () => {
    expect(await read('text', ['a\uD800b'])).toEqual(['a\uFFFDb'])
  })

  it('a null is a null, first, last and alone', async () => {
    expect(await read('text', [null, 'null', null])).toEqual([null, 'null', null])
    expect(await read('uuid', [null])).toEqual([null])
    expect(await read('boolean', [true, null, false])).toEqual(['true', null, 'false'])
  })

  it('no elements are an empty array', async () => {
    const { rows } = await sql<{ size: number }>`select cardinality(${binaryArray('bigint', [])}) as size`.execute(db)
    expect(rows).toEqual([{ size: 0 }])
  })

  it('numbers up to where JavaScript counts exactly', async () => {
    const numbers = [0, 1, -1, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    expect(await read('bigint', numbers)).toEqual(numbers.map(String))
    expect(() => binaryArray('bigint', [1.5])).toThrow(RangeError)
  })

  it('moments to the millisecond, before 2000 and before 1970 too', async () => {
    const moments = [
      '2026-11-29T12:34:56.789Z',
      '2000-01-01T00:00:00.000Z',
      '1999-12-31T23:59:59.999Z',
      '1969-07-20T20:17:40.001Z',
      '0001-01-01T00:00:00.000Z',
      '9999-12-31T23:59:59.999Z',
    ]
    const { rows } = await sql<{ same: boolean }>`
      select sent = said::timestamptz as same
      from unnest(${binaryArray(
        'timestamptz',
        moments.map((text) => new Date(text)),
      )}, ${moments}::text[]) as each (sent, said)`.execute(db)
    expect(rows).toEqual(moments.map(() => ({ same: true })))
    expect(() => binaryArray('timestamptz', [new Date('never')])).toThrow(RangeError)
  })

  it('ids, with capitals as well, and bytes', async () => {
    expect(
      await read('uuid', ['00000000-0000-4000-8000-00000000000A', 'ffffffff-ffff-ffff-ffff-ffffffffffff']),
    ).toEqual(['00000000-0000-4000-8000-00000000000a', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])
    expect(await read('bytea', [Buffer.alloc(0), Buffer.from('00ff5c27', 'hex')])).toEqual(['\\x', '\\x00ff5c27'])
  })

  it.each(['', 'ff', 'not-a-uuid', '00000000-0000-4000-8000-00000000000', 'g0000000-0000-4000-8000-000000000000'])(
    'what is no id is refused, and nothing else sent in its place: %j',
    (id) => {
      expect(() => binaryArray('uuid', [id])).toThrow(TypeError)
    },
  )

  it('a NUL in a text is refused by PostgreSQL, as ever', async () => {
    await expect(read('text', ['a\0b'])).rejects.toThrow(/0x00/)
  })
})
