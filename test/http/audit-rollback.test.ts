import { routes } from '@breakpilot/tenant-http'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { requestOf, sceneFor, sceneKeyringText } from './scene.ts'

/**
 * What is changed and what is recorded of it are there together or not at all: every operation that changes something,
 * from the array of routes, on a server whose log takes nothing more.
 */
let server: ServerUnderTest
let owner: Client

beforeAll(async () => {
  server = await startTestServer({ SECRETS_KEYRING_FILE: keyringFile(sceneKeyringText) })
  owner = new Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await server.stop()
})

/** Operations that answer a question and write nothing, although their method is one that may. */
const questions: ReadonlySet<string> = new Set([
  'evaluateEntitlements',
  'verifyApiKey',
  'verifyApiKeys',
  'verifyAuditStream',
])
/** What products publish is itself what is recorded: test/core/ingest.test.ts. */
const others: ReadonlySet<string> = new Set([...questions, 'publishAuditEvents'])
const mutations = routes.filter(({ method, operation }) => method !== 'get' && !others.has(operation))

/** Everything there is, but what the log and its heads say. */
async function everythingElse(): Promise<unknown> {
  const { rows } = await sql`
    select
      (select array_agg(t::text order by id) from tenants t) as tenants,
      (select array_agg(t::text order by id) from tenant_projects t) as projects,
      (select array_agg(t::text order by tenant_id, product) from tenant_products t) as products,
      (select array_agg(t::text order by id) from api_keys t) as keys,
      (select array_agg(t::text order by slug) from registry.slugs t) as slugs,
      (select array_agg(t::text order by stream_id) from registry.legal_holds t) as holds,
      (select array_agg(t::text order by digest) from registry.idempotency t) as answers,
      (select array_agg(t::text order by id) from registry.audit_support_viewers t) as viewers,
      (select n from registry.change_counter) as changes,
      (select array_agg(t::text order by stream_id) from registry.audit_streams t) as heads,
      (select count(*) from audit_log) as events`.execute(server.db)
  return rows
}

const refuseEvents = async () =>
  await owner.query(`
    create or replace function refuse_event() returns trigger language plpgsql as
      $$ begin raise exception 'the log is full' using errcode = 'disk_full'; end $$;
    create trigger refuse_event before insert on audit_log for each row execute function refuse_event()`)
const takeEvents = async () => await owner.query('drop trigger refuse_event on audit_log')

describe('an operation whose event cannot be recorded', () => {
  it.each(mutations.map((route) => [route.operation, route] as const))(
    '%s changes nothing',
    async (operation, route) => {
      const scene = await sceneFor(server.db, operation)
      const { path, ...request } = requestOf(operation, scene)
      const send = async (key: string) =>
        await server.call(route.method.toUpperCase(), path, {
          ...request,
          headers: { ...request.headers, 'idempotency-key': `${operation}-${key}` },
        })
      const before = await everythingElse()
      await refuseEvents()
      try {
        expect(await send('one')).toMatchObject({ status: 503, body: { code: 'database.unavailable' } })
        expect(await everythingElse()).toEqual(before)
      } finally {
        await takeEvents()
      }
      // And nothing stands in its way when the log takes events again: not its key either.
      expect(await send('one')).toMatchObject({ status: route.status })
      expect(await everythingElse()).not.toEqual(before)
    },
  )
})

describe('every operation that changes something', () => {
  it.each(mutations.map((route) => [route.operation, route] as const))(
    '%s is recorded with who, from where, in which request and trace',
    async (operation, route) => {
      const scene = await sceneFor(server.db, operation)
      const { path, ...request } = requestOf(operation, scene)
      const id = `request-of-${operation}`.slice(0, 64)
      const trace = '0af7651916cd43dd8448eb211c80319c'
      const headers = {
        ...request.headers,
        'x-request-id': id,
        'user-agent': 'a-test/1.0',
        traceparent: `00-${trace}-b7ad6b7169203331-01`,
      }
      expect(await server.call(route.method.toUpperCase(), path, { ...request, headers })).toMatchObject({
        status: route.status,
      })
      const { rows } = await sql<{ actor_id: string; source_ip: string; crud: string; metadata: string }>`
        select actor_id, source_ip, crud, metadata::text from audit_log where metadata ->> 'request_id' = ${id}`.execute(
        server.db,
      )
      expect(rows.length).toBeGreaterThan(0)
      for (const row of rows) {
        // Who holds a key ends it as that key.
        const actor_id = operation === 'revokeLeakedApiKey' ? scene.apiKey.id : 'dev'
        expect(row).toMatchObject({ actor_id, source_ip: '127.0.0.1' })
        expect(JSON.parse(row.metadata)).toMatchObject({ user_agent: 'a-test/1.0', trace_id: trace })
      }
    },
  )
})
