// Writes src/baseline.gen.ts, the facts by which a database of golang-migrate is known to be version 1, from what
// 0001 makes in the empty database of DATABASE_URL. With --check it changes nothing and exits 1 when they differ.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { factsOf } from '../src/adoption.ts'
import type { Facts } from '../src/adoption.ts'
import { readCatalog } from '../src/catalog.ts'
import { migrations } from '../src/migrations.gen.ts'

const target = fileURLToPath(new URL('../src/baseline.gen.ts', import.meta.url))

async function factsOfVersion1(connectionString: string): Promise<Facts> {
  const [first] = migrations
  if (first === undefined) throw new Error('there is no migration')
  const client = new Client({ connectionString })
  await client.connect()
  try {
    // Rolled back: the database stays as empty as it was.
    await client.query('begin')
    await client.query('set local search_path = public')
    await client.query(first.up)
    return factsOf(await readCatalog(client))
  } finally {
    await client.query('rollback')
    await client.end()
  }
}

const { DATABASE_URL: connectionString } = process.env
if (!connectionString) throw new Error('DATABASE_URL has to name an empty database')
const literal = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
const lines = Object.entries(await factsOfVersion1(connectionString)).map(
  ([key, value]) => `  ${literal(key)}: ${literal(value)},\n`,
)
const text = `// Made by packages/migrations/scripts/baseline.ts from packages/migrations/sql/0001_init.up.sql. Do not edit.
import type { Facts } from './adoption.ts'

/** What version 1 is made of. */
export const baseline: Facts = {
${lines.join('')}}
`
if (process.argv.includes('--check')) {
  if (text !== readFileSync(target, 'utf8')) {
    process.stderr.write(
      'packages/migrations/src/baseline.gen.ts is out of date: run packages/migrations/scripts/baseline.ts\n',
    )
    process.exitCode = 1
  }
} else {
  writeFileSync(target, text)
}
