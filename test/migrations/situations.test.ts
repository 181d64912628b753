import { latestVersion, migrations, schemaStatus } from '@breakpilot/tenant-migrations'
import { describe, expect, it } from 'vitest'
import { run, start } from './command.ts'
import { aClient, aMigration, aMigrator, anEmptyDatabase, historyOf, refusal, rowsOf, untilRunning } from './fixture.ts'

const tablesOf = async (url: string): Promise<string[]> =>
  (
    await rowsOf<{ name: string }>(
      url,
      `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' order by 1`,
    )
  ).map(({ name }) => name)

describe('nothing to do', () => {
  it('up again changes nothing and exits 0', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database).up()
    const before = await rowsOf(database.ownerUrl, 'select * from schema_migrations order by version')
    const ended = await run(['up'], { DATABASE_URL: database.ownerUrl })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.lines.at(-1)).toMatchObject({ event: 'up', done: [], version: latestVersion })
    expect(await rowsOf(database.ownerUrl, 'select * from schema_migrations order by version')).toEqual(before)
  })
})

describe('many at once', () => {
  it('8 processes that run up on an empty database all exit 0, and every migration ran once', async () => {
    const database = await anEmptyDatabase()
    const env = { DATABASE_URL: database.ownerUrl, RUNTIME_ROLE: database.runtimeRole }
    const ended = await Promise.all(Array.from({ length: 8 }, async () => run(['up'], env)))
    expect(ended.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(Array(8).fill('0'))
    const applied = ended.flatMap(({ lines }) => lines).filter(({ event }) => event === 'applied')
    expect(applied.map(({ version }) => Number(version)).sort((a, b) => a - b)).toEqual(
      migrations.map(({ version }) => version),
    )
    expect(await historyOf(database)).toHaveLength(migrations.length)
  })

  it('8 at once with a body that would notice a second run, and one step without a transaction', async () => {
    const database = await anEmptyDatabase()
    const set = [
      aMigration(1, 'create table runs (step integer); insert into runs values (1); select pg_sleep(0.2)'),
      aMigration(2, '-- migrate: no-transaction\ninsert into public.runs select 2 from pg_sleep(0.3)'),
      aMigration(3, '-- migrate: no-transaction\ncreate index concurrently runs_step_idx on public.runs (step)'),
      aMigration(4, 'insert into runs values (4)'),
    ]
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async () => aMigrator(database, { migrations: set }).up()),
    )
    expect(outcomes.map(({ version }) => version)).toEqual(Array(8).fill(4))
    expect(outcomes.flatMap(({ done }) => done).sort()).toEqual(set.map(({ name }) => name))
    expect(await rowsOf(database.ownerUrl, 'select step from runs order by step')).toEqual([
      { step: 1 },
      { step: 2 },
      { step: 4 },
    ])
  })

  it('who waits too long for another one exits with the lock timeout and has changed nothing', async () => {
    const database = await anEmptyDatabase()
    const set = [aMigration(1, 'create table a (); select pg_sleep(2)')]
    const first = aMigrator(database, { migrations: set }).up()
    await untilRunning(database, 'pg_sleep(2)')
    const error = await refusal(aMigrator(database, { migrations: set, lockWaitMs: 200 }).up())
    expect(error).toMatchObject({ code: 'lock_timeout', exitCode: 4 })
    expect(await first).toEqual({ done: ['0001_step'], version: 1 })
  })
})

describe('a table that is locked', () => {
  it('ends the step with the lock timeout; nothing is recorded, and the next run applies it', async () => {
    const database = await anEmptyDatabase()
    const create = aMigration(1, 'create table a ()')
    await aMigrator(database, { migrations: [create] }).up()
    const set = [create, aMigration(2, 'create table b (); alter table a add column n integer')]
    const holder = await aClient(database.ownerUrl)
    await holder.query('begin; lock table a in access share mode')
    const error = await refusal(aMigrator(database, { migrations: set, lockTimeoutMs: 100 }).up())
    expect(error).toMatchObject({ code: 'lock_timeout', exitCode: 4 })
    expect(await tablesOf(database.ownerUrl)).toEqual(['a'])
    await holder.query('rollback')
    expect(await aMigrator(database, { migrations: set }).up()).toEqual({ done: ['0002_step'], version: 2 })
  })
})

describe('a migration that fails', () => {
  it('is rolled back, nothing is recorded, its file and line are named, and the mended file applies without force', async () => {
    const database = await anEmptyDatabase()
    const first = aMigration(1, 'create table a ()')
    const broken = aMigration(2, 'create table b ();\n\nselect nonsense')
    const error = await refusal(aMigrator(database, { migrations: [first, broken] }).up())
    expect(error).toMatchObject({ code: 'failed', exitCode: 1 })
    expect(error.message).toBe('0002_step.up.sql line 3: column "nonsense" does not exist (42703)')
    expect(await tablesOf(database.ownerUrl)).toEqual(['a'])
    expect(await historyOf(database)).toHaveLength(1)

    const mended = aMigration(2, 'create table b ()')
    expect(await aMigrator(database, { migrations: [first, mended] }).up()).toEqual({ done: ['0002_step'], version: 2 })
  })

  it('names its file also when a deferred constraint notices, and is not said to be applied', async () => {
    const database = await anEmptyDatabase()
    const deferred = aMigration(
      1,
      `create table a (n integer unique deferrable initially deferred);
       insert into a values (1), (1)`,
    )
    const migrator = aMigrator(database, { migrations: [deferred] })
    const error = await refusal(migrator.up())
    expect(error).toMatchObject({ code: 'failed', exitCode: 1 })
    expect(error.message).toMatch(/^0001_step\.up\.sql: .*a_n_key.*\(23505\)/)
    expect(migrator.entries.map(({ event }) => event)).toEqual(['applying'])
  })

  it.each(['applied', 'reverted'])(
    'a step is said to be %s only when nothing can roll it back any more',
    async (told) => {
      const database = await anEmptyDatabase()
      const set = [aMigration(1, 'create table a ()', 'drop table a')]
      if (told === 'reverted') await aMigrator(database, { migrations: set }).up()
      const stop = new AbortController()
      const migrator = aMigrator(database, {
        migrations: set,
        signal: stop.signal,
        // Whoever stops us at this word must find it true.
        log: ({ event }) => {
          if (event === told) stop.abort()
        },
      })
      await migrator[told === 'applied' ? 'up' : 'down']().catch(() => undefined)
      expect(stop.signal.aborted).toBe(true)
      expect(await tablesOf(database.ownerUrl)).toEqual(told === 'applied' ? ['a'] : [])
    },
  )

  it('a down that fails is rolled back too, and the version stays', async () => {
    const database = await anEmptyDatabase()
    const set = [aMigration(1, 'create table a ()', 'drop table a; drop table missing')]
    await aMigrator(database, { migrations: set }).up()
    expect(await refusal(aMigrator(database, { migrations: set }).down())).toMatchObject({ exitCode: 1 })
    expect(await tablesOf(database.ownerUrl)).toEqual(['a'])
    expect(await aMigrator(database, { migrations: set }).version()).toEqual({ version: 1, dirty: false })
  })

  it('0002 refuses data that does not fit and names the rows', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database).up({ to: 1 })
    await rowsOf(database.ownerUrl, `insert into tenants (slug, name) values ('ac--me', 'A'), ('fine', 'B')`)
    const error = await refusal(aMigrator(database).up())
    expect(error.exitCode).toBe(1)
    expect(error.message).toContain('ac--me')
    expect(error.message).not.toContain('fine')
    expect(await aMigrator(database).version()).toEqual({ version: 1, dirty: false })
  })
})

describe('a file that was edited after it was applied', () => {
  it('is refused as drift, by every command that builds on it, naming the file', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: [aMigration(1, 'create table a ()')] }).up()
    const set = [aMigration(1, 'create table a (n integer)'), aMigration(2, 'create table b ()')]
    const migrator = aMigrator(database, { migrations: set })
    for (const command of ['up', 'down', 'plan', 'verify'] as const) {
      expect(await refusal(migrator[command]())).toMatchObject({
        code: 'drift',
        exitCode: 6,
        findings: ['0001_step.up.sql'],
      })
    }
    expect(await tablesOf(database.ownerUrl)).toEqual(['a'])
    const { migrations: states } = await migrator.status()
    expect(states.map(({ state }) => state)).toEqual(['drift', 'pending'])
  })

  it('a file that is gone is drift too', async () => {
    const database = await anEmptyDatabase()
    const [a, b, c] = [1, 2, 3].map((version) => aMigration(version, `create table t${version} ()`))
    if (!a || !b || !c) throw new Error('three were made')
    await aMigrator(database, { migrations: [a, b, c] }).up()
    const error = await refusal(aMigrator(database, { migrations: [a, c] }).up())
    expect(error).toMatchObject({ exitCode: 6, findings: ['0002_step.up.sql'] })
  })
})

describe('a late lower version', () => {
  const [one, two, three] = [1, 2, 3].map((version) => aMigration(version, `create table t${version} ()`))
  const set = [one, two, three].filter((migration) => migration !== undefined)

  it('is refused as out of order, and applied with allowOutOfOrder', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: set.filter(({ version }) => version !== 2) }).up()
    const error = await refusal(aMigrator(database, { migrations: set }).up())
    expect(error).toMatchObject({ code: 'out_of_order', exitCode: 7, findings: ['0002_step'] })
    expect(await tablesOf(database.ownerUrl)).toEqual(['t1', 't3'])

    const allowing = aMigrator(database, { migrations: set, allowOutOfOrder: true })
    expect(await allowing.up()).toEqual({ done: ['0002_step'], version: 3 })
    expect(await tablesOf(database.ownerUrl)).toEqual(['t1', 't2', 't3'])
  })
})

describe('a database that is newer than the image', () => {
  const older = [aMigration(1, 'create table a ()')]
  const newer = [...older, aMigration(2, 'create table b ()')]

  it('is left alone with a warning: a roll-back must not crash-loop', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: newer }).up()
    const migrator = aMigrator(database, { migrations: older })
    expect(await migrator.up()).toEqual({ done: [], version: 2 })
    expect(migrator.entries).toMatchObject([{ level: 'warn', event: 'ahead', version: 2, latest: 1 }])
    const { migrations: states } = await migrator.status()
    expect(states.map(({ state }) => state)).toEqual(['applied', 'ahead'])
  })

  it('is left alone also when the newer image left a step unfinished', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: older }).up()
    const broken = aMigration(2, '-- migrate: no-transaction\nselect nonsense')
    await refusal(aMigrator(database, { migrations: [...older, broken] }).up())
    expect(await aMigrator(database, { migrations: older }).up()).toEqual({ done: [], version: 1 })
    expect(await aMigrator(database, { migrations: older }).version()).toEqual({ version: 1, dirty: true })
  })

  it('is neither reverted nor forced by an image that does not know what is there', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database, { migrations: newer }).up()
    const migrator = aMigrator(database, { migrations: older })
    expect(await refusal(migrator.down())).toMatchObject({ exitCode: 8, findings: ['0002_step'] })
    expect(await refusal(migrator.force(1))).toMatchObject({ exitCode: 8 })
    expect(await historyOf(database)).toHaveLength(2)
  })

  it('refuses an image below its min-app, and not one that has it', async () => {
    const database = await anEmptyDatabase()
    const breaking = [...newer, aMigration(3, '-- Old code cannot read this.\n-- migrate: min-app 2\ndrop table a')]
    await aMigrator(database, { migrations: breaking }).up()
    expect(await refusal(aMigrator(database, { migrations: older }).up())).toMatchObject({
      code: 'app_too_old',
      exitCode: 8,
    })
    expect(await aMigrator(database, { migrations: newer }).up()).toEqual({ done: [], version: 3 })
  })

  it('the real image exits 0 with a warning, and 8 below min-app', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database).up()
    const next = aMigration(latestVersion + 1, 'create table registry.later ()')
    await aMigrator(database, { migrations: [...migrations, next] }).up()
    const tolerated = await run(['up'], { DATABASE_URL: database.ownerUrl })
    expect(tolerated.code).toBe(0)
    expect(tolerated.lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'ahead' }))

    await rowsOf(database.ownerUrl, `update schema_migrations set min_app = version where version > ${latestVersion}`)
    const refused = await run(['up'], { DATABASE_URL: database.ownerUrl })
    expect(refused).toMatchObject({ code: 8, error: { code: 'app_too_old', exit_code: 8 } })
  })
})

describe('a process that is killed in mid-migration', () => {
  it('leaves nothing behind: the next run succeeds without force', async () => {
    const database = await anEmptyDatabase()
    // A type of the same name that is not committed yet holds 0001 up, after it has begun.
    const blocker = await aClient(database.ownerUrl)
    await blocker.query(`begin; create type tenant_project_status as enum ('x')`)
    const { process: child, ended } = start(['up', '--lock-timeout', '60s'], { DATABASE_URL: database.ownerUrl })
    await untilRunning(database, 'create type tenant_project_status')
    child.kill('SIGKILL')
    await ended
    await blocker.query('rollback')

    const again = await run(['up'], { DATABASE_URL: database.ownerUrl })
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.lines.at(-1)).toMatchObject({ done: migrations.map(({ name }) => name), version: latestVersion })
  })

  it('gives the lock back although its statement would have run for minutes', async () => {
    const database = await anEmptyDatabase()
    const blocker = await aClient(database.ownerUrl)
    await blocker.query(`begin; create type tenant_project_status as enum ('x')`)
    const { process: child, ended } = start(['up', '--lock-timeout', '10m'], { DATABASE_URL: database.ownerUrl })
    await untilRunning(database, 'create type tenant_project_status')
    child.kill('SIGKILL')
    await ended
    const empty = [aMigration(1, 'create table other ()')]
    expect(await aMigrator(database, { migrations: empty, lockWaitMs: 15_000 }).up()).toMatchObject({ version: 1 })
  })
})

describe('schemaStatus', () => {
  it('tells a server whether it may run on the database, as the role it runs as', async () => {
    const database = await anEmptyDatabase()
    const client = await aClient(database.runtimeUrl)
    expect(await schemaStatus(client)).toEqual({ version: 0, dirty: false, state: 'older', minApp: 0 })
    await aMigrator(database, { runtimeRole: database.runtimeRole }).up({ to: 1 })
    expect(await schemaStatus(client)).toEqual({ version: 1, dirty: false, state: 'older', minApp: 0 })
    await aMigrator(database, { runtimeRole: database.runtimeRole }).up()
    expect(await schemaStatus(client)).toEqual({ version: latestVersion, dirty: false, state: 'equal', minApp: 0 })

    const next = latestVersion + 1
    const insert = (minApp: string): string =>
      `insert into schema_migrations (version, name, checksum, duration_ms, min_app, dirty)
       values (${next}, 'next', '', 0, ${minApp}, true)`
    await rowsOf(database.ownerUrl, insert('null'))
    // A step under way on a newer version is no reason to stop serving from this one.
    expect(await schemaStatus(client)).toEqual({ version: latestVersion, dirty: true, state: 'equal', minApp: 0 })
    await rowsOf(database.ownerUrl, `update schema_migrations set dirty = false where version = ${next}`)
    expect(await schemaStatus(client)).toEqual({ version: next, dirty: false, state: 'newer', minApp: 0 })
    await rowsOf(database.ownerUrl, `update schema_migrations set min_app = ${next} where version = ${next}`)
    expect(await schemaStatus(client)).toEqual({ version: next, dirty: false, state: 'too_new', minApp: next })
  })
})
