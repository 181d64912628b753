import {
  cleanViewers,
  createTenant,
  NewTenant,
  NewTenantProduct,
  placeLegalHold,
  putTenantProduct,
  requestPurge,
  purgeTenants,
  Slug,
  type TenantId,
  Transition,
  transitionTenant,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyCatalogue, testActor } from '../builders.ts'
import { clientOf, everything, startWire, type Wire } from './wire.ts'

/** The platform's people look into the whole log of a tenant, over all products. */
let wire: Wire
const keys: Record<string, string> = {}
let acme: TenantId

beforeAll(async () => {
  wire = await startWire()
  keys['certifai'] = await wire.publisherKey()
  keys['compliance'] = await wire.publisherKey({ product: 'compliance' })
  keys['test'] = await wire.publisherKey({ environment: 'test' })
  acme = await aTenant('acme')
})
afterAll(() => wire.stop())

async function aTenant(slug: string): Promise<TenantId> {
  const input = NewTenant.parse({ slug, name: `The ${slug}`, status: 'active', plan: 'professional' })
  const { id } = await createTenant(wire.db, testActor, keyCatalogue, input)
  for (const product of ['certifai', 'compliance']) {
    await putTenantProduct(wire.db, testActor, keyCatalogue, id, product, NewTenantProduct.parse({}))
  }
  return id
}

async function publish(by: string, action: string, group: object): Promise<void> {
  const product = by === 'test' ? 'certifai' : by
  const event = { action, crud: 'c', actor: { id: 'ann', name: 'Ann' }, group }
  const { status } = await wire.ask('POST', `/publisher/v1/project/${product}/event`, keys[by], { json: event })
  expect(status).toBe(201)
}

const issue = async (json: object) => await wire.call('POST', '/v1/audit/viewer-tokens', { json })

async function sessionOf(token: string) {
  const { status, body } = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token } })
  expect(status).toBe(200)
  return { session: body.token as string, project: body.project_id as string }
}

async function look(asked: object) {
  const { status, body } = await issue(asked)
  expect(status).toBe(201)
  return await sessionOf(body.token as string)
}

const view = async (session: string, method: string, path: string, json?: unknown) =>
  await wire.call(method, `/audit/viewer/v1${path}`, {
    headers: { authorization: session },
    ...(json !== undefined && { json }),
  })

interface Found {
  readonly totalCount: number
  readonly pageInfo: { readonly hasPreviousPage: boolean }
  readonly edges: {
    cursor: string
    node: { action: string; display: { markdown: string }; group: { name: string | null }; actor: { id: string } }
  }[]
}

async function search(session: string, query: string, page: object = {}, path = '/graphql'): Promise<Found> {
  const variables = { query, last: 20, ...page }
  const { status, body } = await view(session, 'POST', path, { query: everything, variables })
  expect(status).toBe(200)
  return body.data.search
}

const actionsOf = ({ edges }: Found) => edges.map(({ node }) => node.action).toSorted()

/** What the registry recorded of a tenant by these actions, oldest first. */
const recorded = async (tenant: string, actions: string) =>
  await wire.query(
    `select action, crud, actor_id, target_id, target_type, fields::text from audit_log
     where stream_id = '${tenant}' and product = 'tenant-registry' and action ~ '${actions}' order by stream_seq`,
  )

describe('what the platform sees', () => {
  test('is the whole log of the tenant, each row with whose it is, and nothing of any other', async () => {
    const other = await aTenant('other')
    await publish('certifai', 'all.one', { id: acme })
    await publish('compliance', 'all.two', { id: acme })
    await publish('test', 'all.three', { id: acme })
    await publish('certifai', 'all.other', { id: other })
    await publish('certifai', 'all.text', { id: 'a-text' })

    const { session, project } = await look({ tenant_id: acme })
    expect(project).toBe('all_products')
    const found = await search(session, 'action:all.*,tenant.*')
    expect(found.totalCount).toBe(4)
    expect(Object.fromEntries(found.edges.map(({ node }) => [node.action, node.display.markdown]))).toEqual({
      'all.one': String.raw`**certifai**: **Ann** performed the action **all.one**`,
      'all.two': String.raw`**compliance**: **Ann** performed the action **all.two**`,
      'all.three': String.raw`**certifai** (test): **Ann** performed the action **all.three**`,
      'tenant.created': String.raw`**tenant-registry**: **${testActor.id}** performed the action **tenant.created** on **The acme**`,
    })
    // Who did it, as the platform sees it.
    expect(found.edges.find(({ node }) => node.action === 'tenant.created')?.node.actor.id).toBe(testActor.id)
    const [newest] = (await search(session, 'action:all.*', { last: 1 })).edges
    const rest = await search(session, 'action:all.*', { last: 1, before: newest?.cursor })
    expect([newest?.node.action, rest.edges[0]?.node.action, rest.pageInfo.hasPreviousPage]).toEqual([
      'all.three',
      'all.two',
      true,
    ])
    expect(actionsOf(await search(session, 'action:all.* product:compliance'))).toEqual(['all.two'])
  })

  test('is as little as was asked for', async () => {
    await publish('certifai', 'less.one', { id: acme })
    await publish('compliance', 'less.two', { id: acme })
    await publish('test', 'less.three', { id: acme })
    const seen = async (asked: object) =>
      actionsOf(await search((await look({ tenant_id: acme, ...asked })).session, 'action:less.*,tenant.*'))
    expect(await seen({ product: 'compliance' })).toEqual(['less.two'])
    expect(await seen({ environment: 'test' })).toEqual(['less.three'])
    expect(await seen({ product: 'certifai', environment: 'live' })).toEqual(['less.one'])
    expect(await seen({ product: 'tenant-registry' })).toEqual(['tenant.created'])
    const { project } = await look({ tenant_id: acme, product: 'compliance' })
    expect(project).toBe('compliance')
  })

  test('names a group as the product does that recorded the event', async () => {
    await publish('compliance', 'named.before', { id: acme })
    await publish('certifai', 'named.other', { id: acme })
    await publish('compliance', 'named.here', { id: acme, name: 'What compliance calls it' })
    const { session } = await look({ tenant_id: acme })
    const { edges } = await search(session, 'action:named.*')
    expect(Object.fromEntries(edges.map(({ node }) => [node.action, node.group.name]))).toEqual({
      'named.before': 'What compliance calls it',
      'named.other': null,
      'named.here': 'What compliance calls it',
    })
  })

  test('is there of a tenant that is archived, or gone, and of none that never was', async () => {
    const leaving = await aTenant('leaving')
    await publish('certifai', 'gone.one', { id: leaving })
    const archived = await look({ tenant_id: leaving })
    for (const to of ['frozen', 'archived'] as const) {
      const step = Transition.parse({ to, reason: 'migration' })
      await transitionTenant(wire.db, testActor, keyCatalogue, leaving, step, { purgeAfterDays: 0 })
    }
    expect(actionsOf(await search(archived.session, 'action:gone.*,tenant.archived'))).toEqual([
      'gone.one',
      'tenant.archived',
    ])
    await requestPurge(wire.db, testActor, leaving, { slug: Slug.parse('leaving') }, { purgeAfterDays: 0 })
    await purgeTenants(wire.db, testActor)
    const gone = await look({ tenant_id: leaving })
    expect(actionsOf(await search(gone.session, 'action:gone.*,tenant.purged'))).toEqual(['gone.one', 'tenant.purged'])
    const { status, body } = await issue({ tenant_id: '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f' })
    expect([status, body.code]).toEqual([404, 'tenant.not_found'])
    // The stream of a text is no tenant's.
    await publish('certifai', 'text.one', { id: 'only-a-text' })
    const [{ stream_id }] = (await wire.query(`select stream_id from audit_log where action = 'text.one'`)) as [
      { stream_id: string },
    ]
    expect((await issue({ tenant_id: stream_id })).status).toBe(404)
  })

  test('has what a legal hold is about, which no product and no tenant sees', async () => {
    const held = await aTenant('held')
    await placeLegalHold(wire.db, testActor, held, { reason: 'a lawsuit' })
    const { session } = await look({ tenant_id: held })
    expect((await search(session, 'target.type:legal_hold')).totalCount).toBe(1)
  })
})

describe('what is recorded', () => {
  test('is the token, each look whatever is asked, and each file, in the name of who looks', async () => {
    const watched = await aTenant('watched')
    const { body } = await issue({ tenant_id: watched, product: 'certifai' })
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      token: expect.stringMatching(/^[0-9a-f]{32}$/),
      expires_at: expect.any(String),
      url: `/audit/viewer#token=${body.token}`,
    })
    const lifeMs = new Date(body.expires_at).getTime() - Date.now()
    expect(lifeMs).toBeGreaterThan(290_000)
    expect(lifeMs).toBeLessThanOrEqual(300_000)
    const { session, project } = await sessionOf(body.token)
    await search(session, '', {}, '/graphql?skipViewLogEvent=true')
    const made = await view(session, 'POST', `/project/${project}/export`, { name: 'x', exportBody: {} })
    expect((await view(session, 'GET', `/project/${project}/export/${made.body.id}/rendered`)).status).toBe(200)

    const log = { target_id: watched, target_type: 'audit_log' }
    const events = await recorded(watched, '^audit')
    expect(events).toEqual([
      expect.objectContaining({ action: 'audit_viewer.issued', crud: 'c', actor_id: 'dev', target_id: body.id }),
      expect.objectContaining({ action: 'audit.viewed', crud: 'r', actor_id: 'dev', ...log }),
      expect.objectContaining({ action: 'audit_export.saved', crud: 'c', actor_id: 'dev' }),
      expect.objectContaining({ action: 'audit.exported', crud: 'r', actor_id: 'dev', ...log }),
    ])
    expect(JSON.stringify(events)).not.toContain(body.token)
    expect(JSON.stringify(wire.log)).not.toContain(body.token)
  })
})

test('a token that is ended opens nothing any more, nor does a session with it, and that is recorded', async () => {
  const closed = await aTenant('closed')
  const { body } = await issue({ tenant_id: closed })
  const { session } = await sessionOf(body.token)
  const end = async () => await wire.call('DELETE', `/v1/audit/viewer-tokens/${body.id}`)
  expect((await end()).status).toBe(204)
  const asked = { query: everything, variables: { query: '', last: 1 } }
  expect((await view(session, 'POST', '/graphql', asked)).status).toBe(401)
  const again = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: body.token } })
  expect(again.status).toBe(401)
  expect(await end()).toMatchObject({ status: 404, body: { code: 'audit_viewer.not_found' } })
  expect(await recorded(closed, '^audit_viewer.ended')).toEqual([
    expect.objectContaining({ crud: 'd', actor_id: 'dev', target_id: body.id, target_type: 'audit_viewer' }),
  ])
})

describe('exports', () => {
  test('say of which product each event is, and are there for who saved them alone, as long as they may look', async () => {
    await publish('certifai', 'file.one', { id: acme })
    await publish('compliance', 'file.two', { id: acme })
    const { session, project } = await look({ tenant_id: acme })
    const sent = { name: 'All', exportBody: { version: 1, searchQuery: 'action:file.*', showCreate: true } }
    const made = await view(session, 'POST', `/project/${project}/export`, sent)
    expect([made.status, made.body]).toMatchObject([
      201,
      { project_id: 'all_products', environment_id: 'all_environments', group_id: acme },
    ])
    const listed = await view(session, 'GET', `/project/${project}/exports?limit=`)
    expect(listed.body).toEqual([{ ...made.body, saved_at: expect.any(String) }])
    const path = `/project/${project}/export/${made.body.id}/rendered`
    const file = await view(session, 'GET', path)
    const [head, ...rows] = file.text.trim().split('\n')
    expect(head).toMatch(/,product,environment$/)
    expect(
      rows.map((row) => /file\.\w+/.exec(row)?.[0] + row.slice(row.lastIndexOf(',', row.lastIndexOf(',') - 1))),
    ).toEqual(['file.two,compliance,live', 'file.one,certifai,live'])

    const another = await look({ tenant_id: acme })
    expect((await view(another.session, 'GET', `/project/${project}/exports`)).body).toEqual([])
    expect((await view(another.session, 'GET', path)).status).toBe(404)
    const [{ count }] = (await wire.query(
      `with over as (update registry.audit_support_viewers set expires_at = now() - interval '1 second' returning id)
       select count(*)::int from over`,
    )) as [{ count: number }]
    expect((await view(session, 'GET', path)).status).toBe(401)
    expect(await cleanViewers(wire.db)).toBe(count)
    expect(await wire.query('select * from registry.audit_support_exports')).toEqual([])
  })

  test('are a thousand at most', async () => {
    const { session, project } = await look({ tenant_id: acme })
    const save = async () => await view(session, 'POST', `/project/${project}/export`, { name: 'x', exportBody: {} })
    const first = await save()
    await wire.query(
      `insert into registry.audit_support_exports
       select (jsonb_populate_record(saved, jsonb_build_object('id', gen_random_uuid()))).*
       from registry.audit_support_exports saved, generate_series(1, 999)`,
    )
    const refused = await save()
    expect([first.status, refused.status, refused.text]).toEqual([201, 409, expect.stringContaining('At most 1000')])
  })
})

describe('between the platform and a product', () => {
  test('nobody sees or ends what is the other one’s', async () => {
    const shared = await aTenant('shared')
    await publish('certifai', 'shared.one', { id: shared })
    const ours = await look({ tenant_id: shared, product: 'certifai', environment: 'live' })
    const token = await clientOf(wire, keys['certifai'] ?? '').getViewerToken(shared, 'dev', true)
    const theirs = await sessionOf(token)
    expect(theirs.project).toBe(ours.project)
    const sent = { name: 'Theirs', exportBody: {} }
    const made = await view(theirs.session, 'POST', '/project/certifai/export', sent)
    expect((await view(ours.session, 'GET', '/project/certifai/exports')).body).toEqual([])
    expect((await view(ours.session, 'GET', `/project/certifai/export/${made.body.id}/rendered`)).status).toBe(404)
    const own = await view(ours.session, 'POST', '/project/certifai/export', { name: 'Ours', exportBody: {} })
    const listed = await view(theirs.session, 'GET', '/project/certifai/exports')
    expect(listed.body.map(({ name }: { name: string }) => name)).toEqual(['Theirs'])
    expect((await view(theirs.session, 'GET', `/project/certifai/export/${own.body.id}/rendered`)).status).toBe(404)
    // A product sees its own events, and none of the registry's, although we looked.
    expect(actionsOf(await search(theirs.session, 'action:shared.*,audit.*,audit_*', {}, '/graphql'))).toEqual([
      'shared.one',
    ])
    // The product calls somebody as our developer is called, and ends what they may look at: that is its own.
    const sessions = `/viewer/v1/project/certifai/group/${shared}/actor/dev/viewersessions`
    expect((await wire.ask('DELETE', sessions, keys['certifai'])).status).toBe(200)
    expect((await view(theirs.session, 'GET', '/project/certifai/exports')).status).toBe(401)
    expect((await view(ours.session, 'GET', '/project/certifai/exports')).status).toBe(200)
  })

  test('there are no enterprise tokens of a whole log, and the session says why', async () => {
    const { session, project } = await look({ tenant_id: acme })
    const asked = [
      await view(session, 'POST', `/project/${project}/eitapi_token`, { displayName: 'SIEM' }),
      await view(session, 'GET', `/project/${project}/eitapi_tokens`),
      await view(session, 'PUT', `/project/${project}/eitapi_token/x`, { displayName: 'SIEM' }),
      await view(session, 'DELETE', `/project/${project}/eitapi_token/x`),
    ]
    const error = "There are enterprise tokens for one product's group, and none for the log of a whole tenant"
    for (const { status, body } of asked) expect([status, body.error]).toEqual([403, error])
    expect(await wire.query('select * from registry.audit_enterprise_tokens')).toEqual([])
  })

  test('a session is good for its own project alone', async () => {
    const { session } = await look({ tenant_id: acme, product: 'compliance' })
    expect((await view(session, 'GET', '/project/all_products/exports')).status).toBe(401)
    expect((await view(session, 'GET', '/project/certifai/exports')).status).toBe(401)
    expect((await view(session, 'GET', '/project/compliance/exports')).status).toBe(200)
  })
})
