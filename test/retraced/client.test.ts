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
