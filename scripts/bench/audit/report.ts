import { median } from '../measure.ts'
import { atMost, count, type Finding, judged, milliseconds, p99, section, type Verdict } from '../report.ts'
import type { IngestTimes } from './ingest.ts'
import type { ExportTimes, VerificationTimes } from './outlets.ts'
import type { CountTimes, IndexSize, ReadTimes } from './reads.ts'

/** What was found out about a log of some size. */
export interface SizeFindings {
  readonly rows: number
  readonly table: number
  readonly indexes: readonly IndexSize[]
  readonly reads: readonly ReadTimes[]
  readonly counts: readonly CountTimes[]
  /** The same before the log was ever vacuumed, in milliseconds, where that was seen. */
  readonly unvacuumed: readonly number[]
}

/** With how many events targets are judged. */
const judgedRows = 10_000_000
/** What a page of the largest log may take, as a multiple of the same of the smallest. */
const flatness = 1.5
const countTarget = 30
/** What an exact total of a search may take. */
const searchedCountTarget = 2_000
/** Rows in a second, of an export and of a verification. */
const rateTarget = 50_000
/** By how much the heap may be larger after an export than after a tenth of one. */
const heapGrowthMax = 16 * 1_048_576

/** How long each page takes, and what of it its targets say. */
export function aboutReads(sizes: readonly SizeFindings[]): Finding[] {
  const smallest = sizes[0]
  return sizes.map(({ rows, reads }) => {
    const verdicts: Verdict[] = []
    const lines = reads.map(({ view, cold, rounds }) => {
      const before =
        smallest?.rows === rows ? undefined : smallest?.reads.find((each) => each.view.title === view.title)
      const p50 = median(rounds.map(median))
      const multiple = before && p50 / median(before.rounds.map(median))
      if (rows === judgedRows && view.target !== undefined) {
        verdicts.push(atMost(`${view.title}: p99 in milliseconds`, median(rounds.map(p99)), view.target))
        if (view.flat && multiple !== undefined)
          verdicts.push(atMost(`${view.title}: times 1,000,000 events`, multiple, flatness))
      }
      return [
        view.title,
        `${cold.toFixed(1)} ms`,
        milliseconds(rounds.map(median)),
        milliseconds(rounds.map(p99)),
        multiple === undefined ? '' : `**${multiple.toFixed(2)}**`,
      ]
    })
    const heads = ['a page of 50', 'cold, once', 'warm, p50', 'warm, p99', `times ${count(smallest?.rows ?? 0)}`]
    return { table: section(`${count(rows)} events, over HTTP, vacuumed`, heads, lines), verdicts }
  })
}

/** How long counting takes. */
export function aboutCounts(sizes: readonly SizeFindings[]): Finding {
  const verdicts: Verdict[] = []
  const lines = sizes.flatMap(({ rows, counts, unvacuumed }) =>
    counts.map(({ title, scope, events, milliseconds: times, searches }, at) => {
      if (rows === judgedRows) {
        const text = `exact count, ${title}: milliseconds`
        verdicts.push(
          searches
            ? atMost(text, p99(times), searchedCountTarget)
            : atMost(`${text} for each 100,000 in the scope`, (median(times) * 100_000) / scope, countTarget),
        )
      }
      const before = at === 0 && unvacuumed.length > 0 ? `${median(unvacuumed).toFixed(1)} ms` : ''
      return [
        count(rows),
        title,
        count(scope),
        count(events),
        `**${median(times).toFixed(1)} ms**`,
        `${p99(times).toFixed(1)} ms`,
        before,
      ]
    }),
  )
  const heads = ['events', '', 'in the scope', 'counted', 'p50', 'p99', 'never vacuumed, p50']
  return { table: section('All events of a viewer’s scope, counted one by one, SQL', heads, lines), verdicts }
}

/** How much room everything takes. */
export function aboutSizes(sizes: readonly SizeFindings[]): Finding {
  const names = sizes.at(-1)?.indexes.map(({ name }) => name) ?? []
  const megabytes = (bytes: number) => `${count(bytes / 1_048_576)} MiB`
  const lines = [
    ['the rows', ...sizes.flatMap(({ table, rows }) => [megabytes(table), (table / rows).toFixed(0)])],
    ...names.map((name) => [
      `\`${name}\``,
      ...sizes.flatMap(({ indexes, rows }) => {
        const bytes = indexes.find((index) => index.name === name)?.bytes ?? 0
        return [megabytes(bytes), (bytes / rows).toFixed(0)]
      }),
    ]),
  ]
  const heads = ['', ...sizes.flatMap(({ rows }) => [`${count(rows)} events`, 'bytes of each'])]
  return { table: section('What takes how much room', heads, lines), verdicts: [] }
}

/** What comes out. */
export function aboutExports(rows: number, times: readonly ExportTimes[]): Finding {
  const verdicts: Verdict[] = []
  const megabytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(0)} MiB`
  const lines = times.map(({ title, events, rates, kept: [before, after], most }) => {
    verdicts.push(
      atLeast(`events in a second, export of ${title}`, median(rates), rateTarget),
      judged(
        after - before <= heapGrowthMax,
        `heap after an export of ${title}: ${megabytes(after)}, after a tenth of it ${megabytes(before)}`,
      ),
    )
    return [title, count(events), rateOf(rates), megabytes(before), megabytes(after), megabytes(most)]
  })
  const heads = [
    '`GET /v1/audit/export`',
    'events',
    'in a second',
    'heap, after a tenth',
    'at the end',
    'process at most',
  ]
  return { table: section(`What comes out of a log of ${count(rows)} events, over HTTP`, heads, lines), verdicts }
}

/** How quickly chains are verified. */
export function aboutVerification(times: readonly VerificationTimes[]): Finding {
  const lines = times.map(({ title, rows, rates }) => [title, count(rows), rateOf(rates)])
  const verdicts = times.map(({ title, rates }) => atLeast(`rows in a second, ${title}`, median(rates), rateTarget))
  return { table: section('A stream, verified', ['', 'rows', 'in a second'], lines), verdicts }
}

const rateOf = (rates: readonly number[]) =>
  `**${count(median(rates))}** (${count(Math.min(...rates))} to ${count(Math.max(...rates))})`

const atLeast = (text: string, figure: number, target: number, spell = count): Verdict =>
  judged(figure >= target, `${text}: ${spell(figure)}, target ${spell(target)} at least`)

/** What goes in. */
export function aboutIngest(
  rows: number,
  times: readonly IngestTimes[],
  bare: { readonly express: readonly IngestTimes[]; readonly postgres: readonly number[] },
): Finding {
  const verdicts: Verdict[] = []
  const lines = times.map(({ load, rates, rounds }, at) => {
    const rate = median(rates)
    const express = median(bare.express[at]?.rates ?? [])
    if (load.target !== undefined) verdicts.push(atLeast(`events in a second, ${load.title}`, rate, load.target))
    if (load.share !== undefined) {
      const share = `times bare Express, ${load.title}`
      verdicts.push(atLeast(share, rate / express, load.share, (times) => times.toFixed(2)))
    }
    if (load.p99 !== undefined) {
      verdicts.push(atMost(`an event, ${load.title}: p99 in milliseconds`, median(rounds.map(p99)), load.p99))
    }
    return [
      load.title,
      String(load.connections),
      rateOf(rates),
      milliseconds(rounds.map(median)),
      milliseconds(rounds.map(p99)),
      `${count(express)}, **${(rate / express).toFixed(2)}**`,
      `**${(rate / median(bare.postgres)).toFixed(2)}**`,
    ]
  })
  const heads = [
    '`POST /v1/audit/events`',
    'connections',
    'events in a second',
    'an answer, p50',
    'p99',
    'bare Express, and as a share of it',
    `share of bare inserts, ${rateOf(bare.postgres)}`,
  ]
  return { table: section(`What goes into a log of ${count(rows)} events, over HTTP`, heads, lines), verdicts }
}
