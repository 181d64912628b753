import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let server: ServerUnderTest
let owner: Client
beforeAll(async () => {
  server = await startTestServer()
  owner = new Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await server.stop()
})

let made = 0
const aSlug = () => `replayed-${(made += 1)}`
const post = async (key: string, json: unknown, path = '/v1/tenants') =>
  await server.call('POST', path, { json, headers: { 'idempotency-key': key } })
const tenants = async (slug: string) => (await owner.query('select id from tenants where slug = $1', [slug])).rows

describe('a POST with an Idempotency-Key', () => {
  it('is carried out once, and answered alike every time, but for the request id', async () => {
    const json = { slug: aSlug(), name: 'Once' }
    const [first, again] = [await post('alike', json), await post('alike', json)]
    expect(first.status).toBe(201)
    const { status, text, headers } = again
    expect({ status, text }).toEqual({ status: first.status, text: first.text })
    for (const name of ['location', 'etag', 'content-type', 'cache-control']) {
      expect(headers.get(name)).toBe(first.headers.get(name))
    }
    expect([first, again].map((answer) => answer.headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(await tenants(json.slug)).toHaveLength(1)
  })

  it('is the same request in another spelling of JSON and of the key', async () => {
    const slug = aSlug()
    const first = await post('spelled', { slug, name: 'Once', metadata: { a: '1', b: '2' } })
    const headers = { 'content-type': 'application/json', 'idempotency-key': '"spelled"' }
    const body = `{ "metadata": {"b":"2", "a":"\\u0031"}, "name": "Once", "slug": "${slug}" }`
    expect(await server.call('POST', '/v1/tenants', { body, headers })).toMatchObject({ status: 201, text: first.text })
  })

  it.each([
    ['value', { name: 'Another' }],
    ['field', { plan: 'professional' }],
  ])('is refused with another %s, and changes nothing', async (word, difference) => {
    const json = { slug: aSlug(), name: 'Once' }
    await post(`other-${word}`, json)
    const { status, body } = await post(`other-${word}`, { ...json, slug: aSlug(), ...difference })
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'idempotency.key_reused' })
    expect(await tenants(`replayed-${made}`)).toEqual([])
  })

  it.each([
    ['is not valid', { slug: 'X', name: 'Once' }, 400],
    ['cannot be done', { slug: 'admin', name: 'Once' }, 409],
  ])('that %s is not kept: the key is still free', async (word, json, status) => {
    expect(await post(`free-${status}`, json)).toMatchObject({ status })
    expect(await post(`free-${status}`, { slug: aSlug(), name: 'Once' }), word).toMatchObject({ status: 201 })
  })

  it('is answered 409 with Retry-After while the same one is carried out, and that one is carried out', async () => {
    const json = { slug: aSlug(), name: 'Once' }
    await owner.query('begin')
    await owner.query('lock table tenants in share row exclusive mode')
    const first = post('at-once', json)
    await untilAdvisoryLock()
    const second = await post('at-once', json)
    expect({ status: second.status, code: second.body.code }).toEqual({ status: 409, code: 'idempotency.in_flight' })
    expect(second.headers.get('retry-after')).toBe('1')
    await owner.query('commit')
    const { status, text } = await first
    expect(status).toBe(201)
    expect(await post('at-once', json)).toMatchObject({ status: 201, text })
  })

  it('is a request of its own at another path', async () => {
    const [a, b] = [
      await post('path', { slug: aSlug(), name: 'A' }),
      await post('path-2', { slug: aSlug(), name: 'B' }),
    ]
    const step = { to: 'frozen', reason: 'payment_overdue' }
    const answers = [a, b].map(async ({ body }) => await post('freeze', step, `/v1/tenants/${body.id}/transitions`))
    for (const { status, headers } of await Promise.all(answers)) {
      expect({ status, replayed: headers.get('idempotency-replayed') }).toEqual({ status: 200, replayed: null })
    }
  })
})

it('does not keep the key', async () => {
  await post('canary-of-a-key', { slug: aSlug(), name: 'Once' })
  const { rows } = await owner.query<{ row: string }>('select i::text as row from registry.idempotency i')
  expect(rows.length).toBeGreaterThan(0)
  for (const { row } of rows) {
    expect(row).not.toContain('canary-of-a-key')
    expect(row).not.toContain(Buffer.from('canary-of-a-key').toString('hex'))
  }
})

async function untilAdvisoryLock(): Promise<void> {
  for (;;) {
    const { rowCount } = await owner.query(
      `select 1 from pg_locks where locktype = 'advisory'
       and database = (select oid from pg_database where datname = current_database())`,
    )
    if (rowCount) return
  }
}
