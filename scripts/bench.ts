/**
 * `pnpm bench`: what a request costs, beside the least it could cost. `--write` puts the result into
 * docs/benchmarks.md; `--rounds`, `--seconds` and `--only` make it shorter; `--profile folder` leaves a CPU profile of
 * the registry.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { exit } from 'node:process'
import { parseArgs } from 'node:util'
import { askProgram, type Generator, startGenerator } from './bench/children.ts'
import { type BenchDatabase, openDatabase, otherTenants } from './bench/database.ts'
import { keySubjects } from './bench/keys.ts'
import { measurePages } from './bench/list-pages.ts'
import { type Effort, measure, type Workload } from './bench/measure.ts'
import { page } from './bench/page.ts'
import { aboutEvaluator, aboutPages, aboutRequests, type Finding } from './bench/report.ts'
import { type Servers, startServers } from './bench/servers.ts'
import { reads, writes } from './bench/workloads.ts'
import { checkout } from './postgres/installation.ts'
import { takeLock } from './processes/lock.ts'

const options = readOptions()
const effort: Effort = {
  rounds: atLeastOne('rounds', options.rounds),
  seconds: atLeastOne('seconds', options.seconds),
  warmUpSeconds: 4,
  connections: 16,
}
/** What is measured, in this order. */
const subjects: readonly Subject[] = [
  ...reads.map(subjectOf),
  {
    title: 'pages of GET /v1/tenants',
    find: async ({ database, servers, tokens, generator }) =>
      aboutPages(await measurePages(database.url, servers.get('registry'), tokens, generator, effort, stop.signal)),
  },
  {
    title: 'evaluator',
    find: async () => aboutEvaluator(await askProgram('scripts/bench/evaluator.ts', { rounds: effort.rounds })),
  },
  ...keySubjects.map(({ title, find }) => ({
    title,
    find: async (scene: Scene) => await find({ ...scene, effort, signal: stop.signal }),
  })),
  // Last, so that the others find the same rows.
  ...writes.map(subjectOf),
]
const chosen = subjects.filter(({ title }) => title.includes(options.only))
if (chosen.length === 0) refuse(`--only ${options.only}: there is nothing of that name to measure`)
if (options.write && chosen.length < subjects.length) refuse('--write writes the whole page: leave --only away')

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
  const started = await startServers(database.url, options.profile, (close) => closers.push(close))
  const generator = startGenerator()
  closers.push(() => generator.stop())

  const findings: Finding[] = []
  for (const { title, find } of chosen) {
    console.log(`bench: ${title}`)
    findings.push(await find({ ...started, database, generator }))
  }
  console.log(`\n${findings.map(({ table }) => table).join('\n\n')}\n`)
  const verdicts = findings.flatMap((finding) => finding.verdicts)
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
  writeFileSync(join(checkout, 'docs/benchmarks.md'), page(findings, circumstances))
  console.log('bench: written to docs/benchmarks.md')
}

/** Everything that runs. */
interface Scene extends Servers {
  readonly database: BenchDatabase
  readonly generator: Generator
}

/** Something to find out about. */
interface Subject {
  readonly title: string
  readonly find: (scene: Scene) => Promise<Finding>
}

function subjectOf(workload: Workload): Subject {
  return {
    title: workload.title,
    find: async ({ servers, generator }) =>
      aboutRequests(workload, await measure(workload, servers, generator, effort, stop.signal)),
  }
}

function readOptions() {
  const known = {
    write: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '2' },
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
