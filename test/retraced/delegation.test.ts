import { newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyringFile } from '../server.ts'
import { clientOf, everything, startWire, type Wire } from './wire.ts'

const ringText = newKeyringText('wire')
const ring = parseKeyring(ringText)
let wire: Wire
let key: string
beforeAll(async () => {
  wire = await startWire({ SECRETS_KEYRING_FILE: keyringFile(ringText) })
  key = await wire.publisherKey()
})
afterAll(() => wire.stop())

const project = '/publisher/v1/project/certifai'

async function viewerToken(query: Record<string, string>) {
  return await wire.ask('GET', `${project}/viewertoken?${new URLSearchParams(query).toString()}`, key)
}

async function sessionOf(query: Record<string, string>): Promise<string> {
  const { body } = await viewerToken(query)
  const { body: session } = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: body.token } })
  return session.token as string
}

const view = async (session: string, path: string, method = 'GET', json?: unknown) =>
  await wire.call(method, `/audit/viewer/v1${path}`, {
    headers: { authorization: session },
    ...(json !== undefined && { json }),
  })

const look = async (session: string, query = '') =>
  await view(session, '/graphql?skipViewLogEvent=true', 'POST', { query: everything, variables: { query, last: 50 } })

const publish = async (event: object) =>
  await wire.ask('POST', `${project}/event`, key, { json: { crud: 'c', actor: { id: 'a' }, ...event } })

const ownEvents = async (action: string) =>
  await wire.db
    .selectFrom('audit_log')
    .selectAll()
    .where('product', '=', 'tenant-registry')
    .where('action', '=', action)
    .orderBy('stream_seq')
    .execute()

describe('viewer tokens', () => {
  test('need a group, by its name or the old one', async () => {
    const none = await viewerToken({ actor_id: 'a' })
    expect([none.status, none.body.error]).toEqual([400, 'Either group_id or team_id is required'])
    for (const query of [{ group_id: 'g' }, { team_id: 'g', actor_id: 'a', unknown: 'x' }]) {
      const { status, body } = await viewerToken(query)
      expect([status, body.token]).toEqual([201, expect.stringMatching(/^[0-9a-f]{32}$/)])
    }
    for (const group_id of ['a\0b', 'x'.repeat(1_025)]) expect((await viewerToken({ group_id })).status).toBe(400)
  })

  test('are good more than once, and not for anything else', async () => {
    const { body } = await viewerToken({ group_id: 'g', actor_id: 'a' })
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: body.token } })
      expect(answer.status).toBe(200)
    }
    expect((await look(body.token)).status).toBe(401)
    expect((await wire.ask('POST', '/enterprise/v1/graphql', body.token, { json: {} })).status).toBe(401)
    for (const token of ['0'.repeat(32), 'x', '', null, 7, {}]) {
      const answer = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token } })
      expect([answer.status, answer.body.type]).toEqual([401, 'Error'])
    }
  })

  test('of a target show what was done to that one, and let nobody make tokens of the whole group', async () => {
    await publish({ action: 'target.one', group: { id: 'targets' }, target: { id: 't1' } })
    await publish({ action: 'target.two', group: { id: 'targets' }, target: { id: 't2' } })
    const session = await sessionOf({ group_id: 'targets', actor_id: 'a', target_id: 't1', is_admin: 'true' })
    const { body } = await look(session)
    expect(body.data.search.edges.map(({ node }: { node: { action: string } }) => node.action)).toEqual(['target.one'])
    const made = await view(session, '/project/certifai/eitapi_token', 'POST', { displayName: 'x' })
    expect(made.status).toBe(403)
    expect((await view(session, '/project/certifai/eitapi_tokens')).status).toBe(403)
    const plain = await sessionOf({ group_id: 'targets', actor_id: 'a', is_admin: 'false' })
    expect((await view(plain, '/project/certifai/eitapi_token', 'POST', { displayName: 'x' })).status).toBe(403)
    expect((await view(plain, '/project/certifai/eitapi_tokens')).status).toBe(200)
  })

  test('name the action that is recorded; without an actor nobody in particular looked', async () => {
    const session = await sessionOf({ group_id: 'actions', view_log_action: 'our.look' })
    expect((await view(session, '/graphql', 'POST', { query: '{ search { totalCount } }' })).status).toBe(200)
    const { body } = await look(session)
    expect(body.data.search.edges[0].node).toMatchObject({ action: 'our.look', is_anonymous: true })
    // What is no question is not looked at, and not recorded.
    expect((await view(session, '/graphql', 'POST', { query: '{ nothing }' })).status).toBe(400)
    expect((await view(session, '/graphql', 'POST', { query: '{ search(last: 0) { totalCount } }' })).status).toBe(400)
    expect((await look(session)).body.data.search.totalCount).toBe(1)
  })

  test('end when the publisher says so, where the Go client looks for it too', async () => {
    for (const base of ['/viewer/v1', '/publisher/v1', '/v1']) {
      const mine = await sessionOf({ group_id: 'ending', actor_id: 'a' })
      const other = await sessionOf({ group_id: 'ending', actor_id: 'b' })
      const path = `${base}/project/certifai/group/ending/actor/a/viewersessions`
      expect((await wire.ask('DELETE', path, undefined)).status).toBe(401)
      expect((await look(mine)).status).toBe(200)
      expect((await wire.ask('DELETE', path, key)).status).toBe(200)
      expect([(await look(mine)).status, (await look(other)).status]).toEqual([401, 200])
    }
    const events = await ownEvents('audit_viewer.ended')
    expect(events).toHaveLength(3)
    expect((await wire.ask('DELETE', '/v1/project/certifai/group/ending/actor/a/viewersessions', key)).status).toBe(200)
    expect(await ownEvents('audit_viewer.ended')).toHaveLength(3)
  })

  test('end by themselves', async () => {
    const session = await sessionOf({ group_id: 'over', actor_id: 'a' })
    expect((await look(session)).status).toBe(200)
    const { body } = await viewerToken({ group_id: 'over', actor_id: 'a' })
    await wire.query(`update registry.audit_viewers set expires_at = now() where group_id = 'over'`)
    expect((await look(session)).status).toBe(401)
    const again = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: body.token } })
    expect(again.status).toBe(401)
  })

  test('last as long as the server is told', async () => {
    const short = await startWire({ AUDIT_VIEWER_TTL: '10' })
    try {
      const token = await clientOf(short, await short.publisherKey()).getViewerToken('g', 'a', false)
      const { body } = await short.call('POST', '/audit/viewer/v1/viewersession', { json: { token } })
      const { exp, iat } = JSON.parse(Buffer.from(body.token.split('.')[1], 'base64url').toString())
      expect(exp - iat).toBeLessThanOrEqual(10)
    } finally {
      await short.stop()
    }
  })
})

describe('a session', () => {
  const claimsIn = (session: string) => JSON.parse(Buffer.from(session.split('.')[1] ?? '', 'base64url').toString())

  const sign = async (
    claims: object,
    { alg = 'HS256', typ = 'viewer-session+jwt', signer = ring.key('viewer-session') } = {},
  ) => await new SignJWT({ ...claims }).setProtectedHeader({ alg, typ, kid: 'wire' }).sign(signer)

  test('says in Retraced’s words who looks, and when it ends', async () => {
    const session = await sessionOf({ group_id: 'claims', actor_id: 'jane', target_id: 't' })
    expect(claimsIn(session)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      projectId: 'certifai',
      environmentId: 'live',
      groupId: 'claims',
      viewLogAction: 'audit.log.view',
      actorId: 'jane',
      created: expect.any(String),
      scope: 'target_id=t',
      ip: '127.0.0.1',
      iat: expect.any(Number),
      exp: expect.any(Number),
    })
  })

  test.each<[string, object]>([
    ['another group', { groupId: 'globex' }],
    ['another product', { projectId: 'compliance' }],
    ['another environment', { environmentId: 'test' }],
    ['another actor', { actorId: 'root' }],
    ['another action', { viewLogAction: 'nothing' }],
    ['another target', { scope: '' }],
    ['another beginning', { created: '2020-01-01T00:00:00.000Z' }],
    ['nobody', { id: '0'.repeat(32) }],
    ['an id with SQL', { id: "' or true --" }],
    ['an id that is none', { id: { $ne: null } }],
    ['a life that is over', { exp: 1 }],
  ])('that says %s is refused, whoever signed it', async (_what, forged) => {
    const session = await sessionOf({ group_id: 'forged', actor_id: 'jane', target_id: 't' })
    const own = await sign(claimsIn(session))
    expect((await look(own)).status).toBe(200)
    const { status, body } = await look(await sign({ ...claimsIn(session), ...forged }))
    expect(status).toBe(401)
    expect(body).toEqual({ status: 401, type: 'Error', error: 'The session is over, or not valid' })
  })

  test('that leaves claims out says nothing wrong', async () => {
    const { id } = claimsIn(await sessionOf({ group_id: 'few', actor_id: 'jane' }))
    expect((await look(await sign({ id }))).status).toBe(200)
  })

  test('is signed in one way, with a key for nothing else', async () => {
    const session = await sessionOf({ group_id: 'signed', actor_id: 'jane' })
    const claims = claimsIn(session)
    const [head, payload] = session.split('.')
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'viewer-session+jwt' })).toString('base64url')
    for (const forged of [
      await sign(claims, { alg: 'HS512' }),
      await sign(claims, { typ: 'JWT' }),
      await sign(claims, { signer: ring.key('idempotency') }),
      `${none}.${payload}.`,
      `${head}.${payload}.`,
      `${session}x`,
      'x.y.z',
      'x',
    ]) {
      expect((await look(forged)).status).toBe(401)
    }
    // And the registry's own API takes no session for a token.
    const api = await wire.call('GET', '/v1/tenants', { headers: { authorization: `Bearer ${session}` } })
    expect(api.status).toBe(401)
  })

  test('is for its own project, and in an address for a file alone', async () => {
    const session = await sessionOf({ group_id: 'links', actor_id: 'jane' })
    expect((await view(session, '/project/compliance/exports')).status).toBe(401)
    expect((await wire.call('GET', `/audit/viewer/v1/project/certifai/exports?jwt=${session}`)).status).toBe(401)
    const file = await wire.call(
      'GET',
      `/audit/viewer/v1/project/certifai/export/${'0'.repeat(32)}/rendered?jwt=${session}`,
    )
    expect(file.status).toBe(404)
    expect(JSON.stringify(wire.log)).not.toContain(session.slice(-20))
  })
})

describe('enterprise tokens', () => {
  const tokens = (group: string) => `${project}/group/${group}/enterprisetoken`
  const search = async (token: string) =>
    await wire.ask('POST', '/enterprise/v1/graphql', token, { json: { query: everything, variables: { query: '' } } })

  test('are made, listed, read, renamed and ended by the publisher', async () => {
    const made = await wire.ask('POST', tokens('ent'), key, { json: { display_name: 'SIEM' } })
    expect([made.status, made.body]).toEqual([
      201,
      { token: expect.stringMatching(/^bpk_live_/), display_name: 'SIEM', view_log_action: 'audit.log.view' },
    ])
    const { token } = made.body
    const listed = await wire.ask('GET', tokens('ent'), key)
    expect([listed.status, listed.body]).toEqual([200, [{ token, display_name: 'SIEM' }]])
    expect((await wire.ask('GET', tokens('other'), key)).body).toEqual([])
    expect((await wire.ask('GET', `${tokens('ent')}/${token}`, key)).body).toEqual(made.body)
    const renamed = await wire.ask('PUT', `${tokens('ent')}/${token}`, key, { json: { display_name: 'Other' } })
    expect([renamed.status, renamed.body]).toEqual([200, { token, display_name: 'Other' }])
    expect((await wire.ask('GET', `${tokens('ent')}/${token}`, key)).body).toEqual({
      ...made.body,
      display_name: 'Other',
    })
    expect((await search(token)).status).toBe(200)
    expect((await wire.ask('DELETE', `${tokens('ent')}/${token}`, key)).status).toBe(204)
    expect((await wire.ask('DELETE', `${tokens('ent')}/${token}`, key)).status).toBe(404)
    expect((await wire.ask('GET', `${tokens('ent')}/${token}`, key)).status).toBe(404)
    const refused = await search(token)
    expect(refused.status).toBe(401)
  })

  test('their looks have another action as soon as the publisher says so', async () => {
    const { token } = (await wire.ask('POST', tokens('looks'), key, { json: { display_name: 'SIEM' } })).body
    const names = { display_name: 'SIEM', view_log_action: 'siem.read' }
    expect((await wire.ask('PUT', `${tokens('looks')}/${token}`, key, { json: names })).status).toBe(200)
    expect((await wire.ask('GET', `${tokens('looks')}/${token}`, key)).body).toEqual({ token, ...names })
    await search(token)
    const { edges } = (await search(token)).body.data.search
    expect(edges.map(({ node }: { node: { action: string } }) => node.action)).toEqual(['siem.read'])
    const empty = { display_name: 'SIEM', view_log_action: '' }
    expect((await wire.ask('PUT', `${tokens('looks')}/${token}`, key, { json: empty })).status).toBe(200)
    expect((await wire.ask('GET', `${tokens('looks')}/${token}`, key)).body).toEqual({ token, ...names })
    const [event] = (await ownEvents('enterprise_token.renamed')).filter(({ target_name }) => target_name === 'SIEM')
    expect(JSON.stringify(event)).toContain('siem.read')
  })

  test('are opened for these two calls alone, and each opening is recorded', async () => {
    const made = await wire.ask('POST', tokens('opened'), key, { json: { display_name: 'A' } })
    await wire.ask('POST', tokens('opened'), key, { json: { display_name: 'B', view_log_action: 'b.looked' } })
    const before = (await ownEvents('enterprise_token.revealed')).length
    await wire.ask('GET', tokens('opened'), key)
    await wire.ask('GET', `${tokens('opened')}/${made.body.token}`, key)
    const events = (await ownEvents('enterprise_token.revealed')).slice(before)
    expect(events.map(({ target_name, crud }) => [target_name, crud])).toEqual([
      ['A', 'r'],
      ['B', 'r'],
      ['A', 'r'],
    ])
    expect(JSON.stringify(events)).not.toContain(made.body.token)
  })

  test('made by a viewer are so in the name of the product that called them that, whoever has that name here', async () => {
    const session = await sessionOf({ group_id: 'named', actor_id: 'dev', is_admin: 'true' })
    const made = await view(session, '/project/certifai/eitapi_token', 'POST', { displayName: 'by a viewer' })
    expect(made.status).toBe(201)
    const [event] = (await ownEvents('enterprise_token.issued')).filter(
      ({ target_name }) => target_name === 'by a viewer',
    )
    expect(event).toMatchObject({ actor_id: 'audit_viewer:certifai/dev', actor_fields: '{"role":"audit-viewer"}' })
    const told = await look(session, 'action:eitapi_token.create')
    expect(told.body.data.search.edges[0].node).toMatchObject({ actor: { id: 'dev' }, target: { name: 'by a viewer' } })
  })

  test('that are sealed for one row open as no other', async () => {
    const one = await wire.ask('POST', tokens('sealed'), key, { json: { display_name: 'one' } })
    const two = await wire.ask('POST', tokens('sealed'), key, { json: { display_name: 'two' } })
    await wire.query(`update registry.audit_enterprise_tokens t
      set sealed = (select sealed from registry.audit_enterprise_tokens where display_name = 'two')
      where display_name = 'one'`)
    const { body } = await wire.ask('GET', tokens('sealed'), key)
    const shown = body.map(({ token }: { token: string }) => token)
    expect(shown).toEqual([one.body.token.slice(0, 21), two.body.token])
  })

  test('see one group, and are refused everywhere else', async () => {
    await publish({ action: 'ent.mine', group: { id: 'entmine' } })
    await publish({ action: 'ent.other', group: { id: 'entother' } })
    const { token } = (await wire.ask('POST', tokens('entmine'), key, { json: { display_name: 'x' } })).body
    const found = await search(token)
    expect(found.body.data.search.edges.map(({ node }: { node: { action: string } }) => node.action)).toEqual([
      'ent.mine',
    ])
    expect((await wire.ask('POST', `${project}/event`, token, { json: {} })).status).toBe(401)
    expect((await wire.ask('POST', `${project}/graphql`, token, { json: {} })).status).toBe(401)
    expect((await wire.ask('GET', tokens('entmine'), token)).status).toBe(401)
    expect((await search(key)).status).toBe(401)
    const api = await wire.call('GET', '/v1/audit/events', { headers: { authorization: `Bearer ${token}` } })
    expect(api.status).toBe(403)
  })

  test("are those of their own product and environment: another publisher's hand does not reach them", async () => {
    const { token } = (await wire.ask('POST', tokens('apart'), key, { json: { display_name: 'x' } })).body
    const compliance = await wire.publisherKey({ product: 'compliance' })
    const trying = await wire.publisherKey({ environment: 'test' })
    const elsewhere = '/publisher/v1/project/compliance/group/apart/enterprisetoken'
    for (const [method, json] of [
      ['GET', undefined],
      ['PUT', { display_name: 'mine' }],
      ['DELETE', undefined],
    ] as const) {
      const options = json ? { json } : {}
      expect((await wire.ask(method, `${tokens('apart')}/${token}`, compliance, options)).status).toBe(401)
      expect((await wire.ask(method, `${elsewhere}/${token}`, compliance, options)).status).toBe(404)
      expect((await wire.ask(method, `${tokens('apart')}/${token}`, trying, options)).status).toBe(404)
    }
    expect((await wire.ask('GET', elsewhere, compliance)).body).toEqual([])
    expect((await search(token)).status).toBe(200)
  })

  test('that leaked are ended as every key is', async () => {
    const { token } = (await wire.ask('POST', tokens('leaked'), key, { json: { display_name: 'x' } })).body
    expect((await search(token)).status).toBe(200)
    expect((await wire.call('POST', '/v1/api-keys/revoke', { json: { key: token } })).status).toBe(204)
    expect((await search(token)).status).toBe(401)
    expect((await wire.ask('GET', tokens('leaked'), key)).body).toEqual([])
  })

  test('are at most a hundred in a group, and have a name', async () => {
    const named = ['', ' ', 7, null, 'x'.repeat(1_001), 'a\nb', 'a\u0007'].map((display_name) => ({ display_name }))
    for (const json of [{}, [], ...named]) {
      expect((await wire.ask('POST', tokens('named'), key, { json })).status).toBe(400)
    }
    const make = async () => (await wire.ask('POST', tokens('full'), key, { json: { display_name: 'x' } })).status
    const statuses = await Promise.all(Array.from({ length: 102 }, make))
    expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array.from({ length: 100 }, () => 201), 409, 409])
  }, 60_000)

  test('stand in no log and in no event, whole', async () => {
    const { token } = (await wire.ask('POST', tokens('quiet'), key, { json: { display_name: 'x' } })).body as {
      token: string
    }
    await wire.ask('GET', `${tokens('quiet')}/${token}`, key)
    await wire.ask('GET', `${tokens('nobody')}/${token}`, key)
    await search(token)
    await wire.ask('DELETE', `${tokens('quiet')}/${token}`, key)
    const secret = token.slice(22)
    expect(JSON.stringify(wire.log)).not.toContain(secret)
    const rows = await wire.query(`select count(*)::int as found from audit_log a where a::text like '%${secret}%'`)
    expect(rows).toEqual([{ found: 0 }])
  })

  test('are shown once where the server is told so', async () => {
    const once = await startWire({ AUDIT_ENTERPRISE_TOKENS: 'once' })
    try {
      const by = await once.publisherKey()
      const made = await once.ask('POST', tokens('g'), by, { json: { display_name: 'x' } })
      const prefix = made.body.token.slice(0, 21)
      expect((await once.ask('GET', tokens('g'), by)).body).toEqual([{ token: prefix, display_name: 'x' }])
      expect((await once.ask('GET', `${tokens('g')}/${prefix}`, by)).body.token).toBe(prefix)
      const rows = await once.query('select sealed, kid from registry.audit_enterprise_tokens')
      expect(rows).toEqual([{ sealed: null, kid: null }])
    } finally {
      await once.stop()
    }
  })
})
