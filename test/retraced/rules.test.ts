import { request } from 'node:http'
import { cleanViewers } from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, startWire, type Wire } from './wire.ts'

let wire: Wire
let key: string
beforeAll(async () => {
  wire = await startWire()
  key = await wire.publisherKey()
})
afterAll(() => wire.stop())

const event = '/publisher/v1/project/certifai/event'
const good = { action: 'a.b', crud: 'c', actor: { id: 'u1' } }
const send = async (json: unknown, path = event) => await wire.ask('POST', path, key, { json })

async function readBack(id: string) {
  const { body } = await wire.ask('POST', '/publisher/v1/graphql', key, {
    json: { query: everything, variables: { query: '', last: 100 } },
  })
  return body.data.search.edges.find(({ node }: { node: { id: string } }) => node.id === id).node
}

const eventCount = async () => {
  const { count } = await wire.db
    .selectFrom('audit_log')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('product', '=', 'certifai')
    .executeTakeFirstOrThrow()
  return count
}

describe('what an event may say', () => {
  test.each<[string, object, object]>([
    ['nothing but who did what', {}, { actor: expect.objectContaining({ id: 'u1' }), created: null }],
    ['an empty group and target', { group: {}, target: {} }, { group: { id: null, name: null } }],
    ['an empty name of a group', { group: { id: 'g', name: '' } }, { group: { id: 'g', name: null } }],
    ['empty texts', { description: '', component: '', version: '', external_id: '', source_ip: '' }, { version: null }],
    [
      'null wherever it may say nothing',
      {
        group: null,
        target: null,
        created: null,
        source_ip: null,
        description: null,
        component: null,
        version: null,
        external_id: null,
        is_anonymous: null,
        is_failure: null,
        fields: null,
        metadata: null,
      },
      { group: { id: null }, target: { id: null }, created: null, is_failure: null, is_anonymous: null, fields: null },
    ],
    [
      'null of a party',
      { actor: { id: 'u2', name: null, href: null, fields: null }, group: { id: null, name: null } },
      { actor: { id: 'u2', name: null, href: null, fields: null }, group: { id: null, name: null } },
    ],
    ['nobody who did it', { actor: null, is_anonymous: true }, { actor: { id: null }, is_anonymous: true }],
    ['an empty map', { fields: {}, metadata: {} }, { fields: [], metadata: [] }],
    ['an empty value', { fields: { a: '' } }, { fields: [{ key: 'a', value: '' }] }],
    ['a flag as a text', { is_failure: 'true', is_anonymous: 'false' }, { is_failure: true, is_anonymous: false }],
    ['a day', { created: '2026-03-01' }, { created: '2026-03-01T00:00:00Z' }],
    ['a time with an offset', { created: '2026-03-01T12:00:00.5+02:00' }, { created: '2026-03-01T10:00:00Z' }],
    ['a time without an offset', { created: '2026-03-01T12:00' }, { created: '2026-03-01T12:00:00Z' }],
    ['the zero time of the Go client', { created: '0001-01-01T00:00:00Z' }, { created: null }],
    ['noon of the first day', { created: '0001-01-01T12:00:00Z' }, { created: '0001-01-01T12:00:00Z' }],
    ['a year that Retraced would divide', { created: '9999-01-01' }, { created: '9999-01-01T00:00:00Z' }],
    ['an address as it is spelled', { source_ip: '::FFFF:1.2.3.4' }, { source_ip: '::FFFF:1.2.3.4' }],
    ['the loopback', { source_ip: '::1' }, { source_ip: '::1' }],
    ['no address at all', { source_ip: '0.0.0.0' }, { source_ip: '0.0.0.0' }],
    [
      'hrefs',
      { actor: { id: 'u1', href: 'https://x.example' } },
      { actor: expect.objectContaining({ href: 'https://x.example' }) },
    ],
  ])('%s', async (_what, more, seen) => {
    const { status, body } = await send({ ...good, ...more })
    expect([status, body.hash]).toEqual([201, expect.stringMatching(/^[0-9a-f]{64}$/)])
    expect(await readBack(body.id)).toMatchObject(seen)
  })

  test('maps keep the order in which they were sent, whatever their names are', async () => {
    const fields = '{"b":"1","10":"2","__proto__":"3","9":"4","constructor":"5","a":"6"}'
    const { status, body } = await wire.ask('POST', event, key, {
      body: `{"action":"a.b","crud":"c","is_anonymous":true,"fields":${fields},"metadata":${fields}}`,
      headers: { 'content-type': 'application/json' },
    })
    expect(status).toBe(201)
    const node = await readBack(body.id)
    const names = ['b', '10', '__proto__', '9', 'constructor', 'a']
    expect(node.fields.map((field: { key: string }) => field.key)).toEqual(names)
    expect(node.metadata.map((field: { key: string }) => field.key)).toEqual(names)
    expect(node.raw).toContain(`"fields":${fields}`)
  })

  test('a name that came later is filled in: at ingest of who and what, at read of the group', async () => {
    const group = { id: 'late' }
    const first = await send({ ...good, group })
    await send({
      ...good,
      group: { id: 'late', name: 'Late Inc.' },
      actor: { id: 'u1', name: 'You', fields: { a: '1' } },
    })
    const third = await send({ ...good, group })
    expect(await readBack(first.body.id)).toMatchObject({
      group: { id: 'late', name: 'Late Inc.' },
      actor: { name: null },
    })
    expect(await readBack(third.body.id)).toMatchObject({
      group: { name: 'Late Inc.' },
      actor: { name: 'You', fields: [{ key: 'a', value: '1' }] },
    })
  })
})

test('what was erased is not filled in again', async () => {
  const group = { id: 'erased', name: 'Erased Inc.' }
  const { body } = await send({ ...good, group, actor: { id: 'u9', name: 'Nine' } })
  const owner = new Client({ connectionString: wire.database.ownerUrl })
  await owner.connect()
  const [row] = (await wire.query(`select id, stream_id from audit_log where group_id = 'erased'`)) as [
    { id: string; stream_id: string },
  ]
  await owner.query('select registry.redact_audit_events($1, $2)', [row.stream_id, [row.id]])
  await owner.end()
  expect(await readBack(body.id)).toMatchObject({
    action: 'a.b',
    group: { id: 'erased', name: null },
    actor: { id: null, name: null, fields: null },
    display: { markdown: 'An unknown actor performed the action **a.b**' },
  })
})

test('viewer tokens that are over are cleaned away, and no others', async () => {
  const token = async () => await wire.ask('GET', '/publisher/v1/project/certifai/viewertoken?group_id=old', key)
  await token()
  await wire.query(`update registry.audit_viewers set expires_at = now() - interval '1 second'`)
  await token()
  expect(await cleanViewers(wire.db)).toBe(1)
  expect(await cleanViewers(wire.db)).toBe(0)
  expect(await wire.query('select count(*)::int as left from registry.audit_viewers')).toEqual([{ left: 1 }])
})

describe('what an event may not say', () => {
  test.each<[string, unknown, string[]]>([
    ['no action', { ...good, action: undefined }, ['action']],
    ['an empty action', { ...good, action: '' }, ['action']],
    ['no crud', { ...good, crud: undefined }, ['crud']],
    ['a crud in capitals', { ...good, crud: 'C' }, ['crud']],
    ['a group without an id', { ...good, group: { name: 'x' } }, ['group.id']],
    ['an actor without an id', { ...good, actor: { name: 'x' } }, ['actor.id']],
    ['a target without an id', { ...good, target: { type: 'x' } }, ['target.id']],
    ['no actor', { ...good, actor: undefined }, ['actor']],
    ['an empty actor', { ...good, actor: {} }, ['actor']],
    ['a number as a time', { ...good, created: 1_700_000_000 }, ['created']],
    ['a time of RFC 2822', { ...good, created: 'Sun, 01 Mar 2026 12:00:00 GMT' }, ['created']],
    ['a day that there is not', { ...good, created: '2026-02-30' }, ['created']],
    ['what only begins as the zero time', { ...good, created: '0001-01-01x' }, ['created']],
    ['a year beyond all', { ...good, created: '+012026-01-01T00:00:00Z' }, ['created']],
    ['a network', { ...good, source_ip: '10.0.0.0/8' }, ['source_ip']],
    ['a list of addresses', { ...good, source_ip: '10.0.0.1, 10.0.0.2' }, ['source_ip']],
    ['an address with a port', { ...good, source_ip: '10.0.0.1:80' }, ['source_ip']],
    ['a number in a map', { ...good, fields: { a: 1 } }, ['fields.a']],
    ['a map in a map', { ...good, metadata: { a: {} } }, ['metadata.a']],
    ['a number in the map of the actor', { ...good, actor: { id: 'u1', fields: { n: 7 } } }, ['actor.fields.n']],
    ['an empty name in a map', { ...good, fields: { '': 'x' } }, ['fields.']],
    ['a list as a map', { ...good, fields: [] }, ['fields']],
    ['null as what has to be said', { ...good, action: null, crud: null, actor: null }, ['action', 'crud', 'actor']],
    ['null in a map', { ...good, fields: { a: null } }, ['fields.a']],
    ['null as a word that there is not', { ...good, id: null }, ['id']],
    ['an id of its own', { ...good, id: 'x' }, ['id']],
    ['a team', { ...good, team_id: 'x' }, ['team_id']],
    ['an object', { ...good, object: {} }, ['object']],
    ['our own word for the time', { ...good, created_at: '2026-03-01T00:00:00Z' }, ['created_at']],
    ['an unknown word of the actor', { ...good, actor: { id: 'u1', email: 'x' } }, ['actor.email']],
    ['a flag that is none', { ...good, is_failure: 'yes' }, ['is_failure']],
    ['an action that is too long', { ...good, action: 'x'.repeat(1_025) }, ['action']],
    ['U+0000', { ...good, description: 'a\0b' }, ['description']],
    ['half a surrogate pair', { ...good, fields: { a: '\ud800' } }, ['fields.a']],
    ['a list', [good], ['']],
    ['a text', 'good', ['']],
    [
      'nothing right, in an order that stays the same',
      { crud: 'x', group: { name: 'g' }, actor: { name: 'a' }, target: { name: 't' }, created: 'x', source_ip: 'x' },
      ['action', 'group.id', 'actor.id', 'target.id', 'created', 'crud', 'source_ip'],
    ],
    ['nothing at all', {}, ['action', 'crud', 'actor']],
  ])('%s', async (_what, sent, fields) => {
    const before = await eventCount()
    const { status, body } = await send(sent)
    expect(body).toMatchObject({ status: 400, type: 'Error', error: expect.any(String) })
    expect(status).toBe(400)
    expect(body.invalid[0].violations.map(({ field }: { field: string }) => field)).toEqual(fields)
    for (const field of fields) expect(body.error).toContain(field)
    expect(await eventCount()).toBe(before)
  })
})

test('an event that is too large as a whole is named as that', async () => {
  const { status, body } = await send({ ...good, fields: { a: 'x'.repeat(262_145) } })
  expect(status).toBe(400)
  expect(body.error).toMatch(/the event must not have more than 262144 bytes$/)
})

test('exactly what stands there is found, also with a blank at its end, and by the query of the Go client', async () => {
  const sent = { ...good, action: 'blank.end ', actor: { id: 'u-blank', name: 'Ann Lee' } }
  const { body } = await send(sent)
  const found = async (query: string) => {
    const json = { query: everything, variables: { query, last: 10 } }
    const answer = await wire.ask('POST', '/publisher/v1/graphql', key, { json })
    return answer.body.data.search.edges.map(({ node }: { node: { id: string } }) => node.id)
  }
  expect(await found('action:"blank.end "')).toEqual([body.id])
  expect(await found('action:blank.end')).toEqual([])
  expect(await found('actor.name:%!q(MISSING)Ann actor.id:u-blank')).toEqual([body.id])
})

describe('in bulk', () => {
  const bulk = `${event}/bulk`

  test('all are logged, or none; and where each is wrong is told', async () => {
    const before = await eventCount()
    const events = [good, { ...good, fields: { a: 1 } }, good, { ...good, crud: undefined, created: 'x' }]
    const { status, body } = await send({ events }, bulk)
    expect(status).toBe(400)
    expect(body.error).toMatch(/nothing was logged.*\[1\]\.fields\.a.*\[3\]\.crud/)
    expect(body.invalid).toEqual([
      {
        index: 1,
        message: expect.stringContaining('[1].fields.a'),
        violations: [{ field: 'fields.a', violation: 'invalid', message: expect.any(String), received: 1 }],
      },
      {
        index: 3,
        message: expect.any(String),
        violations: [
          { field: 'crud', violation: 'missing', message: expect.any(String) },
          { field: 'created', violation: 'invalid', message: expect.any(String), received: 'x' },
        ],
      },
    ])
    expect(await eventCount()).toBe(before)
  })

  test('50 are the most, and none is none', async () => {
    expect((await send({ events: Array.from({ length: 50 }, () => good) }, bulk)).body).toHaveLength(50)
    const { status, body } = await send({ events: Array.from({ length: 51 }, () => good) }, bulk)
    expect([status, body.error]).toEqual([400, expect.stringMatching(/50.*51/)])
    expect(await send({ events: [] }, bulk)).toMatchObject({ status: 201, body: [] })
    for (const wrong of [[], {}, { events: {} }, { events: null }, 'x', { events: [], more: 1 }]) {
      expect((await send(wrong, bulk)).status).toBe(400)
    }
  })
})

describe('how errors look', () => {
  test.each<[string, Record<string, string>]>([
    ['no credentials', {}],
    ['no token in them', { authorization: 'Bearer x' }],
    ['an empty token', { authorization: 'token=' }],
    ['an unknown token', { authorization: 'token=nobody' }],
    ['a token of our shape', { authorization: `token=bpk_live_${'a'.repeat(12)}_${'b'.repeat(57)}` }],
  ])('401 for %s, the same for every path', async (_what, headers) => {
    for (const [method, path] of [
      ['POST', event],
      ['POST', `${event}/bulk`],
      ['POST', '/publisher/v1/graphql'],
      ['GET', '/publisher/v1/project/certifai/viewertoken?group_id=g'],
      ['POST', '/enterprise/v1/graphql'],
      ['GET', '/viewer/v1/project/certifai/exports'],
    ] as const) {
      const answer = await wire.call(method, `/audit${path}`, { headers, ...(method === 'POST' && { json: good }) })
      expect([answer.status, answer.body.status, answer.body.type]).toEqual([401, 401, 'Error'])
      expect(answer.headers.get('x-retraced-requestid')).toBeTruthy()
    }
    const raw = await fetch(`${wire.url}/audit${event}`, { method: 'POST', headers })
    expect(raw.statusText).toBe('Unauthorized')
  })

  test("another project's token is no better than none", async () => {
    const other = await wire.publisherKey({ product: 'compliance' })
    expect((await wire.ask('POST', event, other, { json: good })).status).toBe(401)
    const none = await wire.ask('POST', '/publisher/v1/project/nothing/event', key, { json: good })
    expect(none.status).toBe(401)
  })

  test('a key does what its scopes say', async () => {
    const publishes = await wire.publisherKey({ scopes: ['audit:publish'] })
    const reads = await wire.publisherKey({ scopes: ['audit:read'] })
    const statuses = async (by: string) => [
      (await wire.ask('POST', event, by, { json: good })).status,
      (await wire.ask('POST', '/publisher/v1/graphql', by, { json: { query: '{ search { totalCount } }' } })).status,
      (await wire.ask('GET', '/publisher/v1/project/certifai/viewertoken?group_id=g&actor_id=a', by)).status,
    ]
    expect(await statuses(publishes)).toEqual([201, 403, 403])
    expect(await statuses(reads)).toEqual([403, 200, 403])
    expect(await statuses(await wire.publisherKey({ scopes: ['entitlements:read'] }))).toEqual([401, 401, 401])
  })

  test('whatever stands before token= does not matter', async () => {
    for (const authorization of [`token=${key}`, `Token token=${key}`, `Bearer token=${key}`, `x token=${key} `]) {
      const answer = await wire.call('POST', `/audit${event}`, { headers: { authorization }, json: good })
      expect(answer.status).toBe(201)
    }
  })

  test('a revoked key is refused at once', async () => {
    const leaked = await wire.publisherKey()
    expect((await wire.ask('POST', event, leaked, { json: good })).status).toBe(201)
    await wire.call('POST', '/v1/api-keys/revoke', { json: { key: leaked } })
    const refused = await wire.ask('POST', event, leaked, { json: good })
    expect([refused.status, refused.body.error]).toEqual([401, expect.stringContaining('REVOKED')])
  })

  test('paths that there are not, and methods that they have not: 404, as a text', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['GET', event],
      ['POST', '/publisher/v1/project/certifai/nothing'],
      ['PUT', '/viewer/v1/project/certifai/export/x'],
      ['POST', '/viewer/v1/project/certifai/events/search'],
      ['POST', '/admin/v1/user/_login'],
    ] as const) {
      const answer = await wire.call(method, `/audit${path}`)
      expect([answer.status, answer.text]).toEqual([404, 'Not Found'])
    }
    expect((await wire.call('GET', '/audit')).status).toBe(200)
    expect((await wire.call('GET', '/audit/healthz')).text).toBe('')
  })

  test('a slash at the end of a path says nothing, and two are no path', async () => {
    expect((await wire.ask('POST', `${event}/`, key, { json: good })).status).toBe(201)
    const query = encodeURIComponent('{ search(last: 1) { totalCount } }')
    const found = await wire.ask('GET', `/publisher/v1/graphql/?query=${query}`, key)
    expect([found.status, found.body.data.search.totalCount]).toEqual([200, expect.any(Number)])
    expect((await wire.call('POST', '/audit/viewer/v1/viewersession/', { json: { token: 'x' } })).status).toBe(401)
    expect((await wire.call('POST', '/audit/enterprise/v1/graphql/')).status).toBe(401)
    const sessions = '/v1/project/certifai/group/g/actor/a/viewersessions/'
    expect((await wire.ask('DELETE', sessions, key)).status).toBe(200)
    expect((await wire.ask('POST', `${event}//`, key, { json: good })).status).toBe(404)
    expect((await wire.call('GET', '/audit/publisher/v1/')).status).toBe(404)
  })

  test('of more than one Authorization header none is believed', async () => {
    const { host } = new URL(wire.url)
    const body = JSON.stringify(good)
    const send = async (...tokens: string[]) =>
      await new Promise<number | undefined>((tell, fail) => {
        const headers = ['host', host, 'content-type', 'application/json', 'content-length', String(body.length)]
        for (const token of tokens) headers.push('authorization', `token=${token}`)
        const sent = request(`${wire.url}/audit${event}`, { method: 'POST', headers }, (answer) => {
          answer.resume()
          tell(answer.statusCode)
        })
        sent.on('error', fail)
        sent.end(body)
      })
    expect(await send(key)).toBe(201)
    expect([await send(key, 'x'), await send('x', key), await send(key, key)]).toEqual([401, 401, 401])
  })

  test('a path that is not well-formed: 400', async () => {
    const answer = await wire.call('GET', '/audit/publisher/v1/project/%E0%A4%A/viewertoken')
    expect([answer.status, answer.body.type]).toEqual([400, 'Error'])
    expect(answer.headers.get('x-retraced-requestid')).toBeTruthy()
  })

  test.each([
    ['what is no JSON', '{', 400],
    ['a name twice', '{"action":"a","action":"b"}', 400],
    ['nothing', '', 400],
    ['more than 10 MB', `{"action":"${'x'.repeat(10 * 1024 * 1024)}"}`, 413],
  ])('a body of %s', async (_what, body, status) => {
    const answer = await wire.ask('POST', event, key, { body, headers: { 'content-type': 'application/json' } })
    expect([answer.status, answer.body.status, answer.body.type]).toEqual([status, status, 'Error'])
  })

  test('pages of every origin may read what a viewer is answered, and nothing else', async () => {
    const headers = { origin: 'https://product.example', 'access-control-request-method': 'POST' }
    const preflight = await wire.call('OPTIONS', '/audit/viewer/v1/graphql', { headers })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('x-retraced-requestid')).toBeTruthy()
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    const allowed = preflight.headers
      .get('access-control-allow-headers')
      ?.toLowerCase()
      .split(/\s*,\s*/)
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-type']))
    const methods = preflight.headers.get('access-control-allow-methods')?.split(/\s*,\s*/)
    expect(methods).toEqual(expect.arrayContaining(['GET', 'POST', 'PUT', 'DELETE']))
    const answer = await wire.call('POST', '/audit/viewer/v1/graphql', { headers: { origin: 'https://x.example' } })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([401, '*'])
    const publisher = await wire.call('POST', `/audit${event}`, { headers: { origin: 'https://x.example' } })
    expect(publisher.headers.get('access-control-allow-origin')).toBeNull()
  })
})
