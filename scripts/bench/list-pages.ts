import { Client } from 'pg'
import { listed, tenant } from './bare-sql.ts'
import type { Generator, ServerUnderLoad } from './children.ts'
import type { Effort } from './measure.ts'
import type { Tokens } from './servers.ts'
import { type Row, type View, views } from './views.ts'

const pageSize = 50
const requestsOfRound = 100
/** How far into a list its deep page is. */
const deep = 0.95

/** Milliseconds, round by round. */
type Rounds = readonly (readonly number[])[]

/** A page of a view, and how long it took each contender. */
export interface PageTimes {
  readonly view: View
  /** How many rows come before it. */
  readonly after: number
  readonly registry: Rounds
  readonly sql: Rounds
}

/** Asks for the first page and for a deep one of every view, over HTTP and of PostgreSQL itself, in turns. */
export async function measurePages(
  databaseUrl: string,
  registry: ServerUnderLoad | undefined,
  tokens: Tokens,
  generator: Generator,
  { rounds }: Effort,
  signal: AbortSignal,
): Promise<PageTimes[]> {
  if (!registry) throw new Error('no server named registry')
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const pages: Page[] = []
    for (const view of views) {
      const list: List = { view, client, generator, port: registry.port, token: tokens[view.as] }
      pages.push(await pageOf(list), await pageOf(list, await deepPosition(list)))
    }
    const results = pages.map((page) => ({
      page,
      registry: [] as (readonly number[])[],
      sql: [] as (readonly number[])[],
    }))
    for (let round = 0; round <= rounds; round += 1) {
      for (const { page, registry, sql } of round % 2 ? results : results.toReversed()) {
        signal.throwIfAborted()
        const times = { registry: await page.askRegistry(), sql: await page.askSql() }
        // The first time round is for warming up.
        if (round === 0) continue
        registry.push(times.registry)
        sql.push(times.sql)
      }
    }
    return results.map(({ page: { view, after }, registry, sql }) => ({ view, after, registry, sql }))
  } finally {
    await client.end()
  }
}

/** A view, and whom to ask for it. */
interface List {
  readonly view: View
  readonly client: Client
  readonly generator: Generator
  readonly port: number
  readonly token: string
}

/** Where a page begins: behind this row. */
interface Position {
  readonly after: number
  readonly cursor: string
  readonly last: Row
}

interface Answer {
  readonly data: readonly Row[]
  readonly next_cursor: string | null
}

/** A page, and what says how long so many requests for it took, each in milliseconds. */
interface Page {
  readonly view: View
  readonly after: number
  askRegistry(): Promise<readonly number[]>
  askSql(): Promise<readonly number[]>
}

async function pageOf(list: List, position?: Position): Promise<Page> {
  const { view, client, generator, port, token } = list
  const path = `/v1/tenants?limit=${pageSize}${view.query}${position ? `&cursor=${position.cursor}` : ''}`
  const { key, direction, of } = view.sort
  const beyond = position ? `and (${key}, id) ${direction === 'desc' ? '<' : '>'} ($1, $2)` : ''
  const statement = {
    name: `${view.title} ${position ? 'deep' : 'first'}`,
    text: `select ${tenant} from tenants where ${listed} and ${view.where} ${beyond}
      order by ${key} ${direction}, id ${direction} limit ${pageSize + 1}`,
    values: position ? [of(position.last), position.last.id] : [],
  }
  assertSame(await answerOf(list, path), (await client.query<Row>(statement)).rows, view)
  return {
    view,
    after: position?.after ?? 0,
    async askRegistry() {
      const order = {
        method: 'GET',
        path,
        status: 200,
        port,
        token,
        connections: 1,
        seconds: 60,
        slugPrefix: '',
      } as const
      return (await generator.run({ ...order, requestsMax: requestsOfRound })).milliseconds
    },
    async askSql() {
      const times: number[] = []
      while (times.length < requestsOfRound) {
        const startedAt = performance.now()
        await client.query(statement)
        times.push(performance.now() - startedAt)
      }
      return times
    },
  }
}

/** Walks to the deep page as callers do, so that it is a page that there is. */
async function deepPosition(list: List): Promise<Position> {
  const { client, view } = list
  const counted = await client.query<{ n: number }>(
    `select count(*)::int as n from tenants where ${listed} and ${view.where}`,
  )
  const rows = counted.rows[0]?.n ?? 0
  const depth = Math.min(Math.floor(rows * deep), rows - pageSize - 1)
  let position: Position | undefined
  while ((position?.after ?? 0) < depth) {
    const after = position?.after ?? 0
    const limit = Math.min(200, depth - after)
    const more = position ? `&cursor=${position.cursor}` : ''
    const { data, next_cursor } = await answerOf(list, `/v1/tenants?limit=${limit}${view.query}${more}`)
    const last = data.at(-1)
    if (!last || next_cursor === null) throw new Error(`${view.title}: the list ends after ${after} rows`)
    position = { after: after + data.length, cursor: next_cursor, last }
  }
  if (!position) throw new Error(`${view.title}: there are only ${rows} rows`)
  return position
}

async function answerOf({ port, token }: List, path: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: `Bearer ${token}` } })
  if (!response.ok) throw new Error(`${path} is answered ${response.status}`)
  return (await response.json()) as Answer
}

/** Two that do not answer the same cannot be compared. */
function assertSame({ data }: Answer, rows: readonly Row[], { title }: View): void {
  const same = data.length > 0 && data.every(({ id }, index) => id === rows[index]?.id)
  if (!same || rows.length !== data.length + 1) throw new Error(`${title}: the page and the statement are not the same`)
}
