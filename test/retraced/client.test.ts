import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, everything, startWire, type Wire } from './wire.ts'

let wire: Wire
let key: string
beforeAll(async () => {
  wire = await startWire()
  key = await wire.publisherKey()
})
afterAll(() => wire.stop())

const mask = {
  id: true,
  action: true,
  description: true,
  group: { id: true, name: true },
  actor: { id: true, name: true, href: true, fields: true },
  target: { id: true, name: true, href: true, type: true, fields: true },
  crud: true,
  display: { markdown: true },
  received: true,
  created: true,
  canonical_time: true,
  is_failure: true,
  is_anonymous: true,
  source_ip: true,
  component: true,
  version: true,
  fields: true,
  external_id: true,
  metadata: true,
}

test('the client reports an event, checks its hash and finds it again', async () => {
  const client = clientOf(wire, key)
  const id = await client.reportEvent({
    action: 'report.opened',
    crud: 'r',
    group: { id: 'acme', name: 'Acme Inc.' },
    actor: { id: 'jane', name: 'Jane', href: 'https://acme.example/jane', fields: { role: 'editor' } },
    target: { id: 'r1', name: 'Report 1', href: 'https://acme.example/r1', type: 'report', fields: { pages: '3' } },
    created: new Date('2026-03-01T12:00:00.987Z'),
    source_ip: '2001:DB8::1',
    description: 'Jane opened the report',
    is_failure: false,
    fields: { quality: 'excellent', 10: 'ten', 9: 'nine' },
    external_id: 'e:1%',
    metadata: { zone: 'b' },
  })
  expect(id).toMatch(/^[0-9a-f]{32}$/)

  const found = await client.query({ action: 'report.*', crud: 'r' }, mask, 10)
  expect(found.totalCount).toBe(1)
  expect(found.currentResults).toEqual([
    {
      id,
      action: 'report.opened',
      description: 'Jane opened the report',
      group: { id: 'acme', name: 'Acme Inc.' },
      actor: { id: 'jane', name: 'Jane', href: 'https://acme.example/jane', fields: { role: 'editor' } },
      target: { id: 'r1', name: 'Report 1', href: 'https://acme.example/r1', type: 'report', fields: { pages: '3' } },
      crud: 'r',
      display: { markdown: '**Jane** performed the action **report.opened** on **Report 1**' },
      received: expect.any(Date),
      created: new Date('2026-03-01T12:00:00Z'),
      canonical_time: new Date('2026-03-01T12:00:00Z'),
      is_failure: false,
      is_anonymous: null,
      country: null,
      component: 'web',
      version: '1.2.3',
      fields: { quality: 'excellent', 10: 'ten', 9: 'nine' },
      external_id: 'e:1%',
      metadata: [{ key: 'zone', value: 'b' }],
    },
  ])
})

test('the client accepts the hash of a flag that is a text, and what is recorded is what it says', async () => {
  const client = clientOf(wire, key)
  const flags = { is_failure: 'false', is_anonymous: 'false' } as unknown as { is_failure: boolean }
  const sent = { action: 'flag.told', crud: 'u' as const, actor: { id: 'jane' }, ...flags }
  await client.reportEvent(sent)
  await client.reportEvents([sent, { ...sent, is_failure: true }])
  const found = await client.query({ action: 'flag.told' }, { is_failure: true, is_anonymous: true }, 10)
  expect(found.currentResults).toEqual([
    { is_failure: true, is_anonymous: false },
    { is_failure: false, is_anonymous: false },
    { is_failure: false, is_anonymous: false },
  ])
})

test('the client reports many at once, and pages through them to the end', async () => {
  const client = clientOf(wire, key)
  const ids = await client.reportEvents(
    Array.from({ length: 25 }, (_, at) => ({
      action: 'page.turned',
      crud: 'u' as const,
      actor: { id: 'jane' },
      created: new Date(Date.UTC(2026, 0, 1, 0, 0, at)),
    })),
  )
  expect(new Set(ids).size).toBe(25)

  const pages = await client.query({ action: 'page.turned' }, { id: true }, 10)
  expect([pages.totalCount, pages.totalPages(), pages.hasNextPage()]).toEqual([25, 3, true])
  const seen = [...pages.currentResults]
  while (pages.hasNextPage()) {
    await pages.nextPage()
    seen.push(...pages.currentResults)
  }
  expect(seen.map(({ id }) => id)).toEqual(ids.toReversed())
})

test('the client pages to the end and no further, whatever comes in meanwhile', async () => {
  const client = clientOf(wire, key)
  const publish = async (...seconds: number[]) =>
    await client.reportEvents(
      seconds.map((second) => ({
        action: 'stream.read',
        crud: 'c' as const,
        actor: { id: 'jane' },
        created: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
      })),
    )
  const ids = await publish(10, 11, 12, 13, 14, 15)
  const pages = await client.query({ action: 'stream.read' }, { id: true }, 3)
  const seen = [...pages.currentResults]
  await publish(20, 21)
  for (let turn = 0; turn < 5 && pages.hasNextPage(); turn += 1) {
    await pages.nextPage()
    seen.push(...pages.currentResults)
  }
  expect(seen.map(({ id }) => id)).toEqual(ids.toReversed())
  expect([pages.currentPageNumber, pages.hasNextPage(), pages.totalCount]).toEqual([2, false, 6])
})

// As Go's encoder writes them: a time that nobody set, <, > and & by their numbers, empty texts where the client has them.
test.each<[string, string, string, object]>([
  [
    'as little as there can be',
    `{"action":"go.little","created":"0001-01-01T00:00:00Z","crud":"c","actor":{"id":"u","name":"","href":""}}`,
    ':go.little::u:::0:0::',
    { created: null, actor: { id: 'u', name: null, href: null, fields: null }, is_failure: null, description: null },
  ],
  [
    'every text and flag, though empty',
    `{"action":"go.empty","group":{"id":"","name":""},"created":"0001-01-01T01:00:00+01:00","crud":"c",` +
      `"target":{"id":"","name":"","type":"","href":""},"description":"","source_ip":"",` +
      `"actor":{"id":"","name":"","href":""},"is_failure":false,"is_anonymous":true,"component":"","version":""}`,
    ':go.empty:::::0:1::',
    { created: null, group: { id: null, name: null }, is_failure: false, is_anonymous: true, source_ip: null },
  ],
  [
    'nanoseconds somewhere else, and what is escaped',
    String.raw`{"action":"go:\u003call\u003e","group":{"id":"g%\u0026","name":"Größe"},` +
      `"created":"2026-03-04T05:06:07.123456789+05:45","crud":"u",` +
      `"target":{"id":"t:1","name":"","type":"x","href":"","fields":{"=":";"}},"source_ip":"2001:DB8::00A",` +
      String.raw`"actor":{"id":"u","name":"Ann","href":"https://x.example/?a=b\u0026c"},` +
      String.raw`"fields":{"\u003ca:b\u003e":"\"';:=%25\u2028\n","é":"漢"},"is_failure":true,` +
      `"external_id":"e:%","metadata":{"m=1":"v;","n":""}}`,
    ':go%3A<all>:t%3A1:u:g%25&:2001%3ADB8%3A%3A00A:1:0:' +
      `<a%3Ab>="'%3B%3A%3D%2525\u2028\n;é=漢;` +
      ':e%3A%25:m%3D1=v%3B;n=;',
    { created: '2026-03-03T23:21:07Z', group: { id: 'g%&', name: 'Größe' }, source_ip: '2001:DB8::00A' },
  ],
])('what the Go client sends is recorded, and hashed as it is there: %s', async (_what, json, hashed, found) => {
  const body = Buffer.from(json)
  const headers = { 'content-type': 'application/json' }
  const sent = await wire.ask('POST', '/publisher/v1/project/certifai/event', key, { body, headers })
  expect(sent.status).toBe(201)
  const { id, hash } = sent.body
  expect(hash).toBe(createHash('sha256').update(`${id}${hashed}`).digest('hex'))
  const variables = { query: `action:${JSON.stringify(JSON.parse(json).action)}`, last: 1 }
  const read = await wire.ask('POST', '/publisher/v1/project/certifai/graphql', key, {
    json: { query: everything, variables },
  })
  expect(read.body.data.search.edges[0].node).toMatchObject({ id, ...found })
})

test('what is not said of an event reads back as not said', async () => {
  const { status, body } = await wire.ask('POST', '/publisher/v1/project/certifai/event', key, {
    json: { action: 'clock.struck', crud: 'c', is_anonymous: true },
  })
  expect(status).toBe(201)
  const found = await wire.ask('POST', '/publisher/v1/project/certifai/graphql', key, {
    json: { query: everything, variables: { query: 'action:clock.struck', last: 5 } },
  })
  expect(found.status).toBe(200)
  const [{ node }] = found.body.data.search.edges
  expect({ ...node, raw: JSON.parse(node.raw) }).toEqual({
    id: body.id,
    action: 'clock.struck',
    description: null,
    crud: 'c',
    received: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    created: null,
    canonical_time: node.received,
    is_failure: null,
    is_anonymous: true,
    source_ip: null,
    country: null,
    loc_subdiv1: null,
    loc_subdiv2: null,
    component: null,
    version: null,
    external_id: null,
    raw: {
      id: body.id,
      action: 'clock.struck',
      crud: 'c',
      received: expect.stringMatching(/Z$/),
      is_anonymous: true,
    },
    group: { id: null, name: null },
    actor: { id: null, name: null, href: null, fields: null },
    target: { id: null, name: null, href: null, type: null, fields: null },
    display: { markdown: 'An unknown actor performed the action **clock.struck**' },
    fields: null,
    metadata: null,
  })
})
