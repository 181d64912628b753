import { createDb, everything, RecordedEventQuery, RegistryError, TenantId } from '@breakpilot/tenant-core'
import type { Client } from 'pg'
import { countEvents } from '../../../packages/core/src/audit/recorded-event.repository.ts'
import { searchAuditEvents } from '../../../packages/core/src/audit/retraced/search.service.ts'
import type { Generator, ServerUnderLoad } from '../children.ts'
import { asOwner, type AuditDatabase } from './database.ts'
import { countScope, largeTenant } from './events.ts'
import { type View, viewsOf, word } from './views.ts'

/**
 * One of the slowest in a hundred says little, and the first few behind other questions are slow: ten of a thousand are not
 * all of those. Of what takes long anyway it would take too long.
 */
export const requestsOfRound = { page: 1_000, other: 100 } as const

/** How long the answers to one question took, in milliseconds. */
export interface ReadTimes {
  readonly view: View
  /** The very first answer after the database was started, by a server that was started after it. */
  readonly cold: number
  /** All others, round by round, over one connection. */
  readonly rounds: readonly (readonly number[])[]
}

/** How long it took to count, in milliseconds, and what came out. */
export interface CountTimes {
  readonly title: string
  /** Events in the scope, of which those of some kinds are counted. */
  readonly scope: number
  readonly events: number
  readonly milliseconds: readonly number[]
  /** Whether words are looked for, which no index counts. */
  readonly searches?: true
}

/** Asks everything once, cold, and then in rounds, in turned order every other time. */
export async function measureReads(
  database: AuditDatabase,
  registry: ServerUnderLoad,
  generator: Generator,
  rounds: number,
  signal: AbortSignal,
): Promise<ReadTimes[]> {
  const views = await asOwner(database.url, async (owner) => await viewsOf(owner, database.rows))
  const ask = async (view: View, requests: number): Promise<number[]> => {
    const milliseconds: number[] = []
    // Each of them as often as the others, so that none is read ahead by the one before.
    for (const path of view.paths) {
      signal.throwIfAborted()
      const order = { method: 'GET', path, status: 200, connections: 1, seconds: 60, slugPrefix: '' } as const
      const requestsMax = Math.max(1, Math.round(requests / view.paths.length))
      const asked = generator.run({ ...order, requestsMax, port: registry.port, token: registry.token })
      const { milliseconds: took } = await asked.catch((error: unknown) => {
        throw new Error(`${view.title}, ${path}: ${error instanceof Error ? error.message : String(error)}`)
      })
      milliseconds.push(...took)
    }
    return milliseconds
  }
  const times = []
  for (const view of views)
    times.push({
      view,
      cold: (await ask({ ...view, paths: view.paths.slice(0, 1) }, 1))[0] ?? NaN,
      rounds: [] as number[][],
    })
  // The first round prepares statements on every connection, and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    for (const each of round % 2 ? times : times.toReversed()) {
      const found = await ask(each.view, each.view.flat ? requestsOfRound.page : requestsOfRound.other)
      if (round > 0) each.rounds.push(found)
    }
  }
  return times
}

/** Counts what is in the sight of a tenant's viewer, over one connection, without a server. */
export async function measureCounts(database: AuditDatabase, times: number): Promise<CountTimes[]> {
  const db = createDb({ connectionString: database.url, poolSize: 1 })
  try {
    const group = { id: largeTenant, tenant_id: TenantId.parse(largeTenant) }
    const viewer = { product: 'dossier', environment: 'live', group } as const
    const filter = RecordedEventQuery.parse({ ...viewer, group: undefined, tenant_id: largeTenant, crud: 'r,u' })
    await asOwner(database.url, async (owner) => await owner.query(countScope, [largeTenant]))
    const scope = await inTheEnd(async () => await countEvents(db, everything, { ...filter, crud: undefined }))
    const page = (query: string) => async () => (await searchAuditEvents(db, viewer, { query, last: 20 })).totalCount
    const frequent = await asOwner(database.url, async (owner) => await word(owner, 1))
    const ways = [
      { title: '`total` of the list, without its bound', count: async () => await countEvents(db, everything, filter) },
      { title: 'a page of Retraced’s viewer, with its exact total', count: page('crud:r,u') },
      { title: 'the same with the most frequent word', count: page(`crud:r,u ${frequent}`), searches: true },
    ] as const
    const counts: CountTimes[] = []
    for (const { title, count, ...rest } of ways) {
      const milliseconds: number[] = []
      let events = await inTheEnd(count)
      for (let time = -2; time < times; time += 1) {
        const startedAt = performance.now()
        events = await count()
        if (time >= 0) milliseconds.push(performance.now() - startedAt)
      }
      counts.push({ title, scope, events, milliseconds, ...rest })
    }
    return counts
  } finally {
    await db.destroy()
  }
}

const triesMax = 10

/** From a disk it takes longer than the registry lets anything take: each try finds more of it in memory. */
async function inTheEnd<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof RegistryError) || tries === triesMax) throw error
    }
  }
}

/** What an index takes, of all partitions together. */
export interface IndexSize {
  readonly name: string
  readonly bytes: number
}

export async function sizesOf(owner: Client): Promise<{ readonly table: number; readonly indexes: IndexSize[] }> {
  const table = await owner.query<{ bytes: number }>(
    `select sum(pg_table_size(inhrelid))::float8 as bytes from pg_inherits where inhparent = 'public.audit_log'::regclass`,
  )
  const { rows: indexes } = await owner.query<IndexSize>(
    `select parent.relname as name, sum(pg_relation_size(index.indexrelid))::float8 as bytes
     from pg_index index join pg_inherits of on of.inhrelid = index.indexrelid join pg_class parent on parent.oid = of.inhparent
     join pg_index top on top.indexrelid = parent.oid where top.indrelid = 'public.audit_log'::regclass
     group by 1 order by 2`,
  )
  return { table: table.rows[0]?.bytes ?? 0, indexes }
}
