/**
 * `pnpm bench:audit`: how long it takes to find something in a large log, to count it, and to put something in.
 * `--write` puts the result into docs/benchmarks-audit.md; `--rows` says how large (with commas between, the smallest
 * first), `--quick` is a quick look; `--keep` keeps the databases for the next run; `--postgres` is the folder of another
 * PostgreSQL than the embedded one.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { exit } from 'node:process'
import { parseArgs } from 'node:util'
import { measureBareInserts } from './bench/audit/bare.ts'
import { asOwner, openAuditDatabase } from './bench/audit/database.ts'
import { measureBareExpress, measureIngest } from './bench/audit/ingest.ts'
import { measureExports, measureVerification } from './bench/audit/outlets.ts'
import { auditPage } from './bench/audit/page.ts'
import { measureCounts, measureReads, sizesOf } from './bench/audit/reads.ts'
import {
  aboutCounts,
  aboutExports,
  aboutIngest,
  aboutReads,
  aboutSizes,
  aboutVerification,
  type SizeFindings,
} from './bench/audit/report.ts'
import { startBareExpress, startRegistry } from './bench/audit/server.ts'
import { startGenerator } from './bench/children.ts'
import type { Finding } from './bench/report.ts'
import { checkout } from './postgres/installation.ts'
import { takeLock } from './processes/lock.ts'

const options = readOptions()
const sizes = options.quick ? [100_000] : options.rows.split(',').map((text) => number('rows', text))
const rounds = options.quick ? 2 : number('rounds', options.rounds)
const subjects = ['pages', 'counts', 'exports', 'verification', 'ingest'] as const
const chosen = new Set(subjects.filter((subject) => subject.includes(options.only)))
if (chosen.size === 0) refuse(`--only ${options.only}: there are ${subjects.join(', ')}`)
if (options.write && (chosen.size < subjects.length || options.quick))
  refuse('--write writes the whole page: leave --only and --quick away')

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
const say = (text: string) => console.log(`bench: ${text}`)

const closers: (() => unknown)[] = []
const close = async () => {
  for (const each of closers.splice(0).toReversed()) await each()
}
let code = 0
try {
  await bench()
} catch (error) {
  console.error(`bench: ${stop.signal.aborted ? 'stopped' : error instanceof Error ? error.message : String(error)}`)
  code = 2
} finally {
  await close()
}
exit(code)

async function bench(): Promise<void> {
  const lock = takeLock(join(checkout, '.data', 'bench-audit.json'), {})
  if ('holder' in lock) throw new Error(`already running in this checkout: process ${lock.holder.pid}`)
  const found: SizeFindings[] = []
  let traffic: readonly Finding[] = []
  let postgres = ''
  try {
    for (const rows of sizes) {
      const measured = await measureSize(rows, rows === sizes.at(-1))
      found.push(measured.findings)
      traffic = measured.traffic
      postgres = measured.postgres
      await close()
    }
  } finally {
    lock.release()
  }
  const findings = [
    ...(chosen.has('pages') ? aboutReads(found) : []),
    ...(chosen.has('counts') ? [aboutCounts(found)] : []),
    ...traffic,
    aboutSizes(found),
  ]
  console.log(`\n${findings.map(({ table }) => table).join('\n\n')}\n`)
  const verdicts = findings.flatMap((finding) => finding.verdicts)
  for (const { text } of verdicts) say(text)
  if (verdicts.some(({ met }) => !met)) code = 1
  if (!options.write) return
  const processor = cpus()[0]?.model.trim() ?? 'unknown'
  const where = { cores: availableParallelism(), processor, node: process.versions.node, postgres, rounds }
  writeFileSync(join(checkout, 'docs/benchmarks-audit.md'), auditPage(findings, where))
  say('written to docs/benchmarks-audit.md')
}

/** Everything about a log of one size. What goes out and in is measured with the largest, last: it makes the log larger. */
async function measureSize(rows: number, isLargest: boolean) {
  say(`${rows.toLocaleString('en')} events`)
  const database = await openAuditDatabase(rows, options, stop.signal, say)
  closers.push(() => database.close())
  const { table, indexes } = await asOwner(database.url, sizesOf)
  const counts = chosen.has('counts') ? await measureCounts(database, rounds * 10) : []
  await database.restart()
  const registry = await startRegistry(database.url, (close) => closers.push(close))
  const generator = startGenerator()
  closers.push(() => generator.stop())
  if (chosen.has('pages')) say('pages')
  const reads = chosen.has('pages') ? await measureReads(database, registry, generator, rounds, stop.signal) : []
  const traffic: Finding[] = []
  const measure = async (subject: (typeof subjects)[number], work: () => Promise<Finding>) => {
    if (!isLargest || !chosen.has(subject)) return
    say(subject)
    traffic.push(await work())
  }
  await measure('exports', async () => {
    const effort = { rounds: Math.min(rounds, 3), eventsMax: options.quick ? 20_000 : 1_000_000 }
    return aboutExports(rows, await measureExports(registry, effort, stop.signal))
  })
  await measure('verification', async () => {
    const effort = { rounds, rows: options.quick ? 10_000 : 200_000 }
    return aboutVerification(await measureVerification(database, registry, effort, stop.signal))
  })
  await measure('ingest', async () => {
    const effort = { rounds, seconds: options.quick ? 2 : 5 }
    const times = await measureIngest(registry, generator, effort, stop.signal)
    const bareExpress = await startBareExpress(database.url, (close) => closers.push(close))
    const express = await measureBareExpress(bareExpress, generator, { ...effort, rounds: 2 }, stop.signal)
    const postgres = await measureBareInserts(database, { ...effort, rounds: 2 }, stop.signal)
    return aboutIngest(rows, times, { express, postgres })
  })
  const findings: SizeFindings = { rows, table, indexes, reads, counts, unvacuumed: database.unvacuumed }
  return { findings, traffic, postgres: database.description }
}

function readOptions() {
  const known = {
    write: { type: 'boolean', default: false },
    rows: { type: 'string', default: '1000000,10000000' },
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    postgres: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
  } as const
  try {
    return parseArgs({ options: known }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function number(name: string, text: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : refuse(`--${name} ${text}: a whole number from 1 on`)
}

function refuse(problem: string): never {
  console.error(`bench: ${problem}`)
  exit(2)
}
