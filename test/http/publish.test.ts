import { decodeEventMap, parseKeyring, platformTenant, retracedHash, TenantId } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aKey, aTenantWithProducts } from '../api-keys/keys.ts'
import { type CallOptions, keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { keyringText } from './cases.ts'

let server: ServerUnderTest
let live: string
let test: string
let other: string

beforeAll(async () => {
  server = await startTestServer({ SECRETS_KEYRING_FILE: keyringFile(keyringText) })
  live = await aPublisher('certifai', 'live')
  test = await aPublisher('certifai', 'test')
  other = await aPublisher('compliance', 'live')
})
afterAll(async () => {
  await server.stop()
})

async function aPublisher(product: string, environment: 'live' | 'test'): Promise<string> {
  return (await aPublisherKey(product, environment)).key
}

async function aPublisherKey(product: string, environment: 'live' | 'test') {
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  const fields = { scopes: ['audit:publish', 'audit:read'], product, environment, expires_at }
  return await aKey(server.db, parseKeyring(keyringText), TenantId.parse(platformTenant), fields)
}

const publish = async (
  body: object | string,
  { by = live, headers = {} }: { by?: string; headers?: Record<string, string> } = {},
) =>
  await server.call('POST', '/v1/audit/events', {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${by}`, 'content-type': 'application/json', ...headers },
  })
const read = async (path: string, by?: string) => {
  const options: CallOptions = by === undefined ? {} : { headers: { authorization: `Bearer ${by}` } }
  return await server.call('GET', path, options)
}
const event = (fields: object = {}) => ({ action: 'report.opened', crud: 'r', actor: { id: 'jane' }, ...fields })

describe('POST /v1/audit/events', () => {
  it('answers when the events can be read, with the hash that clients compute', async () => {
    const tenant = await aTenantWithProducts(server.db)
    const sent = event({
      group: { id: tenant.id },
      fields: { b: '2', a: '1' },
      created_at: '2026-01-02T03:04:05+01:00',
    })
    const { status, body, headers } = await publish({ events: [sent] })
    expect(status).toBe(201)
    expect(headers.has('idempotency-replayed')).toBe(false)
    const [{ id, hash }] = body.data
    const { body: found } = await read(`/v1/audit/events/${id}`)
    expect(found).toMatchObject({
      tenant_id: tenant.id,
      product: 'certifai',
      environment: 'live',
      created_at: '2026-01-02T02:04:05.000Z',
      fields: { b: '2', a: '1' },
      is_failure: null,
    })
    const hashed = { id: id.replaceAll('-', ''), action: 'report.opened', actor_id: 'jane', group_id: tenant.id }
    expect(hash).toBe(retracedHash({ ...hashed, fields: decodeEventMap('{"b":"2","a":"1"}') }).toString('hex'))
  })

  it('keeps maps in the order in which they were sent, whatever their names look like', async () => {
    const map = '{"b":"1","10":"2","__proto__":"3","2":"4","constructor":"5"}'
    const text = `{"events":[{"action":"a.b","crud":"c","actor":{"id":"map-jane","fields":${map}},"fields":${map},"metadata":${map},"target":{"id":"t","fields":${map}}}]}`
    const { status, body } = await publish(text)
    expect(status).toBe(201)
    const [{ id, hash }] = body.data
    const row = await server.db
      .selectFrom('audit_log')
      .select(['stream_id', 'fields', 'metadata', 'actor_fields', 'target_fields'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(row).toMatchObject({ fields: map, metadata: map, actor_fields: map, target_fields: map })
    const entries = decodeEventMap(map)
    const parts = { id: id.replaceAll('-', ''), action: 'a.b', actor_id: 'map-jane', target_id: 't' }
    expect(hash).toBe(retracedHash({ ...parts, fields: entries, metadata: entries }).toString('hex'))
    const stream = `/v1/audit/streams/${row.stream_id}/events?limit=1000`
    for (const path of [`/v1/audit/events/${id}`, '/v1/audit/events?actor_id=map-jane', stream]) {
      const { text: answer } = await read(path)
      expect(answer.split(map)).toHaveLength(5)
    }
  })

  it('answers a repetition as the first time', async () => {
    const headers = { 'idempotency-key': 'publish-1' }
    const first = await publish({ events: [event(), event()] }, { headers })
    const again = await publish({ events: [event(), event()] }, { headers })
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
    expect([first, again].map((each) => each.headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    const elsewhere = await publish({ events: [event(), event()] }, { headers, by: test })
    expect(elsewhere.text).not.toBe(first.text)
  })

  it('answers a repetition as the first time also to the key that its own was rotated to, and to no other one', async () => {
    const { id, key } = await aPublisherKey('certifai', 'live')
    const headers = { 'idempotency-key': 'publish-rotated' }
    const body = { events: [event()] }
    const first = await publish(body, { headers, by: key })
    const rotated = await server.call('POST', `/v1/tenants/${platformTenant}/api-keys/${id}/rotate`, {
      json: { overlap_seconds: 0 },
    })
    expect(rotated.status).toBe(201)
    const again = await publish(body, { headers, by: rotated.body.key })
    expect([again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true'])
    expect((await publish(body, { headers, by: await aPublisher('certifai', 'live') })).text).not.toBe(first.text)
  })

  it('says of every event what is wrong with it, and records none', async () => {
    const events = [
      event(),
      event({ crud: 'x', source_ip: '1.2.3.4.5', fields: { a: 1, b: '' } }),
      { action: '', crud: 'c', actor: { name: 'x' }, group: { name: 'y' }, object: 1 },
      event({ metadata: { a: 'nul \0' }, description: '\ud800' }),
      event({ action: 'é'.repeat(600) }),
      event({ description: 'x'.repeat(200_000), fields: { a: 'y'.repeat(100_000) } }),
    ]
    const count = async () => (await read('/v1/audit/events?limit=200&product=certifai')).body.data.length
    const before = await count()
    const { status, body } = await publish({ events })
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'request.invalid' })
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/events/1/crud',
      '/events/1/source_ip',
      '/events/1/fields/a',
      '/events/2/action',
      '/events/2/object',
      '/events/2/actor/id',
      '/events/2/group/id',
      '/events/3/description',
      '/events/3/metadata/a',
      '/events/4/action',
      '/events/5',
    ])
    expect(await count()).toBe(before)
  })

  it('takes ten megabytes, and not more', async () => {
    const large = Array.from({ length: 50 }, () => event({ description: 'x'.repeat(200_000) }))
    expect((await publish({ events: large })).status).toBe(201)
    const tooLarge = [...large, ...large.slice(0, 3)]
    expect(await publish({ events: tooLarge })).toMatchObject({ status: 413, body: { code: 'request.body_too_large' } })
  })
})

describe('a body', () => {
  it('of more entries than events have is refused, before anything is made of it', async () => {
    const fields = Object.fromEntries(Array.from({ length: 250_000 }, (_, at) => [`k${at}`, '1']))
    expect(await publish({ events: [event({ fields })] })).toMatchObject({
      status: 413,
      body: { code: 'request.body_too_large' },
    })
  })
})

describe('what a product reads', () => {
  it('is what it recorded itself, in the environment of its key', async () => {
    const marked = (name: string) => event({ description: `marked-${name}`, group: { id: 'sight' } })
    const made = [
      await publish({ events: [marked('live')] }),
      await publish({ events: [marked('test')] }, { by: test }),
      await publish({ events: [marked('other')] }, { by: other }),
    ]
    const ids = made.map(({ body }) => body.data[0].id as string)
    for (const [at, by] of [live, test, other].entries()) {
      const { body } = await read('/v1/audit/events?q=group.id:sight', by)
      expect(body.data.map(({ id }: { id: string }) => id)).toEqual([ids[at]])
      const seen = await Promise.all(ids.map(async (id) => (await read(`/v1/audit/events/${id}`, by)).status))
      expect(seen).toEqual(ids.map((_, which) => (which === at ? 200 : 404)))
      const registrys = await read('/v1/audit/events?product=tenant-registry', by)
      expect(registrys.body.data).toEqual([])
    }
    expect((await read('/v1/audit/events?q=group.id:sight')).body.data).toHaveLength(3)
  })
})
