import { latestVersion, migrations } from '@breakpilot/tenant-migrations'
import { describe, expect, it, onTestFinished } from 'vitest'
import { aTransactionPooler } from '../postgres/transaction-pooler.ts'
import { aClient, aMigration, aMigrator, anEmptyDatabase, historyOf, refusal, rowsOf } from './fixture.ts'

describe('behind a pooler in transaction mode', () => {
  it('8 migrate at once, go down and up again, and no session keeps a setting, a statement or a lock', async () => {
    const database = await anEmptyDatabase()
    const sessions = 5
    const pooler = await aTransactionPooler(database.ownerUrl, sessions)
    onTestFinished(async () => pooler.close())
    const options = {
      connectionString: pooler.url,
      runtimeRole: database.runtimeRole,
      signal: new AbortController().signal,
    }

    const outcomes = await Promise.all(Array.from({ length: 8 }, async () => aMigrator(database, options).up()))
    expect(outcomes.flatMap(({ done }) => done).sort()).toEqual(migrations.map(({ name }) => name))
    expect(await aMigrator(database, options).down({ all: true })).toMatchObject({ version: 0 })
    expect(await aMigrator(database, options).up()).toMatchObject({ version: latestVersion })

    const client = await aClient(pooler.url)
    const seen = new Set<unknown>()
    for (let session = 0; session < sessions; session += 1) {
      const { rows } = await client.query<{
        pid: number
        kept: unknown
      }>(`select pg_backend_pid() as pid, json_build_array(
        (select json_agg(name) from pg_settings where source = 'session'),
        (select json_agg(name) from pg_prepared_statements)) as kept`)
      expect(rows[0]?.kept).toEqual([null, null])
      seen.add(rows[0]?.pid)
    }
    expect(seen.size).toBe(sessions)
    const locks = `select from pg_locks where locktype = 'advisory' and database = (
      select oid from pg_database where datname = current_database())`
    expect(await rowsOf(database.adminUrl, locks)).toEqual([])
  })

  it('a step that runs beside the lock keeps others out just as well', async () => {
    const database = await anEmptyDatabase()
    const pooler = await aTransactionPooler(database.ownerUrl, 6)
    onTestFinished(async () => pooler.close())
    const set = [
      aMigration(1, 'create table runs (n integer)'),
      aMigration(2, '-- migrate: no-transaction\ninsert into public.runs select 2 from pg_sleep(0.5)'),
      aMigration(3, '-- migrate: no-transaction\ncreate index concurrently runs_n_idx on public.runs (n)'),
    ]
    const options = { connectionString: pooler.url, migrations: set }
    await Promise.all(Array.from({ length: 3 }, async () => aMigrator(database, options).up()))
    expect(await rowsOf(database.ownerUrl, 'select n from runs')).toEqual([{ n: 2 }])
  })

  it('a bound of time that cannot be lifted refuses such a step before it leaves a mark', async () => {
    const database = await anEmptyDatabase()
    await rowsOf(database.ownerUrl, `alter database ${database.name} set statement_timeout = '300ms'`)
    const pooler = await aTransactionPooler(database.ownerUrl, 4)
    onTestFinished(async () => pooler.close())
    const set = [
      aMigration(1, 'create table runs (n integer); select pg_sleep(0.5)'),
      aMigration(2, '-- migrate: no-transaction\ncreate index concurrently runs_n_idx on public.runs (n)'),
    ]
    const error = await refusal(aMigrator(database, { connectionString: pooler.url, migrations: set }).up())
    expect(error).toMatchObject({ code: 'usage', exitCode: 2 })
    expect(error.message).toMatch(/^0002_step\.up\.sql .*statement_timeout.* direct connection/)
    expect(await historyOf(database)).toMatchObject([{ version: 1, dirty: false }])
    expect(await aMigrator(database, { migrations: set }).up()).toEqual({ done: ['0002_step'], version: 2 })
  })
})
