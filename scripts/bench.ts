/**
 * `pnpm bench`: what a request costs, beside the least it could cost. `--write` puts the result into
 * docs/benchmarks.md; `--rounds`, `--seconds` and `--only` make it shorter; `--profile folder` leaves a CPU profile of
 * the registry.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { exit } from 'node:process'
import { parseArgs } from 'node:util'
import { type Start, startGenerator, startServer, type ServerUnderLoad } from './bench/children.ts'
import { openDatabase, otherTenants } from './bench/database.ts'
import { type Effort, measure } from './bench/measure.ts'
import { page, type Result, tables, verdict } from './bench/report.ts'
import { bySlug, workloads } from './bench/workloads.ts'
import { checkout } from './postgres/installation.ts'
import { takeLock } from './processes/lock.ts'

const options = readOptions()
const effort: Effort = {
  rounds: atLeastOne('rounds', options.rounds),
  seconds: atLeastOne('seconds', options.seconds),
  warmUpSeconds: 4,
  connections: 16,
}
const chosen = workloads.filter(({ title }) => title.includes(options.only))
if (chosen.length === 0) refuse(`--only ${options.only}: there is no such workload`)
if (options.write && chosen.length < workloads.length) refuse('--write writes the whole page: leave --only away')

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
  for (const workload of chosen) {
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
  const log = join(checkout, '.data', 'bench.log')
  const discardLog = () => rmSync(log, { force: true })
  discardLog()
  closers.push(discardLog)
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
      output: log,
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

function readOptions() {
  const known = {
    write: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    profile: { type: 'string' },
  } as const
  try {
    return parseArgs({ options: known }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function atLeastOne(name: string, text: string): number {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : refuse(`--${name} ${text}: a whole number from 1 on`)
}

function refuse(problem: string): never {
  console.error(`bench: ${problem}`)
  exit(2)
}
