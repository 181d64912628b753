import { Slug } from '@breakpilot/tenant-core'
import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let owner: Client

beforeAll(async () => {
  database = await migratedDatabase()
  owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await database.drop()
})

/** Strings that come close: the alphabet of slugs with a little of what is outside of it. */
const near = fc.string({ unit: fc.constantFrom(...'aab09--_A.é\n'.split('')), minLength: 0, maxLength: 70 })
const shaped = fc
  .tuple(
    fc.constantFrom('', '-', 'a', '0'),
    fc.string({ unit: fc.constantFrom('a', 'f', '0', '9', '-'), maxLength: 64 }),
  )
  .map(([head, tail]) => head + tail)
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length })
const uuidLike = fc
  .tuple(hex(8), hex(4), hex(4), hex(4), fc.oneof(hex(12), hex(11), hex(13)))
  .map((parts) => parts.join('-'))

it('the rule in zod, the published pattern and the CHECK of the database agree on every string', async () => {
  const generated = fc.sample(fc.oneof(near, shaped, uuidLike, fc.string({ unit: 'binary', maxLength: 20 })), 6000)
  // PostgreSQL's text cannot hold these at all, so the CHECK is never asked.
  const slugs = [...new Set(generated)].filter((slug) => !slug.includes('\0') && slug.isWellFormed())
  const { rows: constraints } = await owner.query<{ definition: string }>(
    `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'tenants_slug_check'`,
  )
  const check = constraints[0]?.definition.replace(/^CHECK /, '')
  const { rows } = await owner.query<{ slug: string; fits: boolean }>(
    `select slug, ${check} as fits from unnest($1::text[]) as t (slug)`,
    [slugs],
  )
  expect(rows).toHaveLength(slugs.length)
  const published = new RegExp(String(Slug.meta()?.['pattern']), 'u')
  const disagreements = rows.filter(
    ({ slug, fits }) => Slug.safeParse(slug).success !== fits || published.test(slug) !== fits,
  )
  expect(disagreements).toEqual([])
  // A property about nothing proves nothing: both answers have to be among them, many times.
  expect(rows.filter(({ fits }) => fits).length).toBeGreaterThan(200)
  expect(rows.filter(({ fits }) => !fits).length).toBeGreaterThan(200)
})
