import {
  createTenant,
  NewTenant,
  NewTenantProduct,
  purgeTenants,
  putTenantProduct,
  requestPurge,
  Slug,
  type TenantId,
  Transition,
  transitionTenant,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyCatalogue, testActor } from '../builders.ts'
import { everything, startWire, type Wire } from './wire.ts'

let wire: Wire
let key: string
beforeAll(async () => {
  wire = await startWire()
  key = await wire.publisherKey()
})
afterAll(() => wire.stop())

const project = '/publisher/v1/project/certifai'

async function aTenant(slug: string, products: readonly string[]): Promise<TenantId> {
  const input = NewTenant.parse({ slug, name: slug, status: 'active', plan: 'professional' })
  const { id } = await createTenant(wire.db, testActor, keyCatalogue, input)
  for (const product of products) {
    await putTenantProduct(wire.db, testActor, keyCatalogue, id, product, NewTenantProduct.parse({}))
  }
  return id
}

async function sessionOf(group: string, by = key, product = 'certifai'): Promise<string> {
  const query = new URLSearchParams({ group_id: group, actor_id: 'jane', is_admin: 'true' })
  const { body } = await wire.ask('GET', `/publisher/v1/project/${product}/viewertoken?${query.toString()}`, by)
  const session = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: body.token } })
  return session.body.token as string
}

async function publish(event: object, by = key, product = 'certifai') {
  const json = { crud: 'c', actor: { id: 'a' }, ...event }
  const { status } = await wire.ask('POST', `/publisher/v1/project/${product}/event`, by, { json })
  expect(status).toBe(201)
}

async function actionsSeenBy(session: string, query = '-action:audit.log.view'): Promise<string[]> {
  const { status, body } = await wire.call('POST', '/audit/viewer/v1/graphql?skipViewLogEvent=true', {
    headers: { authorization: session },
    json: { query: everything, variables: { query, last: 100 } },
  })
  expect(status).toBe(200)
  return body.data.search.edges.map(({ node }: { node: { action: string } }) => node.action)
}

describe('whose log a group is', () => {
  test('a tenant that has the product, by its id: its log of this product, whatever its events call it', async () => {
    const id = await aTenant('resolves', ['certifai', 'compliance'])
    const compliance = await wire.publisherKey({ product: 'compliance' })
    await publish({ action: 'certifai.did', group: { id } })
    await publish({ action: 'compliance.did', group: { id } }, compliance, 'compliance')
    expect(await actionsSeenBy(await sessionOf(id))).toEqual(['certifai.did'])
    expect(await actionsSeenBy(await sessionOf(id, compliance, 'compliance'))).toEqual(['compliance.did'])
    // The registry's own events of that tenant are nobody's here.
    expect(await actionsSeenBy(await sessionOf(id), 'product:tenant-registry')).toEqual([])
    expect(await actionsSeenBy(await sessionOf(id), 'action:tenant.created OR certifai.did')).toEqual(['certifai.did'])
  })

  test('a tenant by whatever name: what was made under one of them is seen, and ended, under another', async () => {
    const id = await aTenant('spelled', [])
    const tokens = (group: string) => `${project}/group/${group}/enterprisetoken`
    const make = async (group: string) =>
      await wire.ask('POST', tokens(group), key, { json: { display_name: `of ${group}` } })
    // While it does not have the product it is a text.
    const early = [(await make(id)).body.token, await sessionOf(id)]
    await putTenantProduct(wire.db, testActor, keyCatalogue, id, 'certifai', NewTenantProduct.parse({}))
    const late = [(await make(id.toUpperCase())).body.token, await sessionOf(id.toUpperCase())]
    const listed = await wire.ask('GET', tokens(id), key)
    expect(listed.body.map(({ token }: { token: string }) => token)).toEqual([early[0], late[0]])
    expect((await wire.ask('GET', tokens('spelled'), key)).body).toEqual([])

    const json = { query: '{ search { totalCount } }' }
    const statuses = async () =>
      await Promise.all(
        [early, late].flatMap(([token, session = '']) => [
          wire.ask('POST', '/enterprise/v1/graphql', token, { json }).then(({ status }) => status),
          wire
            .call('POST', '/audit/viewer/v1/graphql', { headers: { authorization: session }, json })
            .then(({ status }) => status),
        ]),
      )
    expect(await statuses()).toEqual([200, 200, 200, 200])
    for (const token of [early[0], late[0]]) {
      expect((await wire.ask('DELETE', `${tokens(id)}/${token}`, key)).status).toBe(204)
    }
    await wire.ask('DELETE', `/viewer/v1/project/certifai/group/${id}/actor/jane/viewersessions`, key)
    expect(await statuses()).toEqual([401, 401, 401, 401])
  })

  test('a tenant that never had it is a mere text, and so is a slug where the product does not say otherwise', async () => {
    const id = await aTenant('never-had-it', ['compliance'])
    await publish({ action: 'text.did', group: { id } })
    await publish({ action: 'slug.did', group: { id: 'never-had-it' } })
    expect(await actionsSeenBy(await sessionOf(id))).toEqual(['text.did'])
    expect(await actionsSeenBy(await sessionOf('never-had-it'))).toEqual(['slug.did'])
    const rows = await wire.query(`select distinct tenant_id from audit_log where action in ('text.did', 'slug.did')`)
    expect(rows).toEqual([{ tenant_id: null }])
  })

  test('of a frozen tenant it is seen, of an archived one nothing', async () => {
    const id = await aTenant('ends', ['certifai'])
    await publish({ action: 'ends.did', group: { id } })
    const session = await sessionOf(id)
    const go = async (to: 'frozen' | 'archived') =>
      await transitionTenant(
        wire.db,
        testActor,
        keyCatalogue,
        id,
        Transition.parse({ to, reason: to === 'frozen' ? 'payment_overdue' : 'contract_ended' }),
      )
    await go('frozen')
    expect(await actionsSeenBy(session)).toEqual(['ends.did'])
    await go('archived')
    expect(await actionsSeenBy(session)).toEqual([])
    expect(await actionsSeenBy(await sessionOf(id))).toEqual([])
  })

  test('tokens for the log of a tenant end with it, and the log stays', async () => {
    const id = await aTenant('goes', ['certifai'])
    await publish({ action: 'goes.did', group: { id } })
    const { token } = (
      await wire.ask('POST', `${project}/group/${id}/enterprisetoken`, key, { json: { display_name: 'x' } })
    ).body as { token: string }
    const session = await sessionOf(id)
    const json = { query: '{ search { totalCount } }' }
    const statuses = async () => [
      (await wire.ask('POST', '/enterprise/v1/graphql', token, { json })).status,
      (await wire.call('POST', '/audit/viewer/v1/graphql', { headers: { authorization: session }, json })).status,
    ]
    expect(await statuses()).toEqual([200, 200])
    for (const step of [
      { to: 'frozen', reason: 'payment_overdue' },
      { to: 'archived', reason: 'offboarding' },
    ]) {
      await transitionTenant(wire.db, testActor, keyCatalogue, id, Transition.parse(step), { purgeAfterDays: 0 })
    }
    await requestPurge(wire.db, testActor, id, { slug: Slug.parse('goes') }, { purgeAfterDays: 0 })
    await purgeTenants(wire.db, testActor)
    expect(await wire.query(`select from tenants where id = '${id}'`)).toEqual([])
    expect(await statuses()).toEqual([401, 401])
    expect((await wire.query(`select from audit_log where action = 'goes.did'`)).length).toBe(1)
  })
})

test('what is over by the plan is found, counted and exported by nobody', async () => {
  const group = 'kept-for-a-while'
  await publish({ action: 'over.soon', group: { id: group } })
  const session = await sessionOf(group)
  const headers = { authorization: session }
  const base = '/audit/viewer/v1/project/certifai'
  const json = { name: 'x', exportBody: { version: 1, searchQuery: 'action:over.*' } }
  const { body } = await wire.call('POST', `${base}/export`, { headers, json })
  const seen = async () => ({
    viewer: await actionsSeenBy(session),
    rows: (await wire.call('GET', `${base}/export/${body.id}/rendered`, { headers })).text.split('\n').length - 2,
    publisher: (
      await wire.ask('POST', `${project}/graphql`, key, {
        json: { query: '{ search(query: "action:over.soon") { totalCount edges { node { id } } } }' },
      })
    ).body.data.search.totalCount,
  })
  expect(await seen()).toEqual({ viewer: ['over.soon'], rows: 1, publisher: 1 })
  await wire.query(`insert into registry.audit_retention (product, plan, days) values ('certifai', '', 0)`)
  expect(await seen()).toEqual({ viewer: [], rows: 0, publisher: 0 })
  await wire.query(`delete from registry.audit_retention`)
})

/** What would do harm, or at least fail, where a text becomes a statement. */
const evil = [
  `'; drop table audit_log; --`,
  `' or '1'='1`,
  `\\'; select pg_sleep(10); --`,
  `$$; select 1; $$`,
  `%' union select hash, hash from api_keys --`,
  `"}]}); --`,
  `\u2028\u202e`,
  `$1`,
  `:*`,
  `'a' & !`,
  `a,b`,
  `../../etc/passwd`,
  `{{constructor.constructor('return process')()}}`,
]

describe('SQL in every text', () => {
  test.each(evil)('of an event is a text: %j', async (text) => {
    const map = { [text]: text }
    const party = { id: text, name: text, href: text, fields: map }
    const json = {
      action: text,
      crud: 'c',
      group: { id: text, name: text },
      actor: party,
      target: { ...party, type: text },
      description: text,
      component: text,
      version: text,
      external_id: text,
      fields: map,
      metadata: map,
    }
    const made = await wire.ask('POST', `${project}/event`, key, { json })
    expect(made.status).toBe(201)
    const session = await sessionOf(text)
    const { body } = await wire.call('POST', '/audit/viewer/v1/graphql', {
      headers: { authorization: session },
      json: { query: everything, variables: { query: '', last: 10 } },
    })
    const [{ node }] = body.data.search.edges
    const pairs = [{ key: text, value: text }]
    expect(node).toMatchObject({
      id: made.body.id,
      action: text,
      group: { id: text, name: text },
      actor: { id: text, name: text, href: text, fields: pairs },
      target: { id: text, type: text, fields: pairs },
      description: text,
      external_id: text,
      metadata: pairs,
    })
  })

  test.each(evil)('of a search, a path or a query finds nothing and breaks nothing: %j', async (text) => {
    const path = encodeURIComponent(text)
    const answers = [
      ...['', 'action:', 'actor.id:', 'actor.name:', 'fields.a:', 'received:', 'crud:', 'group.id:'].map((operator) =>
        wire.ask('POST', `${project}/graphql`, key, {
          json: { query: everything, variables: { query: `${operator}${text}`, last: 5 } },
        }),
      ),
      wire.ask('POST', `${project}/graphql`, key, { json: { query: text } }),
      wire.ask('POST', `${project}/graphql`, key, {
        json: { query: everything, variables: { query: '', before: text } },
      }),
      wire.ask('POST', `/publisher/v1/project/${path}/event`, key, { json: {} }),
      wire.ask(
        'GET',
        `${project}/viewertoken?group_id=${path}&actor_id=${path}&target_id=${path}&is_admin=${path}`,
        key,
      ),
      wire.ask('GET', `${project}/group/${path}/enterprisetoken/${path}`, key),
      wire.ask('DELETE', `/viewer/v1/project/certifai/group/${path}/actor/${path}/viewersessions`, key),
      wire.ask('POST', '/enterprise/v1/graphql', text.replaceAll(/[^\x20-\x7e]/g, ''), { json: {} }),
    ]
    for (const { status } of await Promise.all(answers)) expect([200, 201, 400, 401, 404]).toContain(status)
  })

  test('of a viewer finds nothing and breaks nothing', async () => {
    const headers = { authorization: await sessionOf('hostile') }
    for (const text of evil) {
      const path = encodeURIComponent(text)
      const base = '/audit/viewer/v1/project/certifai'
      const exportBody = { version: 1, searchQuery: text, startTime: text, endTime: text }
      const answers = await Promise.all([
        wire.call('GET', `${base}/exports?limit=${path}`, { headers }),
        wire.call('GET', `${base}/export/${path}/rendered`, { headers }),
        wire.call('POST', `${base}/export`, { headers, json: { name: text, exportBody } }),
        wire.call('POST', `${base}/export`, { headers, json: { name: text, exportBody: text } }),
        wire.call('PUT', `${base}/eitapi_token/${path}`, { headers, json: { displayName: text } }),
        wire.call('DELETE', `${base}/eitapi_token/${path}`, { headers }),
        wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: text } }),
      ])
      expect(answers.map(({ status }) => status)).toEqual([400, 404, 400, 201, 404, 404, 401])
      const file = await wire.call('GET', `${base}/export/${answers[3]?.body.id}/rendered`, { headers })
      expect([file.status, file.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8'])
    }
    expect(await wire.query('select count(*)::int > 0 as there from audit_log')).toEqual([{ there: true }])
  })
})

describe('an event of values that no text can be made of', () => {
  const deep = `${'['.repeat(60)}${']'.repeat(60)}`
  const odd = '{"toString":1,"valueOf":1}'
  const member = (name: string, value: string) => [name, `"${name}":${value}`] as const
  test.each([
    ...['action', 'crud', 'created', 'source_ip', 'description'].flatMap((name) => [
      member(name, deep),
      member(name, odd),
    ]),
    ...['fields', 'metadata'].flatMap((name) => [member(name, `{"a":${deep}}`), member(name, `{"a":${odd}}`)]),
    ['actor.fields.a', `"actor":{"id":"a","fields":{"a":${odd}}}`] as const,
  ])('is told that %s is not valid', async (field, said) => {
    const others = { action: '"a.b"', crud: '"c"', actor: '{"id":"a"}' }
    const rest = Object.entries(others).flatMap(([name, value]) => (field.startsWith(name) ? [] : `"${name}":${value}`))
    const body = `{${[said, ...rest].join()}}`
    const headers = { 'content-type': 'application/json' }
    const answer = await wire.ask('POST', `${project}/event`, key, { body, headers })
    expect([answer.status, answer.body.invalid[0].violations[0].field]).toEqual([
      400,
      field in { fields: 0, metadata: 0 } ? `${field}.a` : field,
    ])
  })
})

describe('a body', () => {
  const headers = { 'content-type': 'application/json' }
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => `"k${at}":1`).join()
  test.each([
    ['nine megabytes of brackets', `${'['.repeat(4_500_000)}${']'.repeat(4_500_000)}`],
    ['a million names', `{${numbers(800_000)}}`],
    ['a million entries of a map', `{"action":"a","crud":"c","actor":{"id":"a"},"fields":{${numbers(800_000)}}}`],
    ['more bytes than are read', `{"action":"${'a'.repeat(10 * 1024 * 1024)}"}`],
  ])('of %s is refused, before much is made of it', async (_what, body) => {
    const answer = await wire.ask('POST', `${project}/event`, key, { body, headers })
    expect([answer.status, answer.body.type]).toEqual([413, 'Error'])
  })

  test('of ten megabytes may bring events; a search has one, and what begins a session next to nothing', async () => {
    const filler = (bytes: number) => ' '.repeat(bytes)
    const event = `{"action":"a.b","crud":"c","actor":{"id":"a"}${filler(10_000_000)}}`
    expect((await wire.ask('POST', `${project}/event`, key, { body: event, headers })).status).toBe(201)
    for (const [bytes, status] of [
      [1_000_000, 200],
      [1_100_000, 413],
    ] as const) {
      const body = `{"query":"{ search { totalCount } }"${filler(bytes)}}`
      expect((await wire.ask('POST', `${project}/graphql`, key, { body, headers })).status).toBe(status)
    }
    const begin = async (bytes: number) =>
      await wire.call('POST', '/audit/viewer/v1/viewersession', { body: `{"token":"x"${filler(bytes)}}`, headers })
    expect([(await begin(16_000)).status, (await begin(17_000)).status]).toEqual([401, 413])
  })
})

describe('a viewer of another group', () => {
  test('sees nothing of this one, by no search, cursor, export or token', async () => {
    await publish({ action: 'secret.made', group: { id: 'this', name: 'This' }, description: 'confidential' })
    const mine = await sessionOf('this')
    const other = await sessionOf('other')
    for (const query of [
      '',
      'confidential',
      'group.id:this',
      '-action:x',
      'action:secret.* OR action:x',
      'product:certifai',
    ]) {
      expect(await actionsSeenBy(other, query)).toEqual([])
    }
    const headers = { authorization: mine }
    const made = await wire.call('POST', '/audit/viewer/v1/project/certifai/export', {
      headers,
      json: { name: 'x', exportBody: { version: 1 } },
    })
    const token = await wire.call('POST', '/audit/viewer/v1/project/certifai/eitapi_token', {
      headers,
      json: { displayName: 'x' },
    })
    const asOther = { authorization: other }
    const base = '/audit/viewer/v1/project/certifai'
    const refused = await Promise.all([
      wire.call('GET', `${base}/export/${made.body.id}/rendered`, { headers: asOther }),
      wire.call('PUT', `${base}/eitapi_token/${token.body.id}`, { headers: asOther, json: { displayName: 'mine' } }),
      wire.call('DELETE', `${base}/eitapi_token/${token.body.id}`, { headers: asOther }),
    ])
    expect(refused.map(({ status }) => status)).toEqual([404, 404, 404])
    for (const { text } of refused) expect(text).not.toMatch(/secret|confidential|bpk_/)
  })

  test('that is refused is in the log of requests, without what it brought', async () => {
    const session = `${await sessionOf('this')}x`
    await wire.call('POST', '/audit/viewer/v1/graphql', { headers: { authorization: session }, json: {} })
    expect(wire.log.at(-1)).toMatchObject({
      msg: 'answered',
      status: 401,
      route: '/audit/viewer/v1/graphql',
      path: '/audit/viewer/v1/graphql',
    })
    expect(JSON.stringify(wire.log)).not.toContain(session)
  })
})

describe('files', () => {
  test.each([
    ['=1+1', `'=1+1`],
    ['+cmd', `'+cmd`],
    ['-cmd', `'-cmd`],
    ['@sum', `'@sum`],
    ['\tx', `'\tx`],
    ['\rx', `"'\rx"`],
    ['\n=1+1', `"'\n=1+1"`],
    ['＝1+1', `'＝1+1`],
    ['-5', '-5'],
    ['+5.5', '+5.5'],
    ['-5+cmd', `'-5+cmd`],
    ['a"b', '"a""b"'],
    ['a\nb', '"a\nb"'],
  ])('of a description %j hold %j', async (description, cell) => {
    const group = `file ${description}`
    await publish({ action: 'file.row', group: { id: group }, description, created: '2026-01-01' })
    const headers = { authorization: await sessionOf(group) }
    const made = await wire.call('POST', '/audit/viewer/v1/project/certifai/export', {
      headers,
      json: { name: 'f', exportBody: JSON.stringify({ version: 1, searchQuery: 'action:file.row' }) },
    })
    const path = `/audit/viewer/v1/project/certifai/export/${made.body.id}/rendered?format=csv`
    const { text } = await wire.call('GET', path, { headers })
    expect(text).toContain(`,file.row,c,${cell},2026-01-01 00:00:00,`)
    expect((await wire.call('GET', path.replace('csv', 'xls'), { headers })).status).toBe(400)
  })

  test('of more events than are read at once have all of them, once each', async () => {
    const group = 'long'
    for (let at = 0; at < 24; at += 1) {
      const events = Array.from({ length: 50 }, () => ({
        action: 'long.row',
        crud: 'c',
        actor: { id: 'a' },
        group: { id: group },
      }))
      await wire.ask('POST', `${project}/event/bulk`, key, { json: { events } })
    }
    const headers = { authorization: await sessionOf(group) }
    const made = await wire.call('POST', '/audit/viewer/v1/project/certifai/export', {
      headers,
      json: { name: 'long', exportBody: { version: 1, showCreate: true, startTime: Date.now() - 3_600_000 } },
    })
    const path = `/audit/viewer/v1/project/certifai/export/${made.body.id}/rendered`
    const { text } = await wire.call('GET', path, { headers })
    const ids = text
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.slice(0, 32))
    expect([ids.length, new Set(ids).size]).toEqual([1_200, 1_200])
  })
})

test('a page of too many megabytes is refused, and a file is read in smaller pieces', async () => {
  const group = 'heavy'
  for (let at = 0; at < 4; at += 1) {
    const fields = { a: 'x'.repeat(250_000) }
    const events = Array.from({ length: 35 }, () => ({
      action: 'heavy.row',
      crud: 'c',
      actor: { id: 'a' },
      group: { id: group },
      fields,
    }))
    expect((await wire.ask('POST', `${project}/event/bulk`, key, { json: { events } })).status).toBe(201)
  }
  const headers = { authorization: await sessionOf(group) }
  const ask = async (last: number) =>
    await wire.call('POST', '/audit/viewer/v1/graphql?skipViewLogEvent=true', {
      headers,
      json: { query: `{ search(last: ${last}) { totalCount edges { node { id } } } }` },
    })
  const refused = await ask(140)
  expect([refused.status, refused.body.data]).toEqual([400, { search: null }])
  expect(refused.body.errors[0].message).toContain('ask for fewer')
  const { body } = await ask(100)
  expect([body.data.search.edges.length, body.data.search.totalCount]).toEqual([100, 140])
  const made = await wire.call('POST', '/audit/viewer/v1/project/certifai/export', {
    headers,
    json: { name: 'heavy', exportBody: {} },
  })
  const path = `/audit/viewer/v1/project/certifai/export/${made.body.id}/rendered`
  const lines = (await wire.call('GET', path, { headers })).text.split('\n').slice(1, -1)
  expect([lines.length, new Set(lines.map((line) => line.slice(0, 32))).size]).toEqual([140, 140])
}, 30_000)

test('callers are counted by their key, as everywhere', async () => {
  const strict = await startWire({ RATE_LIMIT: '3/60' })
  try {
    const by = await strict.publisherKey()
    const json = { action: 'a.b', crud: 'c', is_anonymous: true }
    const statuses: number[] = []
    for (let turn = 0; turn < 5; turn += 1) {
      statuses.push((await strict.ask('POST', `${project}/event`, by, { json })).status)
    }
    expect(statuses).toEqual([201, 201, 201, 429, 429])
  } finally {
    await strict.stop()
  }
})
