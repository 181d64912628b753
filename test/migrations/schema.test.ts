import { latestVersion, migrations } from '@breakpilot/tenant-migrations'
import type { Client } from 'pg'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migratedDatabase } from '../postgres/database.ts'
import type { TestDatabase } from '../postgres/database.ts'
import { aClient, aMigrator, anEmptyDatabase, rowsOf } from './fixture.ts'

const sixTables = ['api_keys', 'audit_log', 'tenant_idp_config', 'tenant_products', 'tenant_projects', 'tenants']
const fourEnums = ['idp_kind', 'tenant_kind', 'tenant_project_status', 'tenant_status']

async function contentsOf(database: TestDatabase): Promise<{ tables: string[]; enums: string[]; schemas: string[] }> {
  const names = async (sql: string): Promise<string[]> =>
    (await rowsOf<{ name: string }>(database.ownerUrl, sql)).map(({ name }) => name)
  return {
    tables: await names(`select tablename as name from pg_tables
      where schemaname = 'public' and tablename <> 'schema_migrations' order by 1`),
    enums: await names(`select distinct t.typname::text as name from pg_type t where t.typtype = 'e' order by 1`),
    schemas: await names(`select nspname as name from pg_namespace
      where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`),
  }
}

describe('TestMigrate_upDownRoundTrip', () => {
  const full = { tables: sixTables, enums: fourEnums, schemas: ['public', 'registry'] }
  const empty = { tables: [], enums: [], schemas: ['public'] }

  it('up makes the six tables and four enums, down leaves nothing, and up again is clean', async () => {
    const database = await anEmptyDatabase()
    const migrator = aMigrator(database)

    const names = migrations.map(({ name }) => name)
    expect(await migrator.up()).toEqual({ done: names, version: latestVersion })
    expect(await contentsOf(database)).toEqual(full)

    expect(await migrator.down({ all: true })).toEqual({ done: names.toReversed(), version: 0 })
    expect(await contentsOf(database)).toEqual(empty)
    const leftovers = `select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'public'`
    expect(await rowsOf(database.ownerUrl, leftovers)).toEqual([])

    expect(await migrator.up()).toEqual({ done: names, version: latestVersion })
    expect(await contentsOf(database)).toEqual(full)
  })

  it('each migration alone goes down and up again', async () => {
    const database = await anEmptyDatabase()
    const migrator = aMigrator(database)
    await migrator.up()
    for (const { version, name } of migrations.toReversed()) {
      expect(await migrator.down()).toEqual({ done: [name], version: version - 1 })
      expect(await migrator.up({ to: version })).toEqual({ done: [name], version })
      await migrator.down()
    }
  })
})

async function aMigratedClient(): Promise<Client> {
  const database = await migratedDatabase()
  onTestFinished(async () => database.drop())
  return aClient(database.ownerUrl)
}

// Only what has no default.
const minimalTenant = `insert into tenants (slug, name, status, kind, plan)
  values ('acme', 'Acme Inc.', 'active', 'customer', 'professional') returning id`

async function insertEverywhere(client: Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(minimalTenant)
  const tenantId = rows[0]?.id ?? ''
  await client.query(`insert into tenant_projects (tenant_id, slug, name) values ($1, 'web', 'Web')`, [tenantId])
  await client.query(`insert into tenant_products (tenant_id, product) values ($1, 'certifai')`, [tenantId])
  await client.query(`insert into tenant_idp_config (tenant_id, kind) values ($1, 'oidc')`, [tenantId])
  await client.query(`insert into api_keys (tenant_id, prefix, hash) values ($1, 'k_1', 'argon2')`, [tenantId])
  await client.query(
    `insert into audit_log (id, stream_id, stream_seq, received_at, canonical_at, tenant_id, product, environment, action,
       crud, chain_version, personal_digest, prev_hash, chain_hash)
     values (gen_random_uuid(), $1, 1, now(), now(), $1, 'certifai', 'live', 'tenant.created', 'c', 1,
       sha256('a'), sha256('b'), sha256('c'))`,
    [tenantId],
  )
  return tenantId
}

async function countsOf(client: Client): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of sixTables) {
    // The platform's own tenant is always there.
    const others = table === 'tenants' ? ` where slug <> 'platform'` : ''
    const { rows } = await client.query<{ count: number }>(`select count(*)::int from ${table}${others}`)
    counts[table] = rows[0]?.count ?? -1
  }
  return counts
}

describe('TestSeed_canInsertAndQuery', () => {
  it('a row goes into every table; with its tenant go the owned rows, and audit_log keeps its row without the tenant', async () => {
    const client = await aMigratedClient()
    const tenantId = await insertEverywhere(client)
    const one = Object.fromEntries(sixTables.map((table) => [table, 1]))
    expect(await countsOf(client)).toEqual(one)

    await client.query('delete from tenants where id = $1', [tenantId])
    expect(await countsOf(client)).toEqual({
      ...Object.fromEntries(sixTables.map((table) => [table, 0])),
      audit_log: 1,
    })
    const { rows } = await client.query('select tenant_id, stream_id from audit_log')
    expect(rows).toEqual([{ tenant_id: null, stream_id: tenantId }])
  })

  it('updated_at moves with every change of a mutable table, whatever the change says about it', async () => {
    const client = await aMigratedClient()
    await insertEverywhere(client)
    const mutable = sixTables.filter((table) => table !== 'audit_log')
    for (const table of mutable) {
      const column = table === 'tenant_products' ? 'config' : table === 'tenant_idp_config' ? 'kind' : 'created_at'
      const others = table === 'tenants' ? ` where slug <> 'platform'` : ''
      await client.query(`update ${table} set ${column} = ${column}, updated_at = '2000-01-01'${others}`)
      const { rows } = await client.query(
        `select updated_at >= created_at - interval '1 minute' as moved from ${table}${others}`,
      )
      expect({ table, rows }).toEqual({ table, rows: [{ moved: true }] })
    }
  })
})

describe('TestSlugConstraint', () => {
  const longest = 'a'.repeat(63)
  let database: TestDatabase
  const insert = async (slug: string): Promise<unknown> => {
    const client = await aClient(database.ownerUrl)
    return client.query(`insert into tenants (slug, name) values ($1, 'x') returning slug`, [slug])
  }
  beforeAll(async () => {
    database = await migratedDatabase()
    return async () => database.drop()
  })

  it.each(['abc', 'a1b', 'acme-inc', '0day', longest])('the database takes "%s"', async (slug) => {
    expect(await insert(slug)).toMatchObject({ rows: [{ slug }] })
  })

  it.each([
    ['too short', 'ab'],
    ['one letter', 'a'],
    ['empty', ''],
    ['too long', `${longest}a`],
    ['leading dash', '-acme'],
    ['trailing dash', 'acme-'],
    ['uppercase', 'Acme'],
    ['underscore', 'ac_me'],
    ['a line break at the end', 'acme\n'],
    ['a letter that only looks like one of ours', 'аcme'],
    ['double dash', 'ac--me'],
    ['digits alone', '12345'],
    ['the shape of an id', '00000000-0000-0000-0000-00000000000a'],
  ])('the database itself refuses a slug: %s', async (_, slug) => {
    await expect(insert(slug)).rejects.toMatchObject({ code: '23514', constraint: 'tenants_slug_check' })
  })

  it('the rule of version 1 is the one of the Go service', async () => {
    const first = await anEmptyDatabase()
    await aMigrator(first).up({ to: 1 })
    const client = await aClient(first.ownerUrl)
    await client.query(`insert into tenants (slug, name) values ('ac--me', 'x'), ('123', 'x')`)
    for (const slug of ['ab', '-acme', 'acme-', 'Acme', 'ac_me']) {
      const refused = client.query(`insert into tenants (slug, name) values ($1, 'x')`, [slug])
      await expect(refused).rejects.toMatchObject({ code: '23514', constraint: 'tenants_slug_check' })
    }
  })
})
