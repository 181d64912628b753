import type { EvaluatorRates } from './evaluator.ts'
import type { PageTimes } from './list-pages.ts'
import { median, type Samples, type Workload } from './measure.ts'
import { pageTargets } from './views.ts'

/** Whether a target is met, in words. */
export interface Verdict {
  readonly met: boolean
  readonly text: string
}

/** What was found out about one thing. */
export interface Finding {
  /** A heading and a table, in Markdown. */
  readonly table: string
  readonly verdicts: readonly Verdict[]
}

/** The processor time of a server as a multiple of another's: the median, the least and the most of the rounds. */
function ratio(samples: Samples, name: string, of: string): { median: number; least: number; most: number } {
  const cpu = (server: string) => (samples.get(server) ?? []).map((sample) => sample.cpuMicroseconds)
  const base = cpu(of)
  const rounds = cpu(name).map((value, round) => value / (base[round] ?? Number.NaN))
  return { median: median(rounds), least: Math.min(...rounds), most: Math.max(...rounds) }
}

/** What the servers take for one request. */
export function aboutRequests({ title, servers, target }: Workload, samples: Samples): Finding {
  const [first = ''] = servers
  const lines = servers.map((name) => {
    const of = samples.get(name) ?? []
    const cpu = of.map((sample) => sample.cpuMicroseconds)
    const multiple = ratio(samples, name, first)
    return [
      name,
      `${median(cpu).toFixed(0)} µs (${Math.min(...cpu).toFixed(0)} to ${Math.max(...cpu).toFixed(0)})`,
      name === first
        ? '1'
        : `**${multiple.median.toFixed(2)}** (${multiple.least.toFixed(2)} to ${multiple.most.toFixed(2)})`,
      median(of.map((sample) => sample.requestsPerSecond)).toFixed(0),
    ]
  })
  const heads = ['', 'processor time per request', 'as a multiple', 'requests per second']
  const found = ratio(samples, 'registry', first).median
  return {
    table: section(`\`${title}\``, heads, lines),
    verdicts: target === undefined ? [] : [atMost(`${title}: times ${first}`, found, target)],
  }
}

/** How long pages take, one after the other. */
export function aboutPages(pages: readonly PageTimes[]): Finding {
  const lines: string[][] = []
  const verdicts: Verdict[] = []
  for (const { view, after, registry, sql } of pages) {
    const first = pages.find((page) => page.view === view)?.registry ?? []
    const depth = median(registry.map((times, round) => median(times) / median(first[round] ?? [])))
    const place = after ? `after ${after.toLocaleString('en')}` : 'first'
    lines.push([
      view.title,
      place,
      milliseconds(registry.map(median)),
      milliseconds(registry.map(p99)),
      after ? `**${depth.toFixed(2)}**` : '1',
      milliseconds(sql.map(median)),
      milliseconds(sql.map(p99)),
    ])
    const what = `a page, ${view.title}, ${place}`
    verdicts.push(atMost(`${what}: p99 in milliseconds`, median(registry.map(p99)), pageTargets.p99Milliseconds))
    if (after) verdicts.push(atMost(`${what}: times the first`, depth, pageTargets.depth))
  }
  const heads = ['a page of 50', 'page', 'p50', 'p99', 'as a multiple', 'SQL alone, p50', 'SQL alone, p99']
  return { table: section('The pages of `GET /v1/tenants`, one request at a time', heads, lines), verdicts }
}

/** The least evaluations that one core should make in a second. */
const evaluationsTarget = 500_000

/** How fast the evaluator is. */
export function aboutEvaluator({ products, bytes, rates }: EvaluatorRates): Finding {
  const lines = Object.entries(rates).map(([name, of]) => [
    name,
    `**${count(median(of))}** (${count(Math.min(...of))} to ${count(Math.max(...of))})`,
    count(median(of) * products),
  ])
  const heads = ['', 'tenants per second', 'products per second']
  const found = median(rates['evaluate'] ?? [])
  const text = `evaluations of a tenant with ${products} products: ${count(found)} per second and core, target ${count(evaluationsTarget)}`
  return {
    table: section(
      `What a tenant with ${products} products may use (${bytes} bytes of JSON), on one core`,
      heads,
      lines,
    ),
    verdicts: [judged(found >= evaluationsTarget, text)],
  }
}

export const count = (value: number) => Math.round(value).toLocaleString('en')

export const milliseconds = (rounds: readonly number[]) =>
  `${median(rounds).toFixed(1)} ms (${Math.min(...rounds).toFixed(1)} to ${Math.max(...rounds).toFixed(1)})`

/** What 99 of 100 times are not longer than. */
export function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN
}

export function atMost(what: string, found: number, target: number): Verdict {
  return judged(found <= target, `${what}: ${found.toFixed(2)}, target ${target}`)
}

export function judged(met: boolean, text: string): Verdict {
  return { met, text: `${text}: ${met ? 'met' : 'MISSED'}` }
}

export function section(title: string, heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, 3, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  const pad = (cell: string, at: number) => (at ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))
  const row = (cells: readonly string[]) => `| ${cells.map(pad).join(' | ')} |`
  const rule = `| ${widths.map((width, at) => (at ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`
  return [`### ${title}`, '', row(heads), rule, ...lines.map(row)].join('\n')
}
