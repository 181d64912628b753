import { describe, expect, it } from 'vitest'
import { MigrationError } from './migration-error.ts'
import { checked, directivesOf, partitionIndexesOf } from './migration.ts'
import { migrations } from './migrations.gen.ts'
import { partitionIndexName } from './partition-index.ts'

const pair = (up: string, down = 'select 1') => [{ version: 1, name: '0001_x', checksum: '', up, down }]

describe('directives', () => {
  it('are read from the comments before the first statement', () => {
    const text = '-- Why.\n\n--migrate:  no-transaction\n-- migrate: min-app 7\nselect 1'
    expect(directivesOf('f', text)).toEqual({ noTransaction: true, minApp: 7, eachPartition: undefined })
  })

  it('are none when nothing is asked for', () => {
    expect(directivesOf('f', '-- migrates things\nselect 1')).toEqual({
      noTransaction: false,
      minApp: undefined,
      eachPartition: undefined,
    })
  })

  it.each([
    '-- migrate: no-transactions',
    '-- migrate: no-transaction please',
    '-- migrate: min-app',
    '-- migrate: min-app 0',
    '-- migrate: min-app 1.5',
    '-- migrate: each-partition tenants',
    '-- migrate:',
    'select 1;\n-- migrate: no-transaction',
  ])('a mistyped or misplaced one is refused: %s', (text) => {
    expect(() => directivesOf('0001_x.up.sql', text)).toThrow(/^0001_x\.up\.sql: /)
  })
})

describe('checked', () => {
  it.each([
    ['nothing in it', '-- later'],
    ['begin', 'begin; select 1'],
    ['commit', 'select 1; COMMIT'],
    ['start transaction', 'start  transaction'],
    ['rollback', 'rollback'],
    ['savepoint', 'savepoint a'],
    ['two statements without a transaction', '-- migrate: no-transaction\nselect 1; select 2'],
    ['both kinds of no transaction', '-- migrate: no-transaction\n-- migrate: each-partition audit_log\nselect 1'],
  ])('refuses a file with %s', (_, up) => {
    expect(() => checked(pair(up))).toThrow(MigrationError)
    expect(() => checked(pair('select 1', up))).toThrow(MigrationError)
  })

  it.each([
    ['set', `set statement_timeout = '1s'`],
    ['set with a comment', 'set/* for us */ search_path to registry'],
    ['set of a quoted name', `set "work_mem" = '1MB'`],
    ['set session', `SET SESSION time zone 'UTC'`],
    ['set role', 'select 1; set role other'],
    ['a setting that begins like local', 'set local_preload.x = 1'],
    ['reset', 'reset all'],
    ['discard', 'discard all'],
    ['listen', 'listen a'],
    ['prepare', 'prepare a as select 1'],
    ['a lock of the session', 'select pg_catalog.pg_advisory_lock (1)'],
    ['a lock of the session, shared and tried', 'select PG_TRY_ADVISORY_LOCK_SHARED(1)'],
  ])('refuses what outlives its transaction: %s', (_, up) => {
    expect(() => checked(pair(up))).toThrow(/^0001_x\.up\.sql: .* outlives the transaction/)
    expect(() => checked(pair('select 1', up))).toThrow(/^0001_x\.down\.sql: .* outlives the transaction/)
  })

  it.each([
    `set local statement_timeout = '1s'`,
    'set /* only here */ local work_mem to default',
    'set constraints all deferred',
    'update a set b = 1',
    `create function f() returns int language sql set search_path = public as $$ select 1; $$`,
    `do $$ begin set work_mem = '1MB'; perform pg_advisory_lock(1); end $$`,
    `comment on table a is 'reset; set x = 1; pg_advisory_lock(1)' -- set x = 1`,
    'select pg_advisory_xact_lock(1)',
    'create table settings (reset boolean)',
  ])('takes what ends with its transaction, or only looks otherwise: %s', (up) => {
    expect(checked(pair(up))).toHaveLength(1)
  })

  it("takes the project's own", () => {
    expect(checked(migrations)).toHaveLength(migrations.length)
  })

  it('takes what only looks like transaction control', () => {
    const up = `do $$ begin commit; end $$; create function f() returns int begin atomic select 1; end; select 'begin;'`
    expect(checked(pair(up))).toHaveLength(1)
  })

  it('refuses directives that mean nothing in a down file', () => {
    expect(() => checked(pair('select 1', '-- migrate: min-app 2\nselect 1'))).toThrow(/down file/)
  })

  it('orders by version and refuses a version twice', () => {
    const one = { version: 1, name: '0001_a', checksum: '', up: 'select 1', down: 'select 1' }
    const two = { ...one, version: 2, name: '0002_b' }
    expect(checked([two, one]).map(({ version }) => version)).toEqual([1, 2])
    expect(() => checked([one, { ...one, name: '0001_b' }])).toThrow(/twice/)
  })
})

describe('each-partition', () => {
  it('takes the statement apart', () => {
    const text = `-- migrate: each-partition audit_log
create unique index audit_log_new_idx on public.audit_log
  using btree (stream_id, received_at desc) include (crud) where crud <> 'r';`
    const first = {
      unique: true,
      name: 'audit_log_new_idx',
      rest: `using btree (stream_id, received_at desc) include (crud) where crud <> 'r'`,
    }
    expect(partitionIndexesOf('f', text)).toEqual([first])
    expect(partitionIndexesOf('f', `${text} create index other_idx on audit_log (id)`)).toEqual([
      first,
      { unique: false, name: 'other_idx', rest: '(id)' },
    ])
  })

  it.each([
    'create index on audit_log (id)',
    'create index a on tenants (id)',
    'create index concurrently a on audit_log (id)',
    'create index a on audit_log_2026_01 (id)',
    'create index a on audit_log (id); select 1',
    'create index a on audit_log (id); create index A on audit_log (crud)',
    `create index ${'a'.repeat(41)} on audit_log (id)`,
    'drop index a',
  ])('refuses %s', (sql) => {
    expect(() => partitionIndexesOf('f', sql)).toThrow(MigrationError)
  })

  it('names the index of a partition as the database names those of a new partition', () => {
    expect(partitionIndexName('audit_log_2026_01', 'audit_log_stream_seq_idx')).toBe('audit_log_2026_01_stream_seq_idx')
  })

  it('never makes a name of more than 40 bytes, and still one for each index', () => {
    const indexes = Array.from({ length: 40 }, (_, n) => `audit_log_${'x'.repeat(n)}`)
    const names = indexes.map((index) => partitionIndexName('audit_log_2026_01', index))
    expect(Math.max(...names.map((name) => name.length))).toBe(40)
    expect(new Set(names).size).toBe(indexes.length)
  })
})
