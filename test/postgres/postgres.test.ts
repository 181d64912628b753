import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { emptyDatabase, migratedDatabase } from './database.ts'

const open: Client[] = []
afterAll(() => Promise.all(open.map((client) => client.end())))

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  await client.connect()
  open.push(client)
  return client
}

async function one(client: Client, query: string): Promise<unknown> {
  return (await client.query(query)).rows[0]
}

test('the server is a PostgreSQL that we support, and stores UTF-8', async () => {
  const owner = await connect((await emptyDatabase()).ownerUrl)
  const found = await one(
    owner,
    `select current_setting('server_version_num')::int / 10000 between 15 and 18 as supported,
            current_setting('server_encoding') as encoding, length('Käse') as characters`,
  )
  expect(found).toEqual({ supported: true, encoding: 'UTF8', characters: 4 })
})

test('neither the owner nor the runtime role may do more than its part', async () => {
  const database = await migratedDatabase()
  const rights = `select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as powerful,
                         pg_get_userbyid(datdba) = current_user as owns
                    from pg_roles, pg_database where rolname = current_user and datname = current_database()`
  const owner = await connect(database.ownerUrl)
  const runtime = await connect(database.runtimeUrl)
  expect(await one(owner, rights)).toEqual({ powerful: false, owns: true })
  expect(await one(runtime, rights)).toEqual({ powerful: false, owns: false })
  expect(await one(runtime, 'select current_user::text as role')).toEqual({ role: database.runtimeRole })
})

test('the runtime role cannot create tables, the owner can', async () => {
  const database = await migratedDatabase()
  const runtime = await connect(database.runtimeUrl)
  await expect(runtime.query('create table public.mine ()')).rejects.toMatchObject({ code: '42501' })
  await expect(runtime.query('create schema mine')).rejects.toMatchObject({ code: '42501' })
  const owner = await connect(database.ownerUrl)
  await owner.query('create table public.mine ()')
  expect(await one(owner, `select to_regclass('public.mine')::text as made`)).toEqual({ made: 'mine' })
})

test('two databases know nothing of each other', async () => {
  const [first, second] = await Promise.all([migratedDatabase(), migratedDatabase()])
  const [one1, one2] = await Promise.all([connect(first.ownerUrl), connect(second.ownerUrl)])
  await one1.query('create table public.only_here ()')
  expect(first.name).not.toBe(second.name)
  expect(await one(one2, `select to_regclass('public.only_here') as found`)).toEqual({ found: null })
})

test('an empty database is empty, a migrated one has the tables of the registry', async () => {
  const tables = `select coalesce(array_agg(tablename::text order by tablename), '{}') as names
                    from pg_tables where schemaname = 'public' and tablename in ('tenants', 'audit_log')`
  const [empty, migrated] = await Promise.all([emptyDatabase(), migratedDatabase()])
  expect(await one(await connect(empty.ownerUrl), tables)).toEqual({ names: [] })
  expect(await one(await connect(migrated.ownerUrl), tables)).toEqual({ names: ['audit_log', 'tenants'] })
})

test('a database can be made many times at once, and dropped while in use', async () => {
  const databases = await Promise.all(Array.from({ length: 6 }, () => migratedDatabase()))
  expect(new Set(databases.map(({ name }) => name)).size).toBe(6)
  const [first] = databases
  if (!first) throw new Error('no database')
  const client = new Client({ connectionString: first.ownerUrl })
  client.on('error', () => {})
  await client.connect()
  await Promise.all(databases.map((database) => database.drop()))
  await expect(connect(first.ownerUrl)).rejects.toMatchObject({ code: '3D000' })
})
