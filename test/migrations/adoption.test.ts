import { latestVersion, migrations } from '@breakpilot/tenant-migrations'
import { describe, expect, it } from 'vitest'
import type { TestDatabase } from '../postgres/database.ts'
import { run } from './command.ts'
import { aClient, aMigrator, anEmptyDatabase, historyOf, refusal, rowsOf } from './fixture.ts'

const [first] = migrations

/** A database as golang-migrate leaves it, after `change`. */
async function aGolangDatabase({ version = 1, dirty = false, change = '' } = {}): Promise<TestDatabase> {
  const database = await anEmptyDatabase()
  const client = await aClient(database.ownerUrl)
  await client.query(
    `create table "public"."schema_migrations" (version bigint not null primary key, dirty boolean not null)`,
  )
  if (version > 0) {
    await client.query(first?.up ?? '')
    await client.query('insert into schema_migrations values ($1, $2)', [version, dirty])
  }
  if (change !== '') await client.query(change)
  return database
}

describe("somebody else's schema_migrations", () => {
  it('is drift for every command that reads it', async () => {
    const database = await anEmptyDatabase()
    await rowsOf(database.ownerUrl, 'create table schema_migrations (version varchar)')
    for (const command of ['up', 'down', 'plan', 'verify', 'version'] as const) {
      const error = await refusal(aMigrator(database)[command]())
      expect(error, command).toMatchObject({ code: 'drift', exitCode: 6 })
      expect(error.message).toContain(`neither ours nor golang-migrate's`)
    }
  })
})

describe('a database of golang-migrate at version 1', () => {
  it('is adopted where it stands: its rows stay, the table is converted, 0002 onward applies', async () => {
    const database = await aGolangDatabase({ change: `insert into tenants (slug, name) values ('acme', 'Acme Inc.')` })
    const ended = await run(['up'], { DATABASE_URL: database.ownerUrl, APP_VERSION: '1.2.3' })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.lines.map(({ event }) => event)).toContain('adopted')
    expect(ended.lines.at(-1)).toMatchObject({
      done: migrations.slice(1).map(({ name }) => name),
      version: latestVersion,
    })
    expect(await historyOf(database)).toEqual(
      migrations.map(({ version, name, checksum }) => ({
        version,
        name,
        checksum,
        dirty: false,
        min_app: null,
        app_version: '1.2.3',
      })),
    )
    expect(await rowsOf(database.ownerUrl, `select slug from tenants where slug <> 'platform'`)).toEqual([
      { slug: 'acme' },
    ])
  })

  it('has the same history table and the same schema afterwards as one that was ours from the start', async () => {
    const ours = await anEmptyDatabase()
    const adopted = await aGolangDatabase()
    await aMigrator(ours).up()
    await aMigrator(adopted).up()
    const columns = `select column_name, data_type, is_nullable, column_default from information_schema.columns
      where table_name = 'schema_migrations' order by column_name`
    const key = `select conname, pg_get_constraintdef(oid) from pg_constraint
      where conrelid = 'schema_migrations'::regclass and contype = 'p'`
    expect(await rowsOf(adopted.ownerUrl, columns)).toEqual(await rowsOf(ours.ownerUrl, columns))
    expect(await rowsOf(adopted.ownerUrl, key)).toEqual(await rowsOf(ours.ownerUrl, key))
    expect(await aMigrator(adopted).down({ all: true })).toMatchObject({ version: 0 })
  })

  it('is adopted once by 8 that try at the same time', async () => {
    const database = await aGolangDatabase()
    const outcomes = await Promise.all(Array.from({ length: 8 }, async () => aMigrator(database).up()))
    expect(outcomes.flatMap(({ done }) => done).sort()).toEqual(migrations.slice(1).map(({ name }) => name))
  })

  it.each([
    ['another precision of times', 'alter table tenants alter column created_at type timestamptz(3)'],
    [
      'another slug rule',
      `alter table tenants drop constraint tenants_slug_check, add constraint tenants_slug_check check (slug <> '')`,
    ],
    ['an index of its own', 'create index mine on tenants (name)'],
    ['a version table without a key', 'alter table schema_migrations drop constraint schema_migrations_pkey'],
    ['a version table whose columns may be null', 'alter table schema_migrations alter column dirty drop not null'],
  ])('may have %s', async (_, change) => {
    const database = await aGolangDatabase({ change })
    expect(await aMigrator(database).up()).toMatchObject({ version: latestVersion })
  })

  it.each<[string, string, string | RegExp]>([
    ['a table is missing', 'drop table api_keys', 'table api_keys is missing (a plain table)'],
    ['a table is foreign', 'create table teams (id int)', 'table teams is not part of version 1 (a plain table)'],
    ['a column is missing', 'alter table tenants drop column plan', 'column tenants.plan is missing (text)'],
    [
      'a key is missing',
      'alter table tenants drop constraint tenants_stripe_id_key',
      'key tenants_stripe_id_key of tenants is missing (UNIQUE (stripe_id))',
    ],
    ['a column is foreign', 'alter table tenants add x int', 'column tenants.x is not part of version 1 (integer)'],
    [
      'a type differs',
      'alter table tenants alter column name type varchar(100)',
      'column tenants.name is "character varying(100) not null", version 1 has "text not null"',
    ],
    [
      'a nullability differs',
      'alter table tenants alter column name drop not null',
      'column tenants.name is "text", version 1 has "text not null"',
    ],
    [
      'a label is foreign',
      `alter type idp_kind add value 'ldap'`,
      'enum idp_kind is "oidc, saml, ldap", version 1 has "oidc, saml"',
    ],
    [
      'labels have another order',
      `alter type idp_kind rename value 'oidc' to 'x'; alter type idp_kind rename value 'saml' to 'oidc';
       alter type idp_kind rename value 'x' to 'saml'`,
      'enum idp_kind is "saml, oidc", version 1 has "oidc, saml"',
    ],
    ['an enum is foreign', `create type mood as enum ('good')`, 'enum mood is not part of version 1 (good)'],
    [
      'a foreign key has another rule',
      `alter table api_keys drop constraint api_keys_tenant_id_fkey,
       add constraint api_keys_tenant_id_fkey foreign key (tenant_id) references tenants (id)`,
      /^foreign key api_keys_tenant_id_fkey of api_keys is "FOREIGN KEY .*tenants\(id\)", version 1 has ".*ON DELETE CASCADE"$/,
    ],
    [
      'a trigger is missing',
      'drop trigger tenants_set_updated_at on tenants',
      /^trigger tenants_set_updated_at of tenants is missing/,
    ],
    [
      'a trigger is disabled',
      'alter table tenants disable trigger tenants_set_updated_at',
      /^trigger tenants_set_updated_at of tenants is "disabled: /,
    ],
  ])('is refused as drift when %s, and nothing changes', async (_, change, finding) => {
    const database = await aGolangDatabase({ change })
    for (const command of ['up', 'plan', 'verify', 'down'] as const) {
      const error = await refusal(aMigrator(database)[command]())
      expect(error).toMatchObject({ code: 'drift', exitCode: 6 })
      expect(error.findings).toEqual([typeof finding === 'string' ? finding : expect.stringMatching(finding)])
    }
    expect(await rowsOf(database.ownerUrl, 'select * from schema_migrations')).toEqual([{ version: '1', dirty: false }])
  })

  it('is refused by 0002 naming the tenants whose slug does not fit, whatever its own rule was called', async () => {
    const database = await aGolangDatabase({
      change: `alter table tenants drop constraint tenants_slug_check, add constraint lax check (slug <> '');
        insert into tenants (slug, name) values ('Bad_Slug', 'Bad'), ('a--b', 'Double'), ('fine', 'Fine')`,
    })
    const error = await refusal(aMigrator(database).up())
    expect(error.message).toMatch(/tenants with a slug that the new rule refuses: Bad_Slug \([0-9a-f-]{36}\), a--b \(/)
    await rowsOf(
      database.ownerUrl,
      `update tenants set slug = 'mended-' || left(id::text, 8) where slug in ('Bad_Slug', 'a--b')`,
    )
    expect(await aMigrator(database).up()).toMatchObject({ version: migrations.length })
    await expect(
      rowsOf(database.ownerUrl, `insert into tenants (slug, name) values ('Bad_Slug', 'x')`),
    ).rejects.toThrow(/tenants_slug_check/)
  })

  it('names every difference, also on the command line', async () => {
    const database = await aGolangDatabase({ change: 'drop table audit_log; alter table tenants add x int' })
    const ended = await run(['up'], { DATABASE_URL: database.ownerUrl })
    expect(ended).toMatchObject({ code: 6, error: { code: 'drift' } })
    expect(ended.stderr).toContain('table audit_log is missing')
    expect(ended.stderr).toContain('column tenants.x is not part of version 1')
  })

  it('stands as not yet adopted in status, and plan says what follows without adopting', async () => {
    const database = await aGolangDatabase()
    expect(await aMigrator(database).status()).toMatchObject({ history: 'golang', version: 1, dirty: false })
    expect((await aMigrator(database).plan()).map(({ version }) => version)).toEqual(
      migrations.slice(1).map(({ version }) => version),
    )
    expect(await rowsOf(database.ownerUrl, 'select * from schema_migrations')).toEqual([{ version: '1', dirty: false }])
  })
})

describe('another database of golang-migrate', () => {
  it('dirty is refused with 5 until it is forced, and then compared all the same', async () => {
    const database = await aGolangDatabase({ dirty: true })
    const ended = await run(['up'], { DATABASE_URL: database.ownerUrl })
    expect(ended).toMatchObject({ code: 5, error: { code: 'dirty' } })
    await aMigrator(database).force(1)
    expect(await aMigrator(database).up()).toMatchObject({ version: latestVersion })

    const broken = await aGolangDatabase({ dirty: true, change: 'drop table audit_log' })
    await aMigrator(broken).force(1)
    expect(await refusal(aMigrator(broken).up())).toMatchObject({ exitCode: 6 })
  })

  it('a version above 1 is one that nobody here knows', async () => {
    const database = await aGolangDatabase({ version: 2 })
    const error = await refusal(aMigrator(database).up())
    expect(error).toMatchObject({ code: 'drift', exitCode: 6 })
    expect(error.message).toContain('version 2')
  })

  it('one that was migrated down to nothing begins with 0001', async () => {
    const database = await aGolangDatabase({ version: 0 })
    expect(await aMigrator(database).up()).toEqual({ done: migrations.map(({ name }) => name), version: latestVersion })
  })

  it('one without a version but with tables is refused, naming them', async () => {
    const database = await aGolangDatabase({ change: 'delete from schema_migrations' })
    const error = await refusal(aMigrator(database).up())
    expect(error.exitCode).toBe(6)
    expect(error.findings).toContain('table tenants')
  })

  it('a schema_migrations of somebody else is not touched', async () => {
    const database = await anEmptyDatabase()
    await rowsOf(database.ownerUrl, 'create table schema_migrations (id text)')
    for (const command of ['up', 'verify'] as const) {
      expect(await refusal(aMigrator(database)[command]())).toMatchObject({ exitCode: 6 })
    }
    expect(await refusal(aMigrator(database).force(1))).toMatchObject({ exitCode: 6 })
    expect(await rowsOf(database.ownerUrl, 'select * from schema_migrations')).toEqual([])
  })
})
