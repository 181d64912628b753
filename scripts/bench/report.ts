import { type Effort, median, type Samples, type Workload } from './measure.ts'

/** One workload and what came of it. */
export interface Result {
  readonly workload: Workload
  readonly samples: Samples
}

/** The processor time of a server as a multiple of another's: of the medians, and the least and the most of a round. */
export function ratio(samples: Samples, name: string, of: string): { of: number; least: number; most: number } {
  const cpu = (server: string) => (samples.get(server) ?? []).map((sample) => sample.cpuMicroseconds)
  const base = cpu(of)
  const rounds = cpu(name).map((value, round) => value / (base[round] ?? Number.NaN))
  return { of: median(cpu(name)) / median(base), least: Math.min(...rounds), most: Math.max(...rounds) }
}

/** The tables, in Markdown. */
export function tables(results: readonly Result[]): string {
  return results.map(table).join('\n\n')
}

function table({ workload, samples }: Result): string {
  const [first = ''] = workload.servers
  const lines = workload.servers.map((name) => {
    const of = samples.get(name) ?? []
    const cpu = of.map((sample) => sample.cpuMicroseconds)
    const { of: multiple, least, most } = ratio(samples, name, first)
    return [
      name,
      `${median(cpu).toFixed(0)} µs (${Math.min(...cpu).toFixed(0)} to ${Math.max(...cpu).toFixed(0)})`,
      name === first ? '1' : `**${multiple.toFixed(2)}** (${least.toFixed(2)} to ${most.toFixed(2)})`,
      median(of.map((sample) => sample.requestsPerSecond)).toFixed(0),
    ]
  })
  const heads = ['', 'processor time per request', 'as a multiple', 'requests per second']
  const widths = heads.map((head, column) =>
    Math.max(head.length, 3, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  const pad = (cell: string, at: number) => (at ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))
  const row = (cells: readonly string[]) => `| ${cells.map(pad).join(' | ')} |`
  const rule = `| ${widths.map((width, at) => (at ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`
  return [`### \`${workload.title}\``, '', row(heads), rule, ...lines.map(row)].join('\n')
}

/** Says whether the target is met, where there is one. */
export function verdict({ workload, samples }: Result): { met: boolean; text: string } | undefined {
  const { target, servers, title } = workload
  if (target === undefined) return undefined
  const [first = ''] = servers
  const { of } = ratio(samples, 'registry', first)
  const met = of <= target
  const how = met ? 'met' : 'MISSED'
  return { met, text: `${title}: ${of.toFixed(2)} times ${first}, target ${target.toFixed(2)}: ${how}` }
}

/** What the machine is and how it was measured: everything a reader needs to compare, and no date. */
export interface Circumstances {
  readonly cores: number
  readonly processor: string
  readonly node: string
  readonly postgres: string
  readonly tenants: number
  readonly effort: Effort
}

/** The page `docs/benchmarks.md`. */
export function page(results: readonly Result[], { effort, ...where }: Circumstances): string {
  return `# Benchmarks

<!-- Written by \`pnpm bench --write\` (scripts/bench/report.ts). Do not edit. -->

What the registry costs on top of the least that a service in its place could be: **the processor time that Node.js
takes for one request**, and beside it the requests per second. \`make bench\` measures, \`pnpm bench --write\` measures
and writes this page.

- Machine: ${where.cores} cores (${where.processor}), shared by everything that runs, Node.js ${where.node}
- Database: ${where.postgres}, ${where.tenants} tenants
- Load: ${effort.connections} connections, ${effort.rounds} rounds of ${effort.seconds} s after ${effort.warmUpSeconds} s of warm-up

The numbers are medians of the rounds, the least and the most in parentheses.

${tables(results)}

## What is compared

- **registry**: the server as it ships (\`apps/server\`), with everything on that it does for a request: validation of
  what comes in, authentication in the mode \`off\` with its guard that answers local requests only, the request id,
  helmet's headers, the answer encoded by its schema, a line in the log for each request (standard output goes to a
  file). What it reads, it reads from the database every time; nothing of a tenant is cached.
- **bare Express**: \`scripts/bench/bare-express.ts\`. Express 5 with its defaults (which include an ETag for every
  answer), a \`pg\` pool with its defaults, the same row by one named prepared statement, \`response.json(row)\`. No
  validation, no log, no headers. Its \`POST\` inserts one row in one statement; the registry's is a transaction with the
  tenant, its hash-chained audit event and the head of that chain, which is what an audited write costs.
- **bare node:http**: \`scripts/bench/bare-node.ts\`, the same without Express.

## How to read it

- Processor time is \`process.cpuUsage()\` of the server's process, asked before and after each round: JavaScript, system
  calls, garbage collection and compilation together, PostgreSQL and the generator of load not. It says how many
  requests a core can serve, and it is far steadier than requests per second, which also depend on who else wants the
  cores: here the generator, PostgreSQL and the server share them.
- All servers run side by side in one run and take turns within every round. Only numbers of one run can be compared;
  the multiples carry over to other machines, the microseconds do not. What else the machine does widens the spread.
- Access tokens are not in here: with them a request also costs what the verification of a token does.
- The target for \`GET /v1/tenants/by-slug/{slug}\` is at most 1.45 times bare Express. \`pnpm bench\` ends with 1 when it is
  missed.
- \`pnpm bench --rounds 3 --seconds 1 --only by-slug\` is a quick look; \`--profile folder\` leaves a CPU profile of the
  registry there.
`
}
