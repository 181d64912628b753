import { Agent, request as httpRequest } from 'node:http'
import { assignProduct, errorTable } from '@breakpilot/tenant-core'
import { openApiDocument, Problem, routes } from '@breakpilot/tenant-http'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'
import { type Fixture, type HostileRequest, hostileRequests } from './hostile-request.ts'
import { type OpenApi, type Operation, operationsOf } from './hostile-schema.ts'

const document = JSON.parse(JSON.stringify(openApiDocument(routes))) as OpenApi
const operations = operationsOf(document)

/** How many requests are under way at once, and between two looks at the database. */
const atOnce = 8
const batchSize = 96
/** An answer that takes longer counts as none. */
const hangMs = 5_000

let server: ServerUnderTest
let database: Client
let contents: string
let ourNames: readonly string[]
const agent = new Agent({ keepAlive: true, maxSockets: atOnce })

beforeAll(async () => {
  server = await startTestServer({ LOG_LEVEL: 'error' })
  database = new Client({ connectionString: server.database.adminUrl })
  await database.connect()
  const tables = await database.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('public', 'registry') and c.relkind in ('r', 'p') and not c.relispartition`,
  )
  contents = tables.rows
    .map(({ name }) => `select '${name}' as name, count(*), sum(xmin::text::bigint) from ${name} t`)
    .join(' union all ')
  const names = await database.query<{ name: string }>(
    `select conname as name from pg_constraint where connamespace in ('public'::regnamespace, 'registry'::regnamespace)
     union select c.relname from pg_class c join pg_index i on i.indexrelid = c.oid
     where c.relnamespace in ('public'::regnamespace, 'registry'::regnamespace)`,
  )
  ourNames = names.rows.map(({ name }) => name)
})
afterAll(async () => {
  agent.destroy()
  await database.end()
  await server.stop()
})

const stateOfDatabase = async () => JSON.stringify((await database.query(`${contents} order by name`)).rows)

/** Things that are there, new ones for every batch: what was accepted may have changed or removed the last ones. */
async function aFixture(): Promise<Fixture> {
  const tenant = await aTenant(server.db, { status: 'active', plan: 'professional' })
  await assignProduct(server.db, testActor, testCatalogue, tenant.id, 'certifai')
  const project = await server.call('POST', `/v1/tenants/${tenant.id}/projects`, {
    json: { slug: 'a-project', name: 'A project' },
  })
  const key = await server.call('POST', `/v1/tenants/${tenant.id}/api-keys`, {
    json: { name: 'A key', scopes: ['certifai:read'] },
  })
  const [project_id, api_key_id] = [project.body?.id ?? '', key.body?.id ?? '']
  return { tenant_id: tenant.id, slug: tenant.slug, product: 'certifai', project_id, api_key_id }
}

interface Seen {
  readonly request: HostileRequest
  /** 0 when the connection was closed without an answer. */
  readonly status: number
  readonly type: string
  readonly text: string
}

/** Requests without a caller are counted by their address: whoever refuses the sixty-first has not looked at it. */
let uncounted = 0
function addressFor(path: string): string | undefined {
  if (process.platform !== 'linux' || !path.startsWith('/v1/api-keys/revoke')) return undefined
  uncounted += 1
  return `127.0.1.${1 + (Math.floor(uncounted / 40) % 250)}`
}

async function send(request: HostileRequest): Promise<Seen> {
  const { method, path, body } = request
  return await new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url)
    const length = body === undefined || request.chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const headers = { ...length, ...(request.chunked && { 'transfer-encoding': 'chunked' }), ...request.headers }
    const localAddress = addressFor(path)
    const signal = AbortSignal.timeout(hangMs)
    const options = { hostname, port, method, path, headers, agent, signal, ...(localAddress && { localAddress }) }
    const outgoing = httpRequest(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      const done = () =>
        resolve({ request, status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text })
      response.on('end', done).on('error', reject)
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // Who is refused in the middle of a long body may find the door closed before the answer is read.
      const closed = error.code === 'EPIPE' || error.code === 'ECONNRESET'
      if (closed && Buffer.byteLength(body ?? '') > 250_000) resolve({ request, status: 0, type: '', text: '' })
      else resolve({ request, status: -1, type: '', text: `${error.name}: ${error.message}` })
    })
    outgoing.end(body)
  })
}

async function sendAll(requests: readonly HostileRequest[]): Promise<Seen[]> {
  const queue = requests.entries()
  const seen: Seen[] = []
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, request] of queue) seen[index] = await send(request)
    }),
  )
  return seen
}

const isRefused = ({ status }: Seen) => status === 0 || status >= 400

/** What must not leave, whatever was sent. */
const internals =
  /node_modules|\bat [\w.<> ]*\(?(?:file:|node:|\/)|\.ts:\d|SQLSTATE|violates|pg_catalog|syntax error at/

/** What is wrong with an answer, if anything is. */
function complaint({ status, type, text, request }: Seen, { statuses }: Operation): string | undefined {
  if (status === 0) return undefined
  if (status < 0) return text
  if (status >= 500) return `${status} ${text}`
  if (status < 400 && request.unforgivable) return `is accepted with ${status}`
  if (status < 400) return statuses.has(status) ? undefined : `answers ${status}, which it does not declare`
  if (type !== 'application/problem+json; charset=utf-8') return `${status} is ${type}`
  if (text === '' && request.method === 'HEAD') return undefined
  const problem = Problem.strict().safeParse(JSON.parse(text))
  if (!problem.success) return `${status} is no problem: ${text}`
  if (!(problem.data.code in errorTable)) return `nobody knows ${problem.data.code}`
  const { instance: _, errors, ...said } = problem.data
  const own = JSON.stringify([said, errors?.map(({ code, message }) => [code, message])])
  const leak = internals.exec(own)?.[0] ?? ourNames.find((name) => own.includes(name))
  return leak === undefined ? undefined : `tells ${leak}: ${own}`
}

describe.each(operations.map((operation) => [operation.id, operation] as const))('%s', (_, operation) => {
  it('answers whatever it is sent, in time, with what it declares, and changes nothing when it refuses', async () => {
    let fixture = await aFixture()
    const requests = hostileRequests(operation, document, () => fixture)
    const complaints: string[] = []
    for (let ended = false; !ended;) {
      const batch: HostileRequest[] = []
      while (batch.length < batchSize && !ended) {
        const next = requests.next()
        if (next.done) ended = true
        else batch.push(next.value)
      }
      const before = await stateOfDatabase()
      const seen = await sendAll(batch)
      for (const each of seen) {
        const about = complaint(each, operation)
        if (about !== undefined) complaints.push(`${each.request.label.slice(0, 200)}: ${about.slice(0, 400)}`)
      }
      const harmless = operation.method === 'GET' ? seen : seen.filter(isRefused)
      const unchanged = harmless.length === seen.length && (await stateOfDatabase()) === before
      if (!unchanged && (await changesAgain(harmless))) {
        complaints.push(`one of these changed something: ${batch.map(({ label }) => label.slice(0, 40)).join()}`)
      }
      if (operation.method !== 'GET') fixture = await aFixture()
    }
    expect(complaints).toEqual([])
  })
})

/**
 * Whether requests change something that should not, when nothing else is going on: what was accepted beside them has
 * changed things too, and the server's own jobs may have, but not time after time.
 */
async function changesAgain(requests: readonly Seen[]): Promise<boolean> {
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const before = await stateOfDatabase()
    const again = await sendAll(requests.map(({ request }) => request))
    const stillHarmless = again.every((each) => each.request.method === 'GET' || isRefused(each))
    if (!stillHarmless || (await stateOfDatabase()) === before) return false
  }
  return true
}

it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])(
  'answers %s where there is no such method with 405, and where there is no such path with 404',
  async (method) => {
    const fixture = await aFixture()
    for (const path of Object.keys(document.paths)) {
      const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(fixture[name] ?? 'a'))
      const asked = method === 'HEAD' ? 'get' : method.toLowerCase()
      if (asked in (document.paths[path] ?? {})) continue
      const headers = {}
      const wrong = await send({ label: method, method, path: target, headers })
      expect({ method, path, status: wrong.status }).toEqual({ method, path, status: 405 })
      const nowhere = await send({ label: method, method, path: `${target}/nowhere/at-all`, headers })
      expect({ method, path, status: nowhere.status }).toEqual({ method, path, status: 404 })
    }
  },
)

it('is as well as it was before', async () => {
  expect((await server.call('GET', '/healthz')).status).toBe(200)
  expect((await server.call('GET', '/v1/tenants?limit=1')).status).toBe(200)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(server.log.filter(({ status }) => Number(status) >= 500)).toEqual([])
})
