import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMigrationFiles, latestVersion, MigrationError, migrations } from '@breakpilot/tenant-migrations'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TestDatabase } from '../postgres/database.ts'
import { run, start } from './command.ts'
import type { Ended } from './command.ts'
import { aClient, aMigrator, anEmptyDatabase, rowsOf, untilRunning } from './fixture.ts'

const names = migrations.map(({ name }) => name)

async function on(database: TestDatabase, ...args: string[]): Promise<Ended> {
  return run(args, { DATABASE_URL: database.ownerUrl })
}

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenant-migrate-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

describe('a migration of a database from the command line', () => {
  it('goes up, tells its version and status, goes down and leaves nothing', async () => {
    const database = await anEmptyDatabase()
    const last = async (...args: string[]): Promise<unknown> => (await on(database, ...args)).lines.at(-1)

    expect(await last('version')).toMatchObject({ event: 'version', version: 0, dirty: false, latest: latestVersion })
    expect(await last('up', '--dry-run')).toMatchObject({ event: 'dry-run', pending: names })
    expect(await last('up', '--to', '1')).toMatchObject({ event: 'up', done: names.slice(0, 1), version: 1 })
    expect(await last('up', '--steps', '1', '--dry-run')).toMatchObject({ pending: names.slice(1, 2) })
    expect(await last('up', '--steps', '1')).toMatchObject({ done: names.slice(1, 2), version: 2 })
    expect(await last('status')).toMatchObject({ version: 2, latest: latestVersion, history: 'ours' })
    expect(await last('up')).toMatchObject({ done: names.slice(2), version: latestVersion })
    expect(await last('verify')).toMatchObject({ event: 'verify', version: latestVersion })
    expect(await last('down')).toMatchObject({ event: 'down', done: names.slice(-1), version: latestVersion - 1 })
    expect(await last('down', '--to', '1')).toMatchObject({ version: 1 })
    expect(await last('up')).toMatchObject({ version: latestVersion })
    expect(await last('down', '--steps', '2')).toMatchObject({ version: latestVersion - 2 })
    expect(await last('down', '--all')).toMatchObject({ version: 0 })
    expect(await last('down', '--all')).toMatchObject({ done: [], version: 0 })
    expect(await last('force', String(latestVersion))).toMatchObject({ event: 'force', version: latestVersion })
    expect(await last('version')).toMatchObject({ version: latestVersion })
  })

  it('a dry run and a plan change nothing, and the plan is the SQL', async () => {
    const database = await anEmptyDatabase()
    await on(database, 'up', '--dry-run')
    const plan = await on(database, 'plan')
    expect(plan.lines).toMatchObject(
      migrations.map(({ version, name, up }) => ({ event: 'plan', version, name, sql: up })),
    )
    const tables = `select from pg_tables where schemaname = 'public'`
    expect(await rowsOf(database.ownerUrl, tables)).toEqual([])
  })

  it('speaks text with --no-json', async () => {
    const database = await anEmptyDatabase()
    const up = await on(database, 'up', '--no-json')
    expect(up.stdout).toBe(`applied ${names.join(', ')}; the database is at version ${latestVersion}\n`)
    expect((await on(database, '--no-json', 'up')).stdout).toBe(
      `nothing to do; the database is at version ${latestVersion}\n`,
    )
    expect((await on(database, 'version', '--no-json')).stdout).toBe(`${latestVersion}\n`)
    expect((await on(database, 'status', '--no-json')).stdout.split('\n')).toEqual([
      ...names.map(() => expect.stringMatching(/^\d{4}_\w+ +applied +\d{4}-\d\d-\d\dT/)),
      `version ${latestVersion} of ${latestVersion}`,
      '',
    ])
  })

  it('every line of its output is one JSON object where stdout is no terminal', async () => {
    const database = await anEmptyDatabase()
    const { stdout, lines } = await on(database, 'up')
    expect(lines).toHaveLength(stdout.trimEnd().split('\n').length)
    for (const line of lines)
      expect(line).toMatchObject({ time: expect.any(String), level: 'info', event: expect.any(String) })
  })

  it('reads the connection string from a file', async () => {
    const database = await anEmptyDatabase()
    const file = join(aFolder(), 'url')
    writeFileSync(file, `${database.ownerUrl}\n`)
    expect((await run(['version'], { DATABASE_URL_FILE: file })).code).toBe(0)
    expect((await run(['version'], { DATABASE_URL_FILE: `${file}.not` })).code).toBe(2)
    expect((await run(['version'], { DATABASE_URL_FILE: file, DATABASE_URL: database.ownerUrl })).code).toBe(2)
  })
})

describe('a usage error exits 2', () => {
  const url = 'postgres://nobody@127.0.0.1:1/none'
  it.each([
    ['no command', []],
    ['an unknown command', ['sideways']],
    ['an unknown option', ['up', '--fast']],
    ['too many arguments', ['up', 'now']],
    ['a version that is no number', ['up', '--to', 'two']],
    ['a negative version', ['up', '--to', '-1']],
    ['a fraction', ['down', '--steps', '1.5']],
    ['no steps', ['down', '--steps', '0']],
    ['two targets', ['down', '--to', '1', '--all']],
    ['two targets of up', ['up', '--to', '1', '--steps', '1']],
    ['a force without a version', ['force']],
    ['a force to no number', ['force', 'x']],
    ['a time without a unit', ['up', '--wait', '60']],
    ['a name that is none', ['create', 'Add Team']],
    ['a name that no file can have', ['create', 'a'.repeat(260)]],
  ])('%s', async (_, args) => {
    expect(await run(args, { DATABASE_URL: url, MIGRATE_WAIT: '0' })).toMatchObject({ code: 2, stdout: '' })
  })

  it.each([
    ['no DATABASE_URL', {}],
    ['a DATABASE_URL that is none', { DATABASE_URL: 'host=localhost dbname=x' }],
    ['a port that is none', { DATABASE_URL: 'postgres://a:b@localhost:port/x' }],
    ['an APP_ENV that is none', { DATABASE_URL: url, APP_ENV: 'production' }],
    ['a MIGRATE_WAIT that is none', { DATABASE_URL: url, MIGRATE_WAIT: 'long' }],
  ])('%s', async (_, env) => {
    expect(await run(['up'], env)).toMatchObject({ code: 2, error: { code: 'usage', exit_code: 2 } })
  })

  it('a version that does not exist', async () => {
    const database = await anEmptyDatabase()
    for (const args of [
      ['up', '--to', '9999'],
      ['down', '--to', '9999'],
      ['force', '9999'],
    ]) {
      expect(await on(database, ...args)).toMatchObject({ code: 2, error: { code: 'usage' } })
    }
  })

  it('help and the version of the program are no errors', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('up [options]') })
    expect(await run(['down', '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('--all') })
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
})

describe('the database', () => {
  it('is waited for until it is there', async () => {
    const database = await anEmptyDatabase()
    const target = new URL(database.ownerUrl)
    // A port that nobody listens on yet.
    const port = await new Promise<number>((resolve) => {
      const probe = createServer().listen(0, '127.0.0.1', () => {
        const { port: free } = probe.address() as AddressInfo
        probe.close(() => resolve(free))
      })
    })
    const late = new URL(target)
    late.hostname = '127.0.0.1'
    late.port = String(port)
    const running = start(['up', '--wait', '30s'], { DATABASE_URL: late.href })
    await new Promise<void>((resolve) => {
      running.process.stdout?.on('data', (text: string) => {
        if (text.includes('"waiting"')) resolve()
      })
    })
    const proxy = createServer((socket) => {
      const upstream = connect(Number(target.port || 5432), target.hostname)
      socket.pipe(upstream).pipe(socket)
      for (const end of [socket, upstream]) end.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => {
      proxy.listen(port, '127.0.0.1', resolve)
    })
    onTestFinished(() => void proxy.close())
    const ended = await running.ended
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.lines.filter(({ event }) => event === 'waiting')).toHaveLength(1)
    expect(ended.lines.at(-1)).toMatchObject({ version: latestVersion })
  })

  it('that never comes is exit 3, after the time and not long after', async () => {
    const started = performance.now()
    const env = { DATABASE_URL: 'postgres://owner:hunter2hunter2@127.0.0.1:1/registry', MIGRATE_WAIT: '1s' }
    expect(await run(['up'], env)).toMatchObject({ code: 3, error: { code: 'unreachable', exit_code: 3 } })
    expect(performance.now() - started).toBeLessThan(8_000)
  })

  it.each(['a wrong password', 'a database that does not exist', 'a role that does not exist'])(
    'with %s fails at once: waiting mends nothing',
    async (what) => {
      const database = await anEmptyDatabase()
      const url = new URL(database.ownerUrl)
      if (what.includes('password')) url.password = 'wrong'
      if (what.includes('database')) url.pathname = '/no_such_database'
      if (what.includes('role')) url.username = 'no_such_role'
      // A server that trusts everybody asks for no password at all.
      const client = await aClient(database.adminUrl)
      const trusted = await aClient(url.href).then(
        () => true,
        () => false,
      )
      await client.end()
      const started = performance.now()
      const ended = await run(['up', '--wait', '60s'], { DATABASE_URL: url.href })
      expect(ended).toMatchObject(trusted ? { code: 0 } : { code: 3, error: { code: 'unreachable' } })
      expect(performance.now() - started).toBeLessThan(10_000)
    },
  )
})

describe('secrets', () => {
  it('neither the connection string nor its password is ever printed', async () => {
    const database = await anEmptyDatabase()
    const secret = 'hunter2-is-secret'
    const good = new URL(database.ownerUrl)
    const variants = [
      database.ownerUrl,
      `postgres://owner:${secret}@127.0.0.1:1/registry`,
      `postgres://owner:${secret}@no-such-host.invalid/registry`,
      `postgres://owner:${secret}@127.0.0.1:port/registry`,
      `postgres://owner:${secret}@[broken/registry`,
      `postgres://${good.username}:${secret}@${good.host}/no_such_database`,
      `postgres://owner:${secret}@${good.host}${good.pathname}?sslmode=verify-full&sslrootcert=/none`,
      `host=localhost password=${secret}`,
      secret,
    ]
    for (const url of variants) {
      const commands = url === secret ? [['up'], ['--no-json', 'up', '--no-such-option']] : [['up']]
      for (const args of commands) {
        const { stdout, stderr } = await run(args, { DATABASE_URL: url, MIGRATE_WAIT: '100ms' })
        const printed = stdout + stderr
        expect(printed, printed).not.toContain(secret)
        expect(printed, printed).not.toContain('postgres://')
        if (good.password !== '') expect(printed, printed).not.toContain(good.password)
      }
    }
  })
})

describe('APP_ENV=prod', () => {
  it('refuses down and force without --i-know-this-is-prod, and nothing else', async () => {
    const database = await anEmptyDatabase()
    const env = { DATABASE_URL: database.ownerUrl, APP_ENV: 'prod' }
    expect((await run(['up'], env)).code).toBe(0)
    for (const args of [['down'], ['down', '--all'], ['force', '0']]) {
      expect(await run(args, env)).toMatchObject({ code: 9, error: { code: 'refused_in_prod', exit_code: 9 } })
    }
    expect(await aMigrator(database).version()).toEqual({ version: latestVersion, dirty: false })
    expect((await run(['down', '--i-know-this-is-prod'], env)).code).toBe(0)
    expect((await run(['force', String(latestVersion - 1), '--i-know-this-is-prod'], env)).code).toBe(0)
    expect((await run(['down', '--all'], { ...env, APP_ENV: 'stage' })).code).toBe(0)
  })
})

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('rolls the current step back and keeps those before it', async () => {
    const database = await anEmptyDatabase()
    await aMigrator(database).up({ to: 1 })
    // 0002 alters the table that another transaction is reading.
    const blocker = await aClient(database.ownerUrl)
    await blocker.query('begin; lock table api_keys in access share mode')
    const running = start(['up', '--lock-timeout', '60s'], { DATABASE_URL: database.ownerUrl })
    await untilRunning(database, 'create schema registry')
    running.process.kill(signal)
    const ended = await running.ended
    expect(ended).toMatchObject({ code: 1, error: { message: expect.stringContaining('interrupted') } })
    expect(await aMigrator(database).version()).toEqual({ version: 1, dirty: false })
    const busy = `select from pg_stat_activity where datname = current_database() and application_name = 'tenant-migrate'
      and pid <> pg_backend_pid()`
    expect(await rowsOf(database.adminUrl, busy)).toEqual([])
    await blocker.query('rollback')
    expect((await on(database, 'up')).code).toBe(0)
  })

  it('is heard while somebody accepts the connection and says nothing', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve)
    })
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    const accepted = new Promise((resolve) => silent.once('connection', resolve))
    const running = start(['up', '--wait', '10m'], { DATABASE_URL: `postgres://owner@127.0.0.1:${port}/registry` })
    await accepted
    const started = performance.now()
    running.process.kill(signal)
    expect(await running.ended).toMatchObject({
      code: 1,
      error: { message: expect.stringContaining('interrupted') },
    })
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('ends the wait for a database at once', async () => {
    const running = start(['up', '--wait', '10m'], { DATABASE_URL: 'postgres://owner@127.0.0.1:1/registry' })
    await new Promise((resolve) => running.process.stdout?.once('data', resolve))
    const started = performance.now()
    running.process.kill(signal)
    expect((await running.ended).code).toBe(1)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

describe('create', () => {
  it('makes the next pair of files, and never over one that is there', () => {
    const folder = aFolder()
    expect(createMigrationFiles('add_team_table', folder)).toEqual([
      join(folder, '0001_add_team_table.up.sql'),
      join(folder, '0001_add_team_table.down.sql'),
    ])
    expect(createMigrationFiles('more', folder)[0]).toBe(join(folder, '0002_more.up.sql'))
    expect(() => createMigrationFiles('../escape', folder)).toThrow(MigrationError)
    expect(createMigrationFiles('a'.repeat(60), folder)).toHaveLength(2)
    expect(() => createMigrationFiles('a'.repeat(61), folder)).toThrow(/at most 60/)
    expect(() => createMigrationFiles('later', join(folder, 'none'))).toThrow(/checkout/)
  })
})

describe('a name after --', () => {
  it('is judged like any other', async () => {
    const { code, error } = await run(['create', '--', 'Add Team'])
    expect({ code, error }).toMatchObject({
      code: 2,
      error: { message: expect.stringContaining('"Add Team" is no name') },
    })
  })
})

describe('the generated module', () => {
  it('is what the SQL files say', async () => {
    const script = fileURLToPath(new URL('../../packages/migrations/scripts/embed.ts', import.meta.url))
    expect(existsSync(script)).toBe(true)
    const code = await new Promise((resolve) => {
      spawn(process.execPath, ['--conditions=@breakpilot/source', script, '--check']).once('close', resolve)
    })
    expect(code).toBe(0)
  })
})
