import { appendEvents, createDb, housekeeping, type NewAuditEvent, streamOf, verifyLog } from '@breakpilot/tenant-core'
import type { ServerUnderLoad } from '../children.ts'
import type { AuditDatabase } from './database.ts'
import { largeTenant } from './events.ts'

/** How quickly events came out, and what the server had in its memory meanwhile. */
export interface ExportTimes {
  readonly title: string
  /** Events of each round: less than the most when there were no more. */
  readonly events: number
  /** Events in a second, round by round. */
  readonly rates: readonly number[]
  /** Bytes, after the first tenth and at the end: what of JavaScript's is still there once all garbage is gone. */
  readonly kept: readonly [number, number]
  /** Bytes that the process had at most. */
  readonly most: number
}

const exports = [
  { title: 'one tenant, NDJSON', query: { tenant_id: largeTenant, format: 'ndjson' } },
  { title: 'one tenant, CSV', query: { tenant_id: largeTenant, format: 'csv' } },
  { title: 'one product, NDJSON', query: { product: 'atlas', format: 'ndjson' } },
  { title: 'the whole log, NDJSON', query: { format: 'ndjson' } },
] as const

/** Takes so many events away, as an auditor does. */
export async function measureExports(
  registry: ServerUnderLoad,
  { rounds, eventsMax }: { readonly rounds: number; readonly eventsMax: number },
  signal: AbortSignal,
): Promise<ExportTimes[]> {
  const times: ExportTimes[] = []
  for (const { title, query } of exports) {
    const rates: number[] = []
    let events = 0
    await registry.watch()
    await takeAway(registry, query, eventsMax / 10, signal)
    const before = (await registry.seen()).memory
    for (let round = 0; round < rounds; round += 1) {
      const taken = await takeAway(registry, query, eventsMax, signal)
      events = taken.events
      rates.push(taken.events / taken.seconds)
    }
    const after = (await registry.seen()).memory
    times.push({ title, events, rates, kept: [before.kept, after.kept], most: after.most })
  }
  return times
}

const lineFeed = 0x0a

/** Reads an export until it has so many lines, or is over. */
async function takeAway(
  { port, token }: ServerUnderLoad,
  query: Readonly<Record<string, string>>,
  eventsMax: number,
  signal: AbortSignal,
): Promise<{ readonly events: number; readonly seconds: number }> {
  const enough = new AbortController()
  const startedAt = performance.now()
  const answer = await fetch(`http://127.0.0.1:${port}/v1/audit/export?${new URLSearchParams(query).toString()}`, {
    headers: { Authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, enough.signal]),
  })
  if (!answer.ok || !answer.body) throw new Error(`no export: ${answer.status} ${await answer.text()}`)
  let events = 0
  let seconds = 0
  for await (const chunk of answer.body) {
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) events += 1
    seconds = (performance.now() - startedAt) / 1_000
    if (events >= eventsMax) break
  }
  enough.abort()
  return { events, seconds }
}

/** How quickly a stream was verified. */
export interface VerificationTimes {
  readonly title: string
  readonly rows: number
  /** Rows in a second, round by round. */
  readonly rates: readonly number[]
}

/** Of a group of its own each time: a database that was kept has the one before. */
const group = `bench-verified-${Date.now()}`
const chained = { tenant_id: null, product: 'certifai', environment: 'live', group_id: group } as const

/** Verifies a stream that is as the registry writes it, which is made first. */
export async function measureVerification(
  database: AuditDatabase,
  registry: ServerUnderLoad,
  { rounds, rows }: { readonly rounds: number; readonly rows: number },
  signal: AbortSignal,
): Promise<VerificationTimes[]> {
  const db = createDb({ connectionString: database.url, poolSize: 2 })
  const stream = streamOf(chained)
  const inProcess = async () => {
    const problems: string[] = []
    const report = ({ code }: { readonly code: string }) => problems.push(code)
    const { rows: verified } = await verifyLog(db, { stream_id: stream, report, signal })
    return problems.length > 0 ? problems.join(', ') : verified
  }
  const overHttp = async () => {
    let verified = 0
    let cursor = ''
    do {
      signal.throwIfAborted()
      const answer = await fetch(`http://127.0.0.1:${registry.port}/v1/audit/verify`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${registry.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ stream_id: stream, ...(cursor && { cursor }) }),
        signal,
      })
      const page = (await answer.json()) as { intact: boolean; rows: number; next_cursor: string | null }
      if (!answer.ok || !page.intact) return JSON.stringify(page)
      verified += page.rows
      cursor = page.next_cursor ?? ''
    } while (cursor)
    return verified
  }
  try {
    for (let from = 0; from < rows; from += 1_000) {
      signal.throwIfAborted()
      const events = Array.from({ length: 1_000 }, (_, at) => eventOf(from + at))
      await housekeeping(db, async (tx) => await appendEvents(tx, events))
    }
    const ways = [
      { title: '`tenant-migrate audit-verify`, its function', verify: inProcess },
      { title: '`POST /v1/audit/verify`', verify: overHttp },
    ]
    const times: VerificationTimes[] = []
    for (const { title, verify } of ways) {
      const rates: number[] = []
      let verified = 0
      for (let round = 0; round <= rounds; round += 1) {
        const startedAt = performance.now()
        const found = await verify()
        if (typeof found === 'string' || found < rows) throw new Error(`not verified: ${found}`)
        verified = found
        if (round > 0) rates.push((found * 1_000) / (performance.now() - startedAt))
      }
      times.push({ title, rows: verified, rates })
    }
    return times
  } finally {
    await db.destroy()
  }
}

const eventOf = (number: number): NewAuditEvent => ({
  tenant_id: null,
  product: chained.product,
  environment: chained.environment,
  action: 'document.updated',
  crud: 'u',
  group: { id: group, name: 'Verified' },
  actor: { id: `person-${number % 977}@example.com`, name: `Person ${number % 977}` },
  target: { id: `thing-${number % 4_999}`, name: `Thing ${number % 4_999}`, type: 'report' },
  source_ip: `10.0.${number % 200}.1`,
  description: `Person ${number % 977} has looked at thing ${number % 4_999} for the quarterly review`,
  fields: [
    ['quality', 'good'],
    ['record_id', `record-${number}`],
  ],
  metadata: [['request_id', `bench-${number}`]],
})
