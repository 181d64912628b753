import { migrations } from '@breakpilot/tenant-migrations'
import { escapeIdentifier } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TestDatabase } from '../postgres/database.ts'
import { run } from './command.ts'
import { aClient, aMigration, aMigrator, anEmptyDatabase, refusal, rowsOf } from './fixture.ts'

const privileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']

/** What the role may do with each table, as PostgreSQL itself judges it. */
async function tablePrivileges(database: TestDatabase): Promise<Record<string, string>> {
  const rows = await rowsOf<{ name: string; given: string[] | null }>(
    database.adminUrl,
    `select c.oid::regclass::text as name, (
       select array_agg(p order by n) from unnest('{${privileges.join()}}'::text[]) with ordinality as t (p, n)
       where has_table_privilege('${database.runtimeRole}', c.oid, p)
         or p in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege('${database.runtimeRole}', c.oid, p)
     ) as given
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname in ('public', 'registry') order by 1`,
  )
  return Object.fromEntries(rows.map(({ name, given }) => [name, (given ?? []).join(' ').toLowerCase()]))
}

async function callable(database: TestDatabase): Promise<string[]> {
  const rows = await rowsOf<{ name: string }>(
    database.adminUrl,
    `select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname in ('public', 'registry') and has_function_privilege('${database.runtimeRole}', p.oid, 'execute')
     order by 1`,
  )
  return rows.map(({ name }) => name)
}

const fiveTables = ['tenants', 'tenant_projects', 'tenant_products', 'tenant_idp_config', 'api_keys']
/** What shows that nothing was changed is not changed either. */
const appendOnly = ['registry.audit_checkpoints', 'registry.audit_checkpoint_heads', 'registry.audit_signing_keys']
const everything = 'select insert update delete'

function expected(found: Record<string, string>): Record<string, string> {
  const wanted = (table: string): string => {
    if (table === 'schema_migrations') return 'select'
    if (table === 'audit_log') return 'select insert'
    if (/^registry\.audit_log_\d/.test(table)) return ''
    if (table === 'registry.audit_cuts' || table === 'registry.audit_expired') return 'select'
    if (appendOnly.includes(table)) return 'select insert'
    return fiveTables.includes(table) || table.startsWith('registry.') ? everything : ''
  }
  return Object.fromEntries(Object.keys(found).map((table) => [table, wanted(table)]))
}

/** A database whose two roles are called like this, next to others whose names differ in case only. */
async function aDatabaseOf(ownerName: string, runtimeName: string): Promise<TestDatabase> {
  const database = await anEmptyDatabase()
  const names = [ownerName, runtimeName].map((name) => `${name} ${database.name}`)
  const [owner = '', runtimeRole = ''] = names
  const everyone = [...names, ...names.map((name) => name.toLowerCase())].map((name) => escapeIdentifier(name))
  const elsewhere = new URL(database.adminUrl)
  elsewhere.pathname = '/postgres'
  onTestFinished(async () => {
    await database.drop()
    await rowsOf(elsewhere.href, everyone.map((name) => `drop role if exists ${name}`).join(';'))
  })
  const create = everyone.map((name) => `create role ${name} login password 'secret'; grant ${name} to current_user`)
  await rowsOf(
    database.adminUrl,
    [...create, `alter database ${database.name} owner to ${escapeIdentifier(owner)}`].join(';'),
  )
  const url = new URL(database.ownerUrl)
  Object.assign(url, { username: encodeURIComponent(owner), password: 'secret' })
  return { ...database, ownerUrl: url.href, runtimeRole }
}

describe('the runtime role', () => {
  it.each([
    ['RegOwner', 'RegRuntime'],
    ['Reg.Owner@example', 'Reg.Runtime"@example'],
  ])('gets it from an owner and under a name that are no plain words: %s, %s', async (owner, runtime) => {
    const database = await aDatabaseOf(owner, runtime)
    await aMigrator(database, { runtimeRole: database.runtimeRole }).up()
    const found = await tablePrivileges(database)
    expect(found).toEqual(expected(found))
    expect(found['tenants']).toBe(everything)
    expect(await callable(database)).toContain('registry.ensure_audit_partitions()')
  })

  it('gets exactly what it needs, and on a partition of the log nothing', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { runtimeRole: database.runtimeRole }).up()
    const found = await tablePrivileges(database)
    expect(found).toEqual(expected(found))
    expect(Object.keys(found).filter((table) => /^registry\.audit_log_\d/.test(table)).length).toBeGreaterThan(12)
    expect(found).toMatchObject({
      tenants: everything,
      audit_log: 'select insert',
      'registry.audit_streams': everything,
    })
    expect(await callable(database)).toContain('registry.ensure_audit_partitions()')
    const marked = await rowsOf<{ name: string }>(
      database.adminUrl,
      `select p.oid::regprocedure::text as name from pg_proc p
       where p.pronamespace = 'registry'::regnamespace and obj_description(p.oid, 'pg_proc') like 'runtime:%' order by 1`,
    )
    expect(await callable(database)).toEqual(marked.map(({ name }) => name))
  })

  it('can do its work, and cannot change or take away an event', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { runtimeRole: database.runtimeRole }).up()
    const client = await aClient(database.runtimeUrl)
    await client.query(`insert into tenants (slug, name) values ('acme', 'A')`)
    await client.query(`update tenants set name = 'B' where slug = 'acme'`)
    await client.query('select registry.ensure_audit_partitions()')
    await client.query(`delete from tenants where slug = 'acme'`)
    const month = await rowsOf<{ name: string }>(
      database.ownerUrl,
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_log'::regclass limit 1`,
    )
    for (const sql of [
      `update audit_log set action = 'x'`,
      'delete from audit_log',
      'truncate audit_log',
      `select from ${month[0]?.name}`,
      `delete from ${month[0]?.name}`,
      'drop table tenants',
      'alter table tenants disable trigger all',
      'create table registry.mine ()',
      `select registry.create_audit_partition('2020-01-01')`,
      `update schema_migrations set dirty = true`,
    ]) {
      await expect(client.query(sql), sql).rejects.toMatchObject({ code: '42501' })
    }
  })

  it('loses whatever it or everybody was given beyond that, also when nothing is pending', async () => {
    const database = await anEmptyDatabase()
    const migrator = aMigrator(database, { runtimeRole: database.runtimeRole })
    await migrator.up()
    const before = { tables: await tablePrivileges(database), functions: await callable(database) }
    const role = database.runtimeRole
    await rowsOf(
      database.ownerUrl,
      `grant all on all tables in schema public to ${role};
       grant all on all tables in schema registry to ${role} with grant option;
       grant update, delete on audit_log to public;
       grant update (action) on audit_log to ${role};
       grant all on schema registry to ${role}, public;
       grant execute on all functions in schema registry to public;
       revoke select on tenants from ${role}`,
    )
    expect(await tablePrivileges(database)).not.toEqual(before.tables)
    expect(await migrator.up()).toMatchObject({ done: [] })
    expect(await tablePrivileges(database)).toEqual(before.tables)
    expect(await callable(database)).toEqual(before.functions)
    const schema = `select has_schema_privilege('${role}', 'registry', 'usage') as usage,
      has_schema_privilege('${role}', 'registry', 'create') as creating`
    expect(await rowsOf(database.adminUrl, schema)).toEqual([{ usage: true, creating: false }])
    const handsOn = `select from information_schema.table_privileges where grantee = '${role}' and is_grantable = 'YES'`
    expect(await rowsOf(database.adminUrl, handsOn)).toEqual([])
  })

  it('gets nothing on a partition that was detached, and all on a new table of schema registry', async () => {
    const database = await anEmptyDatabase()
    const migrator = aMigrator(database, { runtimeRole: database.runtimeRole })
    await migrator.up()
    const [month] = await rowsOf<{ name: string }>(
      database.ownerUrl,
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_log'::regclass order by 1 limit 1`,
    )
    await rowsOf(
      database.ownerUrl,
      `alter table audit_log detach partition ${month?.name}; create table registry.later (n integer)`,
    )
    await migrator.up()
    const found = await tablePrivileges(database)
    expect(found[month?.name ?? '']).toBe('')
    expect(found['registry.later']).toBe(everything)
  })

  it('what is right already is not written again', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { runtimeRole: database.runtimeRole }).up()
    const rows = `select max(greatest(c.xmin::text::bigint, (select max(p.xmin::text::bigint) from pg_proc p))) as newest
      from pg_class c where c.relnamespace = 'registry'::regnamespace`
    const before = await rowsOf(database.ownerUrl, rows)
    const again = aMigrator(database, { runtimeRole: database.runtimeRole })
    await again.up()
    expect(again.entries).toEqual([])
    expect(await rowsOf(database.ownerUrl, rows)).toEqual(before)
  })

  it('without one, nothing is granted', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database).up()
    const found = await tablePrivileges(database)
    expect(Object.values(found).filter((given) => given !== '')).toEqual([])
  })

  it('is found before anything is applied: one that does not exist is a usage error', async () => {
    const database = await anEmptyDatabase()
    const ended = await run(['up', '--runtime-role', 'no_such_role'], { DATABASE_URL: database.ownerUrl })
    expect(ended).toMatchObject({ code: 2, error: { code: 'usage', message: expect.stringContaining('no_such_role') } })
    expect(await aMigrator(database).version()).toEqual({ version: 0, dirty: false })
  })

  it('is judged by whatever judges as up does', async () => {
    const database = await anEmptyDatabase()
    const env = { DATABASE_URL: database.ownerUrl }
    const refused = { code: 2, error: { code: 'usage', message: expect.stringContaining('no_such_role') } }
    expect(await run(['up', '--dry-run', '--runtime-role', 'no_such_role'], env)).toMatchObject(refused)
    for (const command of ['plan', 'verify']) {
      expect(await run([command], { ...env, RUNTIME_ROLE: 'no_such_role' })).toMatchObject(refused)
      expect(await run([command], { ...env, RUNTIME_ROLE: database.runtimeRole })).toMatchObject({ code: 0 })
    }
  })

  it('cannot be the role that migrates', async () => {
    const database = await anEmptyDatabase()
    const owner = new URL(database.ownerUrl).username
    expect(await refusal(aMigrator(database, { runtimeRole: owner }).up())).toMatchObject({ code: 'usage' })
  })

  it('comes from RUNTIME_ROLE on the command line, whatever its name is', async () => {
    const database = await anEmptyDatabase()
    const ended = await run(['up'], { DATABASE_URL: database.ownerUrl, RUNTIME_ROLE: database.runtimeRole })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect((await tablePrivileges(database))['tenants']).toBe(everything)
  })
})

describe('the partitions of the log', () => {
  it('are there for twelve months ahead after every up', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database).up()
    const months = `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_log'::regclass order by 1`
    const before = await rowsOf<{ name: string }>(database.ownerUrl, months)
    await rowsOf(database.ownerUrl, `drop table ${before.at(-1)?.name}`)
    await aMigrator(database).up()
    expect(await rowsOf(database.ownerUrl, months)).toEqual(before)
  })

  it('nothing is called in a database that has no such function', async () => {
    const database = await anEmptyDatabase()
    expect(await aMigrator(database, { migrations: [aMigration(1, 'create table a ()')] }).up()).toMatchObject({
      version: 1,
    })
    expect(await aMigrator(await anEmptyDatabase()).up({ to: 1 })).toMatchObject({ done: [migrations[0]?.name] })
  })
})
