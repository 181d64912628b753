import { createTenant, NewTenant, putTenantProduct, NewTenantProduct, type TenantId } from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyCatalogue, testActor } from '../builders.ts'
import { clientOf, everything, startWire, type Wire } from './wire.ts'

let wire: Wire
let key: string
let acme: TenantId
beforeAll(async () => {
  wire = await startWire()
  key = await wire.publisherKey()
  const tenant = await createTenant(
    wire.db,
    testActor,
    keyCatalogue,
    NewTenant.parse({ slug: 'acme', name: 'Acme Inc.', status: 'active', plan: 'professional' }),
  )
  acme = tenant.id
  await putTenantProduct(wire.db, testActor, keyCatalogue, acme, 'certifai', NewTenantProduct.parse({}))
})
afterAll(() => wire.stop())

const publish = async (event: object, by = key, product = 'certifai') => {
  const { status, body } = await wire.ask('POST', `/publisher/v1/project/${product}/event`, by, { json: event })
  expect(status).toBe(201)
  return body.id as string
}

async function sessionFor(groupId: string, isAdmin = true, actorId = 'jane'): Promise<string> {
  const token = await clientOf(wire, key).getViewerToken(groupId, actorId, isAdmin)
  expect(token).toMatch(/^[0-9a-f]{32}$/)
  const { status, body } = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token } })
  expect([status, body.project_id]).toEqual([200, 'certifai'])
  return body.token as string
}

const view = async (session: string, method: string, path: string, json?: unknown) =>
  await wire.call(method, `/audit/viewer/v1${path}`, {
    headers: { authorization: session },
    ...(json !== undefined && { json }),
  })

const searched = async (session: string, query: string, path = '/graphql?skipViewLogEvent=true') => {
  const { status, body } = await view(session, 'POST', path, { query: everything, variables: { query, last: 20 } })
  expect(status).toBe(200)
  return body.data.search
}

describe('what a viewer sees', () => {
  test('is the log of its group: no other group, product or environment', async () => {
    const mine = await publish({ action: 'seen.mine', crud: 'c', actor: { id: 'a' }, group: { id: acme } })
    await publish({ action: 'seen.other', crud: 'c', actor: { id: 'a' }, group: { id: 'globex' } })
    await publish({ action: 'seen.none', crud: 'c', actor: { id: 'a' } })
    const testKey = await wire.publisherKey({ environment: 'test' })
    await publish({ action: 'seen.test', crud: 'c', actor: { id: 'a' }, group: { id: acme } }, testKey)
    const others = await wire.publisherKey({ product: 'compliance' })
    await publish(
      { action: 'seen.compliance', crud: 'c', actor: { id: 'a' }, group: { id: acme } },
      others,
      'compliance',
    )

    const found = await searched(await sessionFor(acme), 'action:seen.*')
    expect(found.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([mine])
    expect(found.totalCount).toBe(1)
    const elsewhere = await searched(await sessionFor('globex'), 'action:seen.*')
    expect(elsewhere.edges.map(({ node }: { node: { action: string } }) => node.action)).toEqual(['seen.other'])
  })

  test('is recorded after the search, in the name of who looks, unless that is left out', async () => {
    const group = 'looked-at'
    await publish({
      action: 'look.me',
      crud: 'c',
      actor: { id: 'jane', name: 'Jane', fields: { department: 'QA' } },
      group: { id: group },
    })
    const session = await sessionFor(group)
    expect((await searched(session, '', '/graphql')).totalCount).toBe(1)
    const { edges, totalCount } = await searched(session, '')
    expect(totalCount).toBe(2)
    expect(edges[0].node).toMatchObject({
      action: 'audit.log.view',
      crud: 'r',
      description: 'Viewed the audit log',
      actor: { id: 'jane', name: 'Jane', fields: [{ key: 'department', value: 'QA' }] },
      group: { id: group },
      source_ip: '127.0.0.1',
    })
  })
})

describe('a search', () => {
  const group = 'by-get'
  beforeAll(async () => {
    for (const action of ['get.one', 'get.two', 'get.three']) {
      await publish({ action, crud: 'c', actor: { id: 'a' }, group: { id: group } })
    }
  })
  const actionsIn = (result: { edges: { node: { action: string } }[] }) => result.edges.map(({ node }) => node.action)
  const query = new URLSearchParams({
    query: 'query Q($last: Int) { search(query: "action:get.*", last: $last) { edges { node { action } } } }',
    variables: '{"last":2}',
    operationName: 'Q',
  }).toString()

  test('is asked by GET as well, by viewers', async () => {
    const { status, body } = await view(await sessionFor(group), 'GET', `/graphql?${query}`)
    expect([status, actionsIn(body.data.search)]).toEqual([200, ['get.three', 'get.two']])
  })

  test('and by enterprise tokens', async () => {
    const made = await view(await sessionFor(group), 'POST', '/project/certifai/eitapi_token', { displayName: 'x' })
    const { status, body } = await wire.ask('GET', `/enterprise/v1/graphql?${query}`, made.body.id as string)
    expect([status, actionsIn(body.data.search)]).toEqual([200, ['get.three', 'get.two']])
  })

  test('has pages with numbers at the path that viewers know for them', async () => {
    const paginated = `query Q($query: String, $pageOffset: Int!, $pageLimit: Int!) {
      searchPaginated(query: $query, pageOffset: $pageOffset, pageLimit: $pageLimit) {
        totalCount edges { node { action } }
      }
    }`
    const session = await sessionFor(group)
    for (const [pageOffset, found] of [
      [0, ['get.three', 'get.two']],
      [2, ['get.one']],
    ] as const) {
      const variables = { query: 'action:get.*', pageOffset, pageLimit: 2 }
      const { status, body } = await view(session, 'POST', '/graphql/paginated', { query: paginated, variables })
      const { searchPaginated: page } = body.data
      expect([status, page.totalCount, actionsIn(page)]).toEqual([200, 3, found])
    }
  })

  test('shows sentences in which no name marks anything up', async () => {
    const name = '[x](https://evil.example) <b>*_`~#|\\\n\n# Title'
    await publish({
      action: 'mark_up.<i>',
      crud: 'c',
      actor: { id: 'a', name },
      target: { id: 't', name: '![](https://evil.example/p.png)' },
      group: { id: 'marking' },
    })
    const { edges } = await searched(await sessionFor('marking'), '-action:audit.log.view')
    expect(edges[0].node.display.markdown).toBe(
      String.raw`**\[x\]\(https://evil.example\) \<b\>\*\_\`\~\#\|\\ \# Title** performed the action **mark\_up.\<i\>** on **\!\[\]\(https://evil.example/p.png\)**`,
    )
  })
})

describe('what is no look at the log', () => {
  const looks = async (group: string) =>
    await wire.query(`select from audit_log where group_id = '${group}' and action = 'audit.log.view'`)

  test.each<[string, string, number]>([
    ['the schema', '{ __schema { queryType { name } } }', 0],
    ['a type', '{ __type(name: "Event") { name } }', 0],
    ['a name of a type', '{ __typename }', 0],
    ['a search that is left out', '{ __typename search @skip(if: true) { totalCount } }', 0],
    ['but a search, whatever is beside it', '{ __typename found: search { totalCount } }', 1],
    ['but a search by pages', '{ searchPaginated { totalCount } }', 1],
  ])('%s', async (what, query, recorded) => {
    const group = `no look: ${what}`
    const session = await sessionFor(group)
    expect((await view(session, 'POST', '/graphql', { query })).status).toBe(200)
    expect((await looks(group)).length).toBe(recorded)
    const made = await view(session, 'POST', '/project/certifai/eitapi_token', { displayName: 'SIEM' })
    const token = made.body.id as string
    expect((await wire.ask('POST', '/enterprise/v1/graphql', token, { json: { query } })).status).toBe(200)
    expect((await looks(group)).length).toBe(2 * recorded)
  })
})

describe('what is not answered, at the paths of GraphQL, is an error of GraphQL too', () => {
  test('where the look cannot be recorded', async () => {
    const group = 'unrecorded'
    const session = await sessionFor(group)
    const made = await view(session, 'POST', '/project/certifai/eitapi_token', { displayName: 'SIEM' })
    const token = made.body.id as string
    const query = '{ search { totalCount edges { node { id } } } }'
    const owner = new Client({ connectionString: wire.database.ownerUrl })
    await owner.connect()
    try {
      await owner.query(`alter table audit_log add constraint no_looks check (action <> 'audit.log.view') not valid`)
      for (const { status, body } of [
        await view(session, 'POST', '/graphql', { query }),
        await view(session, 'POST', '/graphql/paginated', { query }),
        await wire.ask('POST', '/enterprise/v1/graphql', token, { json: { query } }),
      ]) {
        const error = 'Something went wrong on our side'
        expect([status, body]).toEqual([500, { status: 500, type: 'Error', error, errors: [{ message: error }] }])
      }
    } finally {
      await owner.query('alter table audit_log drop constraint if exists no_looks')
      await owner.end()
    }
    expect((await view(session, 'POST', '/graphql', { query })).body.data.search.totalCount).toBeGreaterThan(0)
  })

  test('where somebody asks too often: and when to come back is told', async () => {
    const strict = await startWire({ RATE_LIMIT: '4/60' })
    try {
      const by = await strict.publisherKey()
      const path = '/publisher/v1/project/certifai/viewertoken?group_id=g&actor_id=a&is_admin=true'
      const { token } = (await strict.ask('GET', path, by)).body
      const session = await strict.call('POST', '/audit/viewer/v1/viewersession', { json: { token } })
      const headers = { authorization: session.body.token as string }
      const json = { query: '{ search { totalCount } }' }
      const base = '/audit/viewer/v1'
      const made = await strict.call('POST', `${base}/project/certifai/eitapi_token`, {
        headers,
        json: { displayName: 'x' },
      })
      const ways = {
        viewer: async () => await strict.call('POST', `${base}/graphql`, { headers, json }),
        enterprise: async () => await strict.ask('POST', '/enterprise/v1/graphql', made.body.id as string, { json }),
        publisher: async () => await strict.ask('POST', '/publisher/v1/graphql', by, { json }),
      }
      for (const [way, ask] of Object.entries(ways)) {
        let answer = await ask()
        for (let turn = 0; turn < 5 && answer.status === 200; turn += 1) answer = await ask()
        const { status, body, headers: told } = answer
        expect([way, status, body.status, body.type]).toEqual([way, 429, 429, 'Error'])
        expect(body.errors).toEqual([{ message: body.error }])
        expect(Number(told.get('retry-after'))).toBeGreaterThan(0)
      }
    } finally {
      await strict.stop()
    }
  })

  test('but for a session that is over, by which the viewer knows that it is', async () => {
    for (const path of ['/viewer/v1/graphql', '/enterprise/v1/graphql', '/publisher/v1/graphql']) {
      const headers = { authorization: 'token=x' }
      const { status, body } = await wire.call('POST', `/audit${path}`, { headers, json: {} })
      expect([status, Object.keys(body)]).toEqual([401, ['status', 'type', 'error']])
    }
  })

  test('where the request is none', async () => {
    const session = await sessionFor('no-request')
    const { status, body } = await view(session, 'POST', '/graphql', {})
    expect([status, body.type, body.errors]).toEqual([400, 'Error', [{ message: body.error }]])
  })
})

describe('a request of which a part fails', () => {
  const query = '{ search(first: 5) { edges { node { action } } } searchPaginated(pageLimit: 5000) { totalCount } }'
  const looks = async (group: string) =>
    await wire.query(`select action from audit_log where group_id = '${group}' and action = 'audit.log.view'`)

  test.each(['viewer', 'enterprise'])(
    'is recorded for what it shows to who has a token of the kind: %s',
    async (kind) => {
      const group = `partly-${kind}`
      await publish({ action: 'part.shown', crud: 'c', actor: { id: 'a' }, group: { id: group } })
      const session = await sessionFor(group)
      const ask = async (text: string) => {
        if (kind === 'viewer') return await view(session, 'POST', '/graphql', { query: text })
        const { body } = await view(session, 'POST', '/project/certifai/eitapi_token', { displayName: 'SIEM' })
        return await wire.ask('POST', '/enterprise/v1/graphql', body.id as string, { json: { query: text } })
      }
      const { status, body } = await ask(query)
      expect([status, body.data.search.edges[0].node.action, body.data.searchPaginated]).toEqual([
        400,
        'part.shown',
        null,
      ])
      expect((await looks(group)).length).toBe(1)
      const nothing = await ask('{ search(first: 5000) { totalCount } }')
      expect([nothing.status, nothing.body.data]).toEqual([400, { search: null }])
      expect((await looks(group)).length).toBe(1)
    },
  )
})

describe('exports', () => {
  /** A saved export of everything in a group of one event: where its file is, and for whom. */
  const anExportOf = async (group: string) => {
    await publish({ action: 'is.exported', crud: 'c', actor: { id: 'a' }, group: { id: group } })
    const session = await sessionFor(group)
    const { body } = await view(session, 'POST', '/project/certifai/export', { name: 'x', exportBody: {} })
    return { session, path: `/project/certifai/export/${body.id}/rendered` }
  }

  test('are saved, listed for their group alone, and rendered as CSV', async () => {
    const group = 'exporting'
    const id = await publish({
      action: 'export.me',
      crud: 'c',
      actor: { id: 'a', name: '=HYPERLINK("x")' },
      group: { id: group },
      created: '2026-03-01T12:00:00Z',
    })
    await publish({ action: 'export.read', crud: 'r', actor: { id: 'a' }, group: { id: group } })
    const session = await sessionFor(group)
    const exportBody = { version: 1, searchQuery: 'action:export.*', showCreate: true, showRead: false }
    const made = await view(session, 'POST', '/project/certifai/export', { name: 'My export/ü', exportBody })
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'My export/ü',
      body: exportBody,
      project_id: 'certifai',
      environment_id: 'live',
      group_id: group,
    })
    const listed = await view(session, 'GET', '/project/certifai/exports?limit=')
    expect(listed.body).toEqual([{ ...made.body, saved_at: expect.any(String) }])
    expect((await view(await sessionFor('globex'), 'GET', '/project/certifai/exports')).body).toEqual([])

    const path = `/project/certifai/export/${made.body.id}/rendered`
    const file = await view(session, 'GET', path)
    expect(file.status).toBe(200)
    expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="My_export_.csv"')
    expect(file.headers.get('access-control-expose-headers')).toContain('Content-Disposition')
    expect(file.headers.get('x-content-type-options')).toBe('nosniff')
    const [head, row, end] = file.text.split('\n')
    expect(head).toMatch(/^id,action,crud/)
    expect(row).toContain(`${id},export.me,c,,2026-03-01 12:00:00`)
    expect(row).toContain(`"'=HYPERLINK(""x"")"`)
    expect(end).toBe('')
    const byLink = await wire.call('GET', `/audit/viewer/v1${path}?jwt=${session}`)
    expect(byLink.text).toBe(file.text)
    expect((await view(await sessionFor('globex'), 'GET', path)).status).toBe(404)
  })

  test('are of any text: what is no JSON is what they search for', async () => {
    const group = 'plainly'
    for (const action of ['plain.found', 'plain.other']) {
      await publish({ action, crud: 'c', actor: { id: 'a' }, group: { id: group }, description: action.slice(6) })
    }
    const session = await sessionFor(group)
    for (const [exportBody, searchQuery] of [
      ['found', 'found'],
      ['7', '7'],
      ['"found"', '"found"'],
      ['{"searchQuery":"found"}', 'found'],
    ]) {
      const made = await view(session, 'POST', '/project/certifai/export', { name: 'Test Name', exportBody })
      expect([made.status, made.body.body]).toEqual([201, { searchQuery }])
      const file = await view(session, 'GET', `/project/certifai/export/${made.body.id}/rendered`)
      expect(file.text.match(/plain\.\w+/g)).toEqual(searchQuery === '7' ? null : ['plain.found'])
    }
    expect((await view(session, 'GET', '/project/certifai/exports')).body.length).toBe(4)
    for (const exportBody of ['{"searchQuery":7}', '[]', 7, null, 'x'.repeat(2_001), 'crud:x']) {
      expect((await view(session, 'POST', '/project/certifai/export', { name: 'x', exportBody })).status).toBe(400)
    }
  })

  test('are of the kinds of events that are ticked, and of all where none is', async () => {
    const group = 'ticked'
    for (const crud of ['c', 'r', 'u', 'd']) {
      await publish({ action: `ticked.${crud}`, crud, actor: { id: 'a' }, group: { id: group } })
    }
    const session = await sessionFor(group)
    const none = { showCreate: false, showRead: false, showUpdate: false, showDelete: false }
    const found = async (ticked: object) => {
      const exportBody = { version: 1, searchQuery: 'action:ticked.*', ...none, ...ticked }
      const made = await view(session, 'POST', '/project/certifai/export', { name: 'x', exportBody })
      const file = await view(session, 'GET', `/project/certifai/export/${made.body.id}/rendered`)
      return [file.status, ...(file.text.match(/(?<=ticked\.)\w/g) ?? [])]
    }
    expect(await found({})).toEqual([200, 'd', 'u', 'r', 'c'])
    expect(await found({ showCreate: true })).toEqual([200, 'c'])
    expect(await found({ showRead: true })).toEqual([200, 'r'])
    expect(await found({ showUpdate: true })).toEqual([200, 'u'])
    expect(await found({ showDelete: true })).toEqual([200, 'd'])
    expect(await found({ showCreate: true, showDelete: true })).toEqual([200, 'd', 'c'])
  })

  test('are of what came in from their beginning on and before their end, as a text or in milliseconds', async () => {
    const group = 'timed'
    const received: number[] = []
    for (const action of ['timed.one', 'timed.two', 'timed.three']) {
      const id = await publish({ action, crud: 'c', actor: { id: 'a' }, group: { id: group } })
      const [row] = (await wire.query(
        `select received_at from audit_log where replace(id::text, '-', '') = '${id}'`,
      )) as [{ received_at: Date }]
      received.push(row.received_at.getTime())
    }
    expect(new Set(received).size).toBe(3)
    const [one = 0, two = 0, three = 0] = received
    const session = await sessionFor(group)
    const found = async (times: object) => {
      const exportBody = { version: 1, searchQuery: 'action:timed.*', ...times }
      const made = await view(session, 'POST', '/project/certifai/export', { name: 'x', exportBody })
      expect([made.status, made.body.body]).toEqual([201, exportBody])
      const file = await view(session, 'GET', `/project/certifai/export/${made.body.id}/rendered`)
      return file.text.match(/(?<=timed\.)\w+/g)
    }
    const iso = (at: number) => new Date(at).toISOString()
    for (const as of [(at: number) => at, iso]) {
      expect(await found({ startTime: as(two), endTime: as(three) })).toEqual(['two'])
      expect(await found({ startTime: as(two) })).toEqual(['three', 'two'])
      expect(await found({ endTime: as(two) })).toEqual(['one'])
      expect(await found({ startTime: as(one - 1), endTime: as(one) })).toBeNull()
    }
    expect(await found({ startTime: null, endTime: '' })).toEqual(['three', 'two', 'one'])
  })

  test('that find nothing are files of the names of columns alone', async () => {
    const { session } = await anExportOf('finds-nothing')
    const exportBody = { version: 1, searchQuery: 'action:nothing.at.all' }
    const { body } = await view(session, 'POST', '/project/certifai/export', { name: 'x', exportBody })
    const { status, text } = await view(session, 'GET', `/project/certifai/export/${body.id}/rendered`)
    expect([status, text.split('\n')]).toEqual([200, [expect.stringMatching(/^id,action,crud,[a-z_,]+$/), '']])
  })

  test('are a thousand for a group at most', async () => {
    const session = await sessionFor('many-saved')
    const save = async () => await view(session, 'POST', '/project/certifai/export', { name: 'x', exportBody: {} })
    expect((await save()).status).toBe(201)
    await wire.query(
      `insert into registry.audit_exports select (jsonb_populate_record(saved, jsonb_build_object('id', gen_random_uuid()))).*
       from registry.audit_exports saved, generate_series(1, 999) where group_id = 'many-saved'`,
    )
    const refused = await save()
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('At most 1000')])
  })

  test('that nobody reads leave their place to others', async () => {
    const { session, path } = await anExportOf('not-read')
    // More than there are at the same time.
    for (let turn = 0; turn < 10; turn += 1) expect((await view(session, 'HEAD', path)).status).toBe(200)
    const gone = Array.from({ length: 10 }, async () => {
      const caller = new AbortController()
      const asked = fetch(`${wire.url}/audit/viewer/v1${path}`, {
        headers: { authorization: session },
        signal: caller.signal,
      })
      setTimeout(() => caller.abort(), 5)
      await asked.catch(() => undefined)
    })
    await Promise.all(gone)
    await expect.poll(async () => (await view(session, 'GET', path)).status).toBe(200)
  })

  test('are not shown where that they are taken away cannot be recorded', async () => {
    const { session, path } = await anExportOf('not-recorded')
    const owner = new Client({ connectionString: wire.database.ownerUrl })
    await owner.connect()
    try {
      await owner.query(`alter table audit_log add constraint no_looks check (action <> 'audit.log.view') not valid`)
      // More than there are at the same time.
      for (let turn = 0; turn < 10; turn += 1) {
        const { status, text } = await view(session, 'GET', path)
        expect([status, text.includes('is.exported')]).toEqual([500, false])
      }
      await owner.query('alter table audit_log drop constraint no_looks')
    } finally {
      await owner.end()
    }
    expect((await view(session, 'GET', path)).text).toContain('is.exported')
  })

  test('are recorded each time that they are taken away, and not in the file itself', async () => {
    const group = 'taken-away'
    await publish({ action: 'take.me', crud: 'c', actor: { id: 'a' }, group: { id: group } })
    const session = await sessionFor(group)
    const json = { name: 'All', exportBody: { version: 1 } }
    const { body } = await view(session, 'POST', '/project/certifai/export', json)
    const path = `/project/certifai/export/${body.id}/rendered`
    expect((await view(session, 'GET', path)).text.split('\n').length).toBe(3)
    expect((await view(session, 'GET', path)).text.split('\n').length).toBe(4)
    const { edges, totalCount } = await searched(session, 'action:audit.log.view')
    expect(totalCount).toBe(2)
    expect(edges[0].node).toMatchObject({
      action: 'audit.log.view',
      crud: 'r',
      description: 'Exported the audit log',
      actor: { id: 'jane' },
      group: { id: group },
      target: { id: body.id, name: 'All', type: 'audit_export' },
    })
  })
})

describe('enterprise tokens', () => {
  test('are told from one another in the log, and name the action that is recorded', async () => {
    const group = 'told-apart'
    const tokens = `/publisher/v1/project/certifai/group/${group}/enterprisetoken`
    const names: string[] = []
    for (const [display_name, view_log_action] of [
      ['One', 'one.looked'],
      ['Two', 'two.looked'],
    ]) {
      const made = await wire.ask('POST', tokens, key, { json: { display_name, view_log_action } })
      const json = { query: '{ search { totalCount } }' }
      expect((await wire.ask('POST', '/enterprise/v1/graphql', made.body.token as string, { json })).status).toBe(200)
      names.push(made.body.token as string)
    }
    const { edges } = await searched(await sessionFor(group), 'action:*.looked OR action:one.looked,two.looked')
    const seen = edges.map(({ node }: { node: { action: string; actor: { id: string; name: string } } }) => [
      node.action,
      node.actor.name,
      node.actor.id,
    ])
    const idOf = (token: string) => `enterprise:${token.slice('bpk_live_'.length).slice(0, 7)}`
    expect(seen).toEqual([
      ['two.looked', 'Two', idOf(names[1] ?? '')],
      ['one.looked', 'One', idOf(names[0] ?? '')],
    ])
    expect(idOf(names[0] ?? '')).not.toBe(idOf(names[1] ?? ''))
  })

  test('are made by a viewer that is an admin, read the log of its group, and are each time recorded', async () => {
    const group = 'enterprising'
    const event = await publish({ action: 'deal.closed', crud: 'c', actor: { id: 'a' }, group: { id: group } })
    const session = await sessionFor(group)
    const made = await view(session, 'POST', '/project/certifai/eitapi_token', { displayName: 'SIEM' })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ display_name: 'SIEM', group_id: group, view_log_action: 'audit.log.view' })
    const token = made.body.id as string
    const listed = await view(session, 'GET', '/project/certifai/eitapi_tokens')
    expect(listed.body).toEqual([{ id: expect.stringMatching(/^[0-9a-f]{32}$/), display_name: 'SIEM' }])

    const search = async () =>
      await wire.ask('POST', '/enterprise/v1/graphql', token, {
        json: { query: everything, variables: { query: 'action:deal.closed,audit.*', last: 20 } },
      })
    const first = await search()
    expect(first.status).toBe(200)
    expect(first.body.data.search.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([event])
    const second = await search()
    expect(second.body.data.search.edges[0].node).toMatchObject({
      action: 'audit.log.view',
      crud: 'r',
      actor: { id: `enterprise:${token.split('_')[2]?.slice(0, 7)}`, name: 'SIEM' },
    })

    const path = `/project/certifai/eitapi_token/${listed.body[0].id}`
    const renamed = await view(session, 'PUT', path, { displayName: 'Other SIEM', id: listed.body[0].id })
    expect([renamed.status, renamed.body.display_name]).toEqual([201, 'Other SIEM'])
    expect((await view(session, 'DELETE', path)).status).toBe(204)
    expect((await search()).status).toBe(401)
    const told = await searched(session, 'action:eitapi_token.*,eitapi_tokens.*')
    expect(told.edges.map(({ node }: { node: { action: string } }) => node.action)).toEqual([
      'eitapi_token.delete',
      'eitapi_token.update',
      'eitapi_tokens.list',
      'eitapi_token.create',
    ])
  })
})
