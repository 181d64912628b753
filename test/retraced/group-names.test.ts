import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  createTenant,
  NewTenant,
  NewTenantProduct,
  putTenantProduct,
  releaseSlug,
  Slug,
  SlugRelease,
  TenantChanges,
  type TenantId,
  Transition,
  transitionTenant,
  updateTenant,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyCatalogue, testActor } from '../builders.ts'
import { everything, startWire, type Wire } from './wire.ts'

/** Whose log a token reads when names change hands: here both products call their tenants by their slugs. */
let wire: Wire
let key: string
let manifests: string
beforeAll(async () => {
  manifests = mkdtempSync(join(tmpdir(), 'manifests-'))
  for (const name of ['certifai.yaml', 'compliance.yaml']) {
    const text = readFileSync(resolve(import.meta.dirname, '../../apps/server/products', name), 'utf8')
    writeFileSync(join(manifests, name), text.replace('audit_group: id', 'audit_group: slug'))
  }
  wire = await startWire({ PRODUCT_MANIFEST_DIR: manifests })
  key = await wire.publisherKey()
})
afterAll(async () => {
  await wire.stop()
  rmSync(manifests, { recursive: true, force: true })
})

const project = '/publisher/v1/project/certifai'

async function aTenant(slug: string): Promise<TenantId> {
  const input = NewTenant.parse({ slug, name: slug, status: 'active', plan: 'professional' })
  return (await createTenant(wire.db, testActor, keyCatalogue, input)).id
}

const giveProduct = async (id: TenantId) =>
  await putTenantProduct(wire.db, testActor, keyCatalogue, id, 'certifai', NewTenantProduct.parse({}))

/** Gives a tenant another name, so that others can have the one that it had. */
async function giveBack(id: TenantId, slug: string, other: string): Promise<void> {
  await updateTenant(wire.db, testActor, keyCatalogue, id, TenantChanges.parse({ slug: other }))
  await releaseSlug(wire.db, testActor, Slug.parse(slug), SlugRelease.parse({ reason: 'Another one has it.' }))
}

async function publish(action: string, group: string): Promise<void> {
  const json = { action, crud: 'c', actor: { id: 'a' }, group: { id: group }, description: `told by ${action}` }
  expect((await wire.ask('POST', `${project}/event`, key, { json })).status).toBe(201)
}

async function tokenFor(group: string): Promise<string> {
  const json = { display_name: 'SIEM' }
  return (await wire.ask('POST', `${project}/group/${group}/enterprisetoken`, key, { json })).body.token as string
}

async function sessionFor(group: string): Promise<string> {
  const { body } = await wire.ask('GET', `${project}/viewertoken?group_id=${group}&actor_id=jane`, key)
  const session = await wire.call('POST', '/audit/viewer/v1/viewersession', { json: { token: body.token } })
  return session.body.token as string
}

/** What a token finds, newest first, and how many it says there are. */
async function seenBy(token: string, query = '-action:audit.log.view') {
  const json = { query: everything, variables: { query, last: 100 } }
  const { status, body } = await wire.ask('POST', '/enterprise/v1/graphql', token, { json })
  expect(status).toBe(200)
  const { edges, totalCount } = body.data.search
  const actions = edges.map(({ node }: { node: { action: string } }) => node.action) as string[]
  expect(totalCount).toBe(actions.length)
  return actions
}

/** In whose logs it is recorded that somebody looked into what is called so. */
const looksAt = async (group: string) =>
  await wire.query(
    `select tenant_id from audit_log where group_id = '${group}' and action = 'audit.log.view' order by received_at`,
  )

describe('an enterprise token that was made before the tenant had the product', () => {
  test.each([
    ['by its id', (id: TenantId, _slug: string) => id as string, 'early-id'],
    ['by its name', (_id: TenantId, slug: string) => slug, 'early-slug'],
  ])('sees what was recorded before and since, %s', async (_how, nameOf, slug) => {
    const id = await aTenant(slug)
    const group = nameOf(id, slug)
    const token = await tokenFor(group)
    await publish('before.did', group)
    expect(await seenBy(token)).toEqual(['before.did'])
    await giveProduct(id)
    await publish('since.did', group)
    expect(await seenBy(token)).toEqual(['since.did', 'before.did'])
    expect(await seenBy(token, '"told by"')).toEqual(['since.did', 'before.did'])
    // Who looked stands in the log that what is new stands in.
    expect((await looksAt(group)).at(-1)).toEqual({ tenant_id: id })
    // What is over is over in each of them by what is agreed there: without a plan, and with this one.
    const keep = async (withoutPlan: number, professional: number) =>
      await wire.query(`insert into registry.audit_retention (product, plan, days)
        values ('certifai', '', ${withoutPlan}), ('certifai', 'professional', ${professional})
        on conflict (product, plan) do update set days = excluded.days`)
    await keep(0, 365)
    expect(await seenBy(token)).toEqual(['since.did'])
    await keep(365, 0)
    expect(await seenBy(token)).toEqual(['before.did'])
    await wire.query('delete from registry.audit_retention')
    // Of a tenant that is archived nothing is seen; a text is nobody's.
    for (const step of [
      { to: 'frozen', reason: 'payment_overdue' },
      { to: 'archived', reason: 'contract_ended' },
    ]) {
      await transitionTenant(wire.db, testActor, keyCatalogue, id, Transition.parse(step))
    }
    expect(await seenBy(token)).toEqual(['before.did'])
  })

  test('sees nothing of a tenant that took the name later', async () => {
    const token = await tokenFor('late-name')
    await publish('text.did', 'late-name')
    await giveProduct(await aTenant('late-name'))
    await publish('tenant.did', 'late-name')
    expect(await seenBy(token)).toEqual(['text.did'])
    expect((await looksAt('late-name')).at(-1)).toEqual({ tenant_id: null })
  })

  test('sees nothing of a tenant that has the name now and had not when it was made', async () => {
    const former = await aTenant('handed-on')
    const token = await tokenFor('handed-on')
    await publish('text.did', 'handed-on')
    await giveBack(former, 'handed-on', 'handed-on-before')
    await giveProduct(await aTenant('handed-on'))
    await publish('tenant.did', 'handed-on')
    expect(await seenBy(token)).toEqual(['text.did'])
  })
})

test('a look is recorded in the log that was looked into, whoever has its name by now', async () => {
  const former = await aTenant('reused')
  await giveProduct(former)
  const [token, session] = [await tokenFor('reused'), await sessionFor('reused')]
  await publish('former.did', 'reused')
  await giveBack(former, 'reused', 'reused-before')
  const next = await aTenant('reused')
  await giveProduct(next)
  await publish('next.did', 'reused')

  expect(await seenBy(token)).toEqual(['former.did'])
  const json = { query: '{ search { totalCount } }' }
  const headers = { authorization: session }
  expect((await wire.call('POST', '/audit/viewer/v1/graphql', { headers, json })).status).toBe(200)
  expect(await looksAt('reused')).toEqual([{ tenant_id: former }, { tenant_id: former }])
  expect(await seenBy(await tokenFor('reused'))).toEqual(['next.did'])
})

describe('what a viewer of a tenant saved', () => {
  const exportsSeenBy = async (group: string) => {
    const path = '/audit/viewer/v1/project/certifai/exports'
    const { body } = await wire.call('GET', path, { headers: { authorization: await sessionFor(group) } })
    return (body as { name: string }[]).map(({ name }) => name).toSorted()
  }
  const save = async (group: string, name: string) => {
    const path = '/audit/viewer/v1/project/certifai/export'
    const json = { name, exportBody: {} }
    expect((await wire.call('POST', path, { headers: { authorization: await sessionFor(group) }, json })).status).toBe(
      201,
    )
  }

  test('is there by each of its names, and by no name that is another one’s now', async () => {
    await save('saving', 'of the text')
    const id = await aTenant('saving')
    await giveProduct(id)
    await save('saving', 'by its name')
    await save(id, 'by its id')
    const both = ['by its id', 'by its name']
    expect([await exportsSeenBy(id), await exportsSeenBy('saving')]).toEqual([both, both])
    await giveBack(id, 'saving', 'saving-before')
    await giveProduct(await aTenant('saving'))
    expect([await exportsSeenBy('saving-before'), await exportsSeenBy('saving')]).toEqual([both, []])
  })
})
