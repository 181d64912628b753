import {
  createDb,
  type Db,
  everything,
  getTenant,
  requestPurge,
  type Tenant,
  Transition,
  transitionTenant,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../apps/server/src/config.ts'
import type { JobIntervals } from '../../apps/server/src/jobs-of-registry.ts'
import { type Job, startJobs } from '../../apps/server/src/jobs.ts'
import { createLog } from '../../apps/server/src/log.ts'
import { type RunningServer, startServer } from '../../apps/server/src/server.ts'
import { aTenant, eventsOf, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aRelay } from '../postgres/relay.ts'

let database: TestDatabase
let db: Db
let servers: RunningServer[]
beforeEach(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  servers = []
})
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  await db.destroy()
  await database.drop()
})

/** Starts a server whose jobs run all the time, those that the test is about. */
async function aServer(jobs: JobIntervals, url = database.runtimeUrl) {
  const { log, logger } = aLog()
  const env = { APP_ENV: 'dev', AUTH_MODE: 'off', ADDR: '127.0.0.1:0', DATABASE_URL: url }
  servers.push(await startServer(readConfig(env), logger, { jobs }))
  return log
}

function aLog() {
  const log: Record<string, unknown>[] = []
  const write = (line: string) => log.push(JSON.parse(line) as Record<string, unknown>)
  return { log, logger: createLog('debug', { write }) }
}

const aTrialThatEnds = () => aTenant(db, { trial_ends_at: new Date(Date.now() + 300).toISOString() })
const actionsOf = async ({ id }: Tenant) => (await eventsOf(db, id)).map(({ action }) => action)
const rowOf = async ({ id }: Tenant) =>
  await db.selectFrom('tenants').select(['status', 'status_changed_at']).where('id', '=', id).executeTakeFirst()

describe('the trials', () => {
  it('end once, at the moment that they were to end, however many servers there are', async () => {
    const logs = await Promise.all([aServer({ trials: 5 }), aServer({ trials: 5 })])
    const trial = await aTrialThatEnds()
    await until(async () => (await rowOf(trial))?.status === 'frozen')
    expect((await rowOf(trial))?.status_changed_at).toEqual(trial.trial_ends_at)
    // A second trial, for which both had their turns again after the first one.
    const next = await aTrialThatEnds()
    await until(async () => (await rowOf(next))?.status === 'frozen')
    await Promise.all(servers.splice(0).map((server) => server.stop()))

    for (const tenant of [trial, next]) expect(await actionsOf(tenant)).toEqual(['tenant.created', 'tenant.frozen'])
    const [, frozen] = await eventsOf(db, trial.id)
    expect(frozen).toMatchObject({ actor_id: 'trial-end' })
    const swept = logs.flat().flatMap(({ job, done }) => (job === 'trials' && typeof done === 'number' ? [done] : []))
    expect(swept.reduce((all, each) => all + each, 0)).toBe(2)
    expect(logs.flat().filter(({ level }) => level === 'error')).toEqual([])
  })

  it('end also when the database was away at that moment', async () => {
    const relay = await aRelay(database.runtimeUrl)
    const log = await aServer({ trials: 20 }, relay.url)
    await relay.refuse()
    const trial = await aTrialThatEnds()
    await until(() => log.some(({ job, msg }) => job === 'trials' && msg === 'the job failed; it is tried again'))
    expect((await rowOf(trial))?.status).toBe('trial')
    await relay.restore()
    await until(async () => (await rowOf(trial))?.status === 'frozen')
    expect((await rowOf(trial))?.status_changed_at).toEqual(trial.trial_ends_at)
    expect(await actionsOf(trial)).toEqual(['tenant.created', 'tenant.frozen'])
    await Promise.all(servers.splice(0).map((server) => server.stop()))
    await relay.close()
  })
})

describe('the other jobs', () => {
  it('take away tenants whose purge was asked for', async () => {
    const tenant = await aTenant(db)
    const step = Transition.parse({ to: 'archived', reason: 'offboarding' })
    await transitionTenant(db, testActor, testCatalogue, tenant.id, step, { purgeAfterDays: 0 })
    await requestPurge(db, testActor, tenant.id, { slug: tenant.slug })
    await Promise.all([aServer({ purge: 5 }), aServer({ purge: 5 })])
    await until(async () => (await rowOf(tenant)) === undefined)
    await expect(getTenant(db, everything, tenant.id)).rejects.toMatchObject({ code: 'tenant.not_found' })
    expect((await eventsOf(db, tenant.id)).at(-1)).toMatchObject({ action: 'tenant.purged', actor_id: 'purge-job' })
  })

  it('clean the feed, and make the partitions that are missing, beginning soon after the start', async () => {
    await aTenant(db)
    await sql`update registry.changes set at = now() - interval '8 days'`.execute(db)
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    const { rows } = await owner.query<{ name: string }>(
      `select max(inhrelid::regclass::text) as name from pg_inherits where inhparent = 'audit_log'::regclass`,
    )
    const [{ name } = { name: '' }] = rows
    await owner.query(`drop table ${name}`)
    await aServer({ changes: 50, 'audit-partitions': 50 })
    await until(
      async () =>
        (await owner.query<{ there: boolean }>(`select to_regclass($1) is not null as there`, [name])).rows[0]?.there ??
        false,
    )
    await until(async () => (await db.selectFrom('registry.changes').select('n').execute()).length === 0)
    await owner.end()
  })
})

/** Starts a job on its own, and collects what it logs. */
function run(job: Job) {
  const { log, logger } = aLog()
  return { log, ...startJobs([job], logger) }
}

describe('startJobs', () => {
  it('never runs a job beside itself, and lets the step under way end before it stops', async () => {
    const held = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    const jobs = run({
      name: 'slow',
      everyMs: 1,
      run: async () => {
        running += 1
        most = Math.max(most, running)
        begun.resolve()
        await held.promise
        running -= 1
      },
    })
    await begun.promise
    // Many times its interval.
    await new Promise((done) => setTimeout(done, 50))
    let stopped = false
    const stopping = jobs.stop().then(() => (stopped = true))
    await new Promise((done) => setImmediate(done))
    expect({ stopped, most }).toEqual({ stopped: false, most: 1 })
    held.resolve()
    await stopping
    expect(running).toBe(0)
  })

  it('goes on after failures, and says only when they begin and end', async () => {
    let runs = 0
    const again = Promise.withResolvers<void>()
    const jobs = run({
      name: 'shaky',
      everyMs: 1,
      run: async () => {
        runs += 1
        if (runs <= 3) throw new Error('not now')
        if (runs === 6) again.resolve()
      },
    })
    await again.promise
    await jobs.stop()
    expect(
      jobs.log.filter(({ level }) => level !== 'debug').map(({ level, msg, job }) => ({ level, msg, job })),
    ).toEqual([
      { level: 'warn', msg: 'the job failed; it is tried again', job: 'shaky' },
      { level: 'info', msg: 'the job works again', job: 'shaky' },
    ])
  })
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setTimeout(done, 20))
}
