/**
 * `pnpm bench`: what a request costs, beside the least it could cost. `--write` puts the result into
 * docs/benchmarks.md; `--rounds`, `--seconds` and `--only` make it shorter; `--profile folder` leaves a CPU profile of
 * the registry.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { exit } from 'node:process'
import { parseArgs } from 'node:util'
import { type Start, startGenerator, startServer, type ServerUnderLoad } from './bench/children.ts'
import { openDatabase, otherTenants } from './bench/database.ts'
import { type Effort, measure, type Workload } from './bench/measure.ts'
import { page, type Result, tables, verdict } from './bench/report.ts'
import { checkout } from './postgres/installation.ts'
import { takeLock } from './processes/lock.ts'

const bySlug = '/v1/tenants/by-slug/acme'
const workloads: readonly Workload[] = [
  {
    title: 'GET /v1/tenants/by-slug/{slug}',
    order: { method: 'GET', path: bySlug, status: 200 },
    servers: ['bare Express', 'bare node:http', 'registry'],
    target: 1.45,
  },
  {
    title: 'GET /v1/tenants (a page of 50)',
    order: { method: 'GET', path: '/v1/tenants', status: 200 },
    servers: ['bare Express', 'registry'],
  },
  {
    title: 'POST /v1/tenants',
    order: { method: 'POST', path: '/v1/tenants', status: 201 },
    servers: ['bare Express', 'registry'],
  },
]

const { values: options } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    profile: { type: 'string' },
  },
})
const effort: Effort = {
  rounds: Number(options.rounds),
  seconds: Number(options.seconds),
  warmUpSeconds: 4,
  connections: 16,
}
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())

const closers: (() => unknown)[] = []
let code = 0
try {
  await bench()
} catch (error) {
  console.error(`bench: ${stop.signal.aborted ? 'stopped' : error instanceof Error ? error.message : String(error)}`)
  code = 2
} finally {
  for (const close of closers.toReversed()) await close()
}
exit(code)

async function bench(): Promise<void> {
  const lock = takeLock(join(checkout, '.data', 'bench.json'), {})
  if ('holder' in lock) throw new Error(`already running in this checkout: process ${lock.holder.pid}`)
  closers.push(() => lock.release())

  console.log('bench: a database, migrated and filled')
  const database = await openDatabase()
  closers.push(() => database.close())
  const servers = await startServers(database.url)
  const generator = startGenerator()
  closers.push(() => generator.stop())

  const results: Result[] = []
  for (const workload of workloads.filter(({ title }) => title.includes(options.only))) {
    console.log(`bench: ${workload.title}`)
    results.push({ workload, samples: await measure(workload, servers, generator, effort, stop.signal) })
  }
  console.log(`\n${tables(results)}\n`)
  const verdicts = results.map(verdict).filter((each) => each !== undefined)
  for (const { text } of verdicts) console.log(`bench: ${text}`)
  if (verdicts.some(({ met }) => !met)) code = 1
  if (!options.write) return
  const circumstances = {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    node: process.versions.node,
    postgres: database.description,
    tenants: otherTenants + 1,
    effort,
  }
  writeFileSync(join(checkout, 'docs/benchmarks.md'), page(results, circumstances))
  console.log('bench: written to docs/benchmarks.md')
}

async function startServers(databaseUrl: string): Promise<ReadonlyMap<string, ServerUnderLoad>> {
  const logs = mkdtempSync(join(tmpdir(), 'tenant-registry-bench-'))
  closers.push(() => rmSync(logs, { recursive: true, force: true }))
  const common = { DATABASE_URL: databaseUrl, NODE_ENV: 'production' }
  const bare = (entry: string): Start => ({
    entry,
    env: (port) => ({ ...common, PORT: String(port) }),
    output: '/dev/null',
    flags: [],
  })
  const starts: Readonly<Record<string, Start>> = {
    'bare Express': bare('scripts/bench/bare-express.ts'),
    'bare node:http': bare('scripts/bench/bare-node.ts'),
    registry: {
      entry: 'apps/server/src/main.ts',
      env: (port) => ({ ...common, ADDR: `127.0.0.1:${port}`, APP_ENV: 'dev', AUTH_MODE: 'off' }),
      output: join(logs, 'registry.log'),
      flags: options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`],
    },
  }
  const servers = new Map<string, ServerUnderLoad>()
  for (const [name, how] of Object.entries(starts)) {
    const server = await startServer(how, bySlug)
    closers.push(() => server.stop())
    servers.set(name, server)
  }
  return servers
}
