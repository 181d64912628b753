import { median } from '../measure.ts'
import { atMost, count, type Finding, judged, milliseconds, p99, section, type Verdict } from '../report.ts'
import type { IngestTimes } from './ingest.ts'
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
    counts.map(({ title, events, milliseconds: times }, at) => {
      if (rows === judgedRows) {
        const text = `exact count, ${title}: milliseconds for each 100,000 counted`
        verdicts.push(atMost(text, (median(times) * 100_000) / events, countTarget))
      }
      const before = at === 0 && unvacuumed.length > 0 ? `${median(unvacuumed).toFixed(1)} ms` : ''
      return [
        count(rows),
        title,
        count(events),
        `**${median(times).toFixed(1)} ms**`,
        `${p99(times).toFixed(1)} ms`,
        before,
      ]
    }),
  )
  const heads = ['events', 'scope', 'counted', 'p50', 'p99', 'never vacuumed, p50']
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

/** What goes in. */
export function aboutIngest(rows: number, times: readonly IngestTimes[]): Finding {
  const verdicts: Verdict[] = []
  const lines = times.map(({ load, rates, rounds }) => {
    const rate = median(rates)
    const text = `events in a second, ${load.title}: ${count(rate)}, target ${count(load.target)} at least`
    verdicts.push(judged(rate >= load.target, text))
    if (load.p99 !== undefined) {
      verdicts.push(atMost(`an event, ${load.title}: p99 in milliseconds`, median(rounds.map(p99)), load.p99))
    }
    return [
      load.title,
      String(load.connections),
      `**${count(rate)}** (${count(Math.min(...rates))} to ${count(Math.max(...rates))})`,
      milliseconds(rounds.map(median)),
      milliseconds(rounds.map(p99)),
    ]
  })
  const heads = ['`POST /v1/audit/events`', 'connections', 'events in a second', 'an answer, p50', 'p99']
  return { table: section(`What goes into a log of ${count(rows)} events, over HTTP`, heads, lines), verdicts }
}
