// Writes schema.sql, the sum of all migrations, from the migrated database of DATABASE_URL. With --check it changes
// nothing and exits 1 when they differ.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { readCatalog } from '../src/catalog.ts'
import type { Catalog } from '../src/catalog.ts'
import { latestVersion, readSchemaVersion } from '../src/index.ts'
import { schemaText } from '../src/schema-text.ts'

const target = fileURLToPath(new URL('../schema.sql', import.meta.url))

async function catalogOf(connectionString: string): Promise<Catalog> {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    const { version } = await readSchemaVersion(client)
    if (version !== latestVersion) throw new Error(`the database is at version ${version}, not ${latestVersion}`)
    await client.query('begin read only')
    return await readCatalog(client)
  } finally {
    await client.query('rollback')
    await client.end()
  }
}

const { DATABASE_URL: connectionString } = process.env
if (!connectionString) throw new Error('DATABASE_URL has to name a migrated database')
const text = `-- Made by packages/migrations/scripts/schema.ts from a migrated database. Do not edit; for reading, not for running.

${schemaText(await catalogOf(connectionString))}`
if (process.argv.includes('--check')) {
  if (!existsSync(target) || text !== readFileSync(target, 'utf8')) {
    process.stderr.write('packages/migrations/schema.sql is out of date: run packages/migrations/scripts/schema.ts\n')
    process.exitCode = 1
  }
} else {
  writeFileSync(target, text)
}
