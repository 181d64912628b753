import { setTimeout as delay } from 'node:timers/promises'
import { migrations } from '@breakpilot/tenant-migrations'
import type { Migration } from '@breakpilot/tenant-migrations'
import { describe, expect, it } from 'vitest'
import {
  aClient,
  aMigration,
  aMigrator,
  anEmptyDatabase,
  historyOf,
  refusal,
  rowsOf,
  until,
  untilRunning,
} from './fixture.ts'

describe('no-transaction', () => {
  const table = aMigration(1, 'create table public.a (n integer)')
  const index = aMigration(
    2,
    '-- migrate: no-transaction\ncreate unique index concurrently a_n_idx on public.a (n)',
    '-- migrate: no-transaction\ndrop index concurrently public.a_n_idx',
  )
  const set = [table, index]
  const indexesOf = `select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = 'public.a'::regclass`

  it('runs what cannot run in a transaction, up and down', async () => {
    const database = await anEmptyDatabase()
    const migrator = aMigrator(database, { migrations: set })
    await migrator.up()
    expect(await rowsOf(database.ownerUrl, indexesOf)).toEqual([{ name: 'a_n_idx', valid: true }])
    expect(await historyOf(database)).toMatchObject([{ dirty: false }, { dirty: false }])
    expect(await migrator.down()).toEqual({ done: ['0002_step'], version: 1 })
    expect(await rowsOf(database.ownerUrl, indexesOf)).toEqual([])
    expect(await historyOf(database)).toHaveLength(1)
  })

  it('a failure leaves a dirty mark that refuses with 5 until the version is forced', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: [table] }).up()
    await rowsOf(database.ownerUrl, 'insert into a values (1), (1)')
    const migrator = aMigrator(database, { migrations: set })
    expect(await refusal(migrator.up())).toMatchObject({ code: 'failed', exitCode: 1 })
    for (const command of ['up', 'down', 'plan', 'verify'] as const) {
      expect(await refusal(migrator[command]())).toMatchObject({ code: 'dirty', exitCode: 5, findings: ['0002_step'] })
    }
    expect(await migrator.version()).toEqual({ version: 1, dirty: true })
    expect((await migrator.status()).migrations.map(({ state }) => state)).toEqual(['applied', 'dirty'])

    // Repaired by hand: what the failed statement left is taken away, and so is what it failed on.
    await rowsOf(database.ownerUrl, 'drop index a_n_idx; delete from a')
    await migrator.force(1)
    expect(await migrator.up()).toEqual({ done: ['0002_step'], version: 2 })
  })

  it('force to the version itself says that it is there', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: [table] }).up()
    await rowsOf(database.ownerUrl, 'insert into a values (1), (1)')
    const migrator = aMigrator(database, { migrations: set })
    await refusal(migrator.up())
    await migrator.force(2)
    expect(await migrator.up()).toEqual({ done: [], version: 2 })
    expect(await migrator.version()).toEqual({ version: 2, dirty: false })
  })

  it('no bound of time of the role or of ours cuts it short, and a down neither', async () => {
    const database = await anEmptyDatabase()
    await rowsOf(database.ownerUrl, `alter database ${database.name} set statement_timeout = '300ms'`)
    await rowsOf(database.ownerUrl, `alter database ${database.name} set lock_timeout = '200ms'`)
    const slow = aMigration(
      2,
      '-- migrate: no-transaction\nselect pg_sleep(0.6)',
      '-- migrate: no-transaction\nselect pg_sleep(0.6)',
    )
    const migrator = aMigrator(database, { migrations: [table, slow] })
    expect(await migrator.up()).toEqual({ done: ['0001_step', '0002_step'], version: 2 })
    expect(await migrator.down()).toEqual({ done: ['0002_step'], version: 1 })

    // Making an index concurrently waits for this older transaction, for longer than any lock may be waited for.
    const writer = await aClient(database.ownerUrl)
    await writer.query('begin; insert into a values (1)')
    const running = aMigrator(database, { migrations: set, lockTimeoutMs: 100 }).up()
    await untilRunning(database, 'index concurrently a_n_idx')
    await delay(700)
    await writer.query('commit')
    expect(await running).toEqual({ done: ['0002_step'], version: 2 })
  })

  it('one that somebody else cancels names its file', async () => {
    const database = await anEmptyDatabase()
    const slow = aMigration(1, '-- migrate: no-transaction\nselect pg_sleep(30)')
    const failure = refusal(aMigrator(database, { migrations: [slow], signal: new AbortController().signal }).up())
    await untilRunning(database, 'pg_sleep(30)')
    await rowsOf(
      database.adminUrl,
      `select pg_cancel_backend(pid) from pg_stat_activity
       where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`,
    )
    const { code, message } = await failure
    expect(code).toBe('failed')
    expect(message).toMatch(/^0001_step\.up\.sql: .*\(57014\)$/)
  })

  it('a lost lock stops what runs: without it another process could begin', async () => {
    const database = await anEmptyDatabase()
    const slow = aMigration(1, '-- migrate: no-transaction\nselect pg_sleep(30)')
    const failure = refusal(aMigrator(database, { migrations: [slow] }).up())
    await untilRunning(database, 'pg_sleep(30)')
    const admin = await aClient(database.adminUrl)
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'`)
    expect((await failure).exitCode).not.toBe(0)
    await until('the statement has ended', async () => {
      const { rows } = await admin.query(`select from pg_stat_activity
        where datname = current_database() and query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()`)
      return rows.length === 0
    })
  })
})

describe('each-partition audit_log', () => {
  const log = aMigration(
    1,
    `create schema registry;
     create table audit_log (id integer, received_at date not null) partition by range (received_at);
     create table registry.audit_log_2026_01 partition of audit_log for values from ('2026-01-01') to ('2026-02-01');
     create table registry.audit_log_2026_02 partition of audit_log for values from ('2026-02-01') to ('2026-03-01');
     insert into audit_log values (1, '2026-01-05'), (2, '2026-02-05')`,
  )
  const index = aMigration(
    2,
    '-- migrate: each-partition audit_log\ncreate index audit_log_id_idx on audit_log (id) where id > 0;',
    'drop index audit_log_id_idx',
  )
  const set: Migration[] = [log, index]
  const indexesOf = `select c.relnamespace::regnamespace::text || '.' || c.relname as name, i.indisvalid as valid,
      (select inhparent::regclass::text from pg_inherits where inhrelid = c.oid) as parent
    from pg_index i join pg_class c on c.oid = i.indexrelid order by c.relname`
  const indexed = async (url: string): Promise<unknown[]> =>
    (await rowsOf<{ name: string }>(url, indexesOf)).filter(({ name }) => name.includes('audit_log'))
  const whole = [
    { name: 'registry.audit_log_2026_01_id_idx', valid: true, parent: 'audit_log_id_idx' },
    { name: 'registry.audit_log_2026_02_id_idx', valid: true, parent: 'audit_log_id_idx' },
    { name: 'public.audit_log_id_idx', valid: true, parent: null },
  ]

  it('indexes every partition concurrently, attaches each, and the parent ends valid', async () => {
    const database = await anEmptyDatabase()
    const migrator = aMigrator(database, { migrations: set })
    await migrator.up()
    expect(await indexed(database.ownerUrl)).toEqual(whole)
    expect(await historyOf(database)).toMatchObject([{ dirty: false }, { dirty: false }])
    await migrator.down()
    expect(await indexed(database.ownerUrl)).toEqual([])
  })

  it('a partition made later has the index too', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: set }).up()
    await rowsOf(
      database.ownerUrl,
      `create table registry.audit_log_2026_03 partition of audit_log for values from ('2026-03-01') to ('2026-04-01')`,
    )
    expect(await indexed(database.ownerUrl)).toHaveLength(4)
    expect(await rowsOf(database.ownerUrl, `select from pg_index where not indisvalid`)).toEqual([])
  })

  it('works on a log without partitions', async () => {
    const database = await anEmptyDatabase()
    const bare = aMigration(1, 'create table audit_log (id integer, received_at date) partition by range (received_at)')
    await aMigrator(database, { migrations: [bare, index] }).up()
    expect(await indexed(database.ownerUrl)).toEqual([{ name: 'public.audit_log_id_idx', valid: true, parent: null }])
  })

  it.each([
    ['after the dirty mark', ''],
    ['after the index of the parent', 'create index audit_log_id_idx on only audit_log (id) where id > 0'],
    [
      'between an index and its attachment',
      `create index audit_log_id_idx on only audit_log (id) where id > 0;
       create index audit_log_2026_01_id_idx on registry.audit_log_2026_01 (id) where id > 0`,
    ],
    [
      'after one partition',
      `create index audit_log_id_idx on only audit_log (id) where id > 0;
       create index audit_log_2026_01_id_idx on registry.audit_log_2026_01 (id) where id > 0;
       alter index audit_log_id_idx attach partition registry.audit_log_2026_01_id_idx`,
    ],
  ])('a run that was killed %s is finished by the next, without force', async (_, state) => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: [log] }).up()
    const client = await aClient(database.ownerUrl)
    await client.query(
      `insert into schema_migrations (version, name, checksum, duration_ms, dirty) values (2, '0002_step', $1, 0, true)`,
      [index.checksum],
    )
    if (state !== '') await client.query(state)
    const migrator = aMigrator(database, { migrations: set })
    expect(await migrator.version()).toEqual({ version: 1, dirty: true })
    expect(await migrator.up()).toEqual({ done: ['0002_step'], version: 2 })
    expect(await indexed(database.ownerUrl)).toEqual(whole)
    expect(await migrator.version()).toEqual({ version: 2, dirty: false })
  })

  it('one that was interrupted while an index was being made drops the invalid leftover and makes it anew', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: [log] }).up()
    // Making an index concurrently waits for this older transaction.
    const writer = await aClient(database.ownerUrl)
    await writer.query(`begin; insert into registry.audit_log_2026_02 values (3, '2026-02-06')`)
    const stop = new AbortController()
    const first = refusal(aMigrator(database, { migrations: set, signal: stop.signal }).up())
    await untilRunning(database, 'concurrently if not exists "audit_log_2026_02_id_idx"')
    stop.abort()
    expect((await first).exitCode).toBe(1)
    const invalid = `select indexrelid::regclass::text as name from pg_index where not indisvalid order by 1`
    expect(await rowsOf(database.ownerUrl, invalid)).toEqual([
      { name: 'audit_log_id_idx' },
      { name: 'registry.audit_log_2026_02_id_idx' },
    ])
    await writer.query('rollback')
    expect(await aMigrator(database, { migrations: set }).up()).toEqual({ done: ['0002_step'], version: 2 })
    expect(await indexed(database.ownerUrl)).toEqual(whole)
  })

  it('writers are not held up while it runs', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: [log] }).up()
    const writer = await aClient(database.ownerUrl)
    await writer.query(`begin; insert into registry.audit_log_2026_02 values (3, '2026-02-06')`)
    const running = aMigrator(database, { migrations: set }).up()
    await untilRunning(database, 'concurrently if not exists "audit_log_2026_02_id_idx"')
    const other = await aClient(database.ownerUrl)
    await other.query(`set lock_timeout = '2s'; insert into audit_log values (4, '2026-02-07'), (5, '2026-01-07')`)
    await writer.query('commit')
    await running
    expect(await rowsOf(database.ownerUrl, 'select count(*)::int from audit_log')).toEqual([{ count: 5 }])
  })

  it('the real log takes it on every partition there is', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database).up()
    const next = migrations.length + 1
    const added = {
      ...aMigration(
        next,
        '-- migrate: each-partition audit_log\ncreate index audit_log_component_idx on audit_log (component)',
      ),
    }
    await aMigrator(database, { migrations: [...migrations, added] }).up()
    const partitions = await rowsOf<{ count: number }>(
      database.ownerUrl,
      `select count(*)::int from pg_inherits where inhparent = 'audit_log'::regclass`,
    )
    const made = await rowsOf<{ count: number }>(
      database.ownerUrl,
      `select count(*)::int from pg_inherits where inhparent = 'audit_log_component_idx'::regclass`,
    )
    expect(partitions[0]?.count).toBeGreaterThan(12)
    expect(made).toEqual(partitions)
  })
})
