import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Answered,
  type NewApiKey,
  type NewProject,
  type NewTenant,
  notModified,
  ProblemError,
  type Tenant,
  TenantClient,
} from '@breakpilot/tenant-client'
import { fakeRegistry, type GivenEntitlement } from '@breakpilot/tenant-client/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ServerUnderTest, startTestServer } from '../server.ts'

/** A registry, and ways to bring it into a situation. */
interface Stage {
  readonly client: TenantClient
  readonly tenant: (tenant: NewTenant) => Promise<Tenant>
  readonly entitle: (tenant: Tenant, product: string, given: GivenEntitlement) => Promise<unknown>
  readonly freeze: (tenant: Tenant, reason: 'payment_overdue' | 'security_incident') => Promise<unknown>
  readonly rename: (tenant: Tenant, slug: string) => Promise<unknown>
  readonly archivedProject: (tenant: Tenant, project: NewProject) => Promise<{ readonly id: string }>
  readonly issue: (tenant: Tenant, apiKey: Omit<NewApiKey, 'metadata'>) => Promise<Key>
  readonly revoke: (key: Key) => Promise<unknown>
  readonly switchOff: (key: Key) => Promise<unknown>
}

interface Key {
  readonly id: string
  readonly tenant_id: string
  readonly key: string
}

const hourMs = 3_600_000
const inHours = (hours: number) => new Date(Math.floor(Date.now() / 1_000) * 1_000 + hours * hourMs).toISOString()
const trialEnd = inHours(30)
const windowEnd = inHours(60)
const nobody = '00000000-0000-7000-8000-999999999999'
const products = [
  { key: 'certifai', name: 'CertifAI', supports_projects: true },
  { key: 'compliance', name: 'Compliance', supports_projects: false },
].map((product) => ({
  ...product,
  status: 'active' as const,
  owner: 'team',
  limits: { projects: 1 },
  plans: { professional: { config: {}, limits: {}, features: [] } },
  config_schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' },
  scopes: [`${product.key}:read`, `${product.key}:write`],
}))

let folder: string
let server: ServerUnderTest
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'))
  for (const { plans: _, ...product } of products)
    await writeFile(join(folder, `${product.key}.yaml`), JSON.stringify({ ...product, plans: { professional: {} } }))
  server = await startTestServer({ PRODUCT_MANIFEST_DIR: folder })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

function theReal(): Stage {
  const client = new TenantClient({ baseUrl: server.url })
  return {
    client,
    tenant: (tenant) => client.tenants.create(tenant),
    entitle: ({ id }, product, { access, config = {}, limits = {}, valid_until = null }) =>
      client.tenantProducts.put(id, product, {
        enabled: access !== 'none',
        config,
        limits: { ...limits },
        valid_until,
      }),
    freeze: ({ id }, reason) => client.tenants.transition(id, { to: 'frozen', reason }),
    rename: ({ id }, slug) => client.tenants.update(id, { slug }),
    archivedProject: async ({ id }, project) => {
      const made = await client.projects.create(id, project)
      return client.projects.archive(id, made.id)
    },
    issue: ({ id }, apiKey) => client.apiKeys.issue(id, apiKey),
    revoke: ({ id, tenant_id }) => client.apiKeys.revoke(tenant_id, id, { reason: 'leaked' }),
    switchOff: ({ id, tenant_id }) => client.apiKeys.update(tenant_id, id, { enabled: false }),
  }
}

function theFake(): Stage {
  const registry = fakeRegistry({ products })
  return {
    client: registry.client(),
    tenant: async (tenant) => registry.tenant({ plan: null, ...tenant }),
    entitle: async (tenant, product, given) => registry.entitle(tenant, product, given),
    freeze: async (tenant, reason) => registry.freeze(tenant, reason),
    rename: async (tenant, slug) => registry.change(tenant, { slug }),
    archivedProject: async (tenant, { slug, name }) => {
      const made = registry.project(tenant, { slug, name })
      return registry.project(tenant, { id: made.id, status: 'archived', archived_at: new Date().toISOString() })
    },
    issue: async ({ id }, apiKey) => registry.apiKeys.issue({ tenant_id: id, ...apiKey }),
    revoke: async (key) => registry.apiKeys.revoke(key, 'leaked'),
    switchOff: async (key) => registry.apiKeys.change(key, { enabled: false }),
  }
}

/** Plays the same for both, and says what was answered. */
async function play(stage: Stage): Promise<unknown[]> {
  const { client, tenant, entitle, freeze, rename, archivedProject } = stage
  const { tenants, projects, entitlements, changes, service } = client
  const heard: unknown[] = []
  const hear = async (name: string, asked: { withResponse(): Promise<Answered<unknown>> }) =>
    heard.push([name, await answerOf(asked)])

  const { head } = await changes.list({ limit: 1 })
  const active = { status: 'active', plan: 'professional' } as const
  const acme = await tenant({ slug: 'acme', name: 'Acme', erp_id: 'C-1', stripe_id: 'cus_1', ...active })
  const globex = await tenant({ slug: 'globex', name: 'Globex', sales_owner: 'sue', ...active })
  const trial = await tenant({ slug: 'initech', name: 'Initech', status: 'trial', trial_ends_at: trialEnd })
  const demo = await tenant({ slug: 'umbrella', name: 'Umbrella', status: 'demo', kind: 'demo' })
  const given = { limits: { projects: 40 }, config: { region: 'eu' } }
  await entitle(acme, 'certifai', { ...given, valid_until: windowEnd })
  await entitle(acme, 'compliance', { ...given, access: 'none' })
  await entitle(globex, 'certifai', given)
  await entitle(trial, 'certifai', { ...given, valid_until: windowEnd })
  await entitle(demo, 'certifai', given)
  const project = await archivedProject(acme, { slug: 'website', name: 'Website' })

  await hear('health', service.health())
  await hear('readiness', service.readiness())
  await hear('get', tenants.get(acme.id, { headers: { 'X-Request-Id': 'chosen-by-me' } }))
  await hear('by slug', tenants.getBySlug('acme'))
  await hear('by ERP id', tenants.getByErpId('C-1'))
  await hear('by Stripe id', tenants.getByStripeId('cus_1'))
  const { etag } = await tenants.get(acme.id).withResponse()
  await hear('known', tenants.get(acme.id, { ifNoneMatch: etag }))
  await hear('not known', tenants.get(acme.id, { ifNoneMatch: '"1-other"' }))

  await hear('no tenant', tenants.get(nobody))
  await hear('no id', tenants.get('42'))
  await hear('no slug', tenants.getBySlug('nobody'))
  await hear('no project', projects.get(acme.id, nobody))
  await hear('no such product', client.products.get('unheard-of'))
  await hear('not assigned', client.tenantProducts.get(globex.id, 'compliance'))
  await hear('no cursor', tenants.list({ cursor: 'nonsense' }))

  const likeAnId = 'aaaaaaaa-0000-7000-8000-999999999999'
  for (const slug of ['No Slug!', 'ab', 'a--b', '123', '-acme', 'ACME', 'x'.repeat(64), likeAnId])
    await hear(`a slug that is none: ${slug}`, tenants.getBySlug(slug))
  for (const id of ['x'.repeat(201), ' C-1', 'C-1 ', '../x']) {
    await hear(`an ERP id: ${id}`, tenants.getByErpId(id))
    await hear(`a Stripe id: ${id}`, tenants.getByStripeId(id))
  }
  for (const limit of [0, -1, 1.5, 200, 201]) await hear(`a limit of tenants: ${limit}`, tenants.list({ limit }))
  await hear('a limit of projects', projects.list(acme.id, { limit: 201 }))
  await hear('a status of projects', projects.list(acme.id, { status: 'frozen' as 'active' }))
  await hear('a limit of changes', changes.list({ limit: 1_001 }))
  await hear('a wait', changes.list({ wait: 26 }))
  await hear('a place', changes.list({ after: -1 }))
  await hear('a product without a name', entitlements.get(acme.id, { product: '' }))
  await hear('a product', client.products.get('x'.repeat(101)))
  await hear('a project', entitlements.get(acme.id, { project_id: 'website' }))
  for (const at of ['soon', '2026-03-01', '2026-02-30T00:00:00Z', '2026-03-01T12:00:00', '2026-03-01T25:00:00Z'])
    await hear(`a time: ${at}`, entitlements.get(acme.id, { at }))
  await hear('no questions', entitlements.evaluate([]))
  await hear('too many', entitlements.evaluate(Array.from({ length: 101 }, () => ({ tenant_id: acme.id }))))
  await hear('a question', entitlements.evaluate([{ tenant_id: acme.id }, { tenant_id: 'acme' }]))
  await hear('its project', entitlements.evaluate([{ tenant_id: acme.id, project_id: 'website' }]))
  await hear('its time', entitlements.evaluate([{ tenant_id: acme.id, at: 'soon' }]))
  await hear('its product', entitlements.evaluate([{ tenant_id: acme.id, product: '' }]))

  const ifVersion = { headers: { 'If-Match': '"1"' } }
  const ifNothing = { headers: { 'If-None-Match': '*' } }
  await hear('a condition of a question', entitlements.evaluate([{ tenant_id: acme.id }], ifVersion))
  await hear('another', entitlements.evaluate([{ tenant_id: acme.id }], ifNothing))
  await hear('of a creation', tenants.create({ slug: 'hooli', name: 'Hooli' }, ifNothing))
  await hear('of a change', tenants.update(acme.id, { name: 'Acme' }, ifNothing))
  await hear('that is none', tenants.update(acme.id, { name: 'Acme' }, { ifMatch: 'one' }))
  await hear('that is many', tenants.update(acme.id, { name: 'Acme' }, { ifMatch: '"1", "2"' }))
  await hear('of a gift', client.tenantProducts.put(globex.id, 'certifai', {}, { ifNoneMatch: '"1"' as '*' }))
  await hear('both', client.tenantProducts.put(globex.id, 'certifai', {}, { ifMatch: 1, ifNoneMatch: '*' }))
  await hear('read', tenants.get(acme.id, ifVersion))
  await hear('any', tenants.get(acme.id, { ifNoneMatch: '*' }))
  await hear('one of many', tenants.get(acme.id, { ifNoneMatch: `"1-other", W/${etag}` }))

  const page = await tenants.list({ status: 'active', limit: 1 }).withResponse()
  await hear('first page', tenants.list({ limit: 3 }))
  await hear('another list', tenants.list({ cursor: page.data.next_cursor ?? '' }))
  for (const filter of [
    { status: 'active' },
    { status: 'trial' },
    { kind: 'demo' },
    { plan: 'professional' },
    { product: 'compliance' },
    { sales_owner: 'sue' },
  ] as const) {
    const found = await tenants.list({ ...filter, limit: 1 }).toArray({ max: 10 })
    heard.push([filter, found.map(({ slug }) => slug)])
  }
  await hear('products', client.products.list())
  await hear('product', client.products.get('certifai'))
  await hear('tenant products', client.tenantProducts.list(acme.id))
  await hear('tenant product', client.tenantProducts.get(acme.id, 'certifai'))
  await hear('projects', projects.list(acme.id))
  await hear('no projects', projects.list(acme.id, { status: 'active' }))
  await hear('project', projects.get(acme.id, project.id))

  await hear('entitled', entitlements.get(acme.id))
  const entitled = await entitlements.get(acme.id).withResponse()
  await hear('still entitled', entitlements.get(acme.id, {}, { ifNoneMatch: entitled.etag }))
  await hear('later', entitlements.get(acme.id, { at: windowEnd }))
  await hear('in a project', entitlements.get(acme.id, { project_id: project.id, product: 'certifai' }))
  await hear('of a product', entitlements.get(globex.id, { product: 'compliance' }))
  await hear('of no product', entitlements.get(globex.id, { product: 'unheard-of' }))
  await hear('of a trial', entitlements.get(trial.id))
  await hear('of a trial later', entitlements.get(trial.id, { at: trialEnd }))
  await hear('of a trial at last', entitlements.get(trial.id, { at: windowEnd }))
  await hear('of nobody', entitlements.get(nobody))

  const before = await changes.list({ after: head })
  heard.push(before.data.map(({ kind, ref_id }) => [kind, ref_id.length === 36 ? 'an id' : ref_id]))
  await hear('too far', changes.list({ after: before.head + 10 }))
  await hear('nothing new', changes.list({ after: before.head }))
  const waiting = changes.list({ after: before.head, wait: 25 })
  const listening = waiting.then(({ data }) => data.map(({ kind, tenant_id }) => [kind, tenant_id === globex.id]))
  await freeze(globex, 'payment_overdue')
  heard.push(await listening)
  await freeze(demo, 'security_incident')
  await rename(globex, 'globex-inc')
  await hear('renamed', tenants.getBySlug('globex-inc'))
  await hear('by the slug before', tenants.getBySlug('globex'))
  await hear('frozen', tenants.get(globex.id))
  await hear('read only', entitlements.get(globex.id))
  await hear('shut out', entitlements.get(demo.id))
  await hear(
    'many',
    entitlements.evaluate([{ tenant_id: globex.id }, { tenant_id: nobody }, { tenant_id: acme.id, product: 'x-y' }]),
  )
  return heard
}

/** The same for keys: every way in which one may be good or not. */
async function playKeys({ client, tenant, entitle, freeze, archivedProject, issue, revoke, switchOff }: Stage) {
  const { apiKeys, changes } = client
  const heard: unknown[] = []
  const hear = async (name: string, asked: { withResponse(): Promise<Answered<unknown>> }) =>
    heard.push([name, await answerOf(asked)])
  const active = { status: 'active', plan: 'professional' } as const
  const acme = await tenant({ slug: 'keys-acme', name: 'Acme', ...active })
  const globex = await tenant({ slug: 'keys-globex', name: 'Globex', ...active })
  const trial = await tenant({ slug: 'keys-trial', name: 'Trial', status: 'trial', trial_ends_at: trialEnd })
  for (const each of [acme, globex, trial]) await entitle(each, 'certifai', {})
  const project = await archivedProject(acme, { slug: 'website', name: 'Website' })

  const given = { name: 'Key', scopes: ['certifai:read'] }
  const { head } = await changes.list({ limit: 1 })
  const key = await issue(acme, given)
  const wide = await issue(acme, { ...given, scopes: ['certifai:*'], environment: 'test', expires_at: windowEnd })
  const bound = await issue(acme, { ...given, ip_allow: ['203.0.113.0/24', '198.51.100.7/32'] })
  const foreign = await issue(acme, { ...given, scopes: ['compliance:read'] })
  const revoked = await issue(acme, given)
  const off = await issue(acme, given)
  const tried = await issue(trial, given)
  const frozen = await issue(globex, given)
  await revoke(revoked)
  await switchOff(off)
  await freeze(globex, 'payment_overdue')
  const { data } = await changes.list({ after: head })
  heard.push(data.map(({ kind, ref_id }) => [kind, ref_id === revoked.id]))

  for (const each of [key, wide, bound, foreign, revoked, off, tried, frozen, { key: 'nonsense' }])
    await hear('a key', apiKeys.verify({ key: each.key }))
  for (const scopes of [
    [],
    ['certifai:read'],
    ['certifai:write'],
    ['certifai:read', 'certifai:write'],
    ['certifai:*'],
    { any: ['certifai:write', 'certifai:read'] },
    { all: ['certifai:read'], any: [] },
    {},
  ]) {
    await hear(`for ${JSON.stringify(scopes)}`, apiKeys.verify({ key: key.key, scopes }))
    await hear(`all for ${JSON.stringify(scopes)}`, apiKeys.verify({ key: wide.key, scopes }))
  }
  for (const client_ip of [
    '203.0.113.255',
    '203.0.114.0',
    '198.51.100.7',
    '198.51.100.8',
    '::ffff:203.0.113.1',
    'here',
  ])
    await hear(`from ${client_ip}`, apiKeys.verify({ key: bound.key, client_ip }))
  await hear('to try', apiKeys.verify({ key: wide.key, environment: 'test' }))
  await hear('for real', apiKeys.verify({ key: wide.key, environment: 'live' }))
  await hear('in an archived project', apiKeys.verify({ key: key.key, project_id: project.id }))
  await hear('in no project', apiKeys.verify({ key: key.key, project_id: nobody }))
  await hear('many', apiKeys.verifyMany([{ key: key.key }, { key: revoked.key }, { key: 'nonsense' }]))
  await hear('leaked', apiKeys.revokeLeaked(key.key))
  await hear('leaked before', apiKeys.revokeLeaked(key.key))
  await hear('leaked nonsense', apiKeys.revokeLeaked('nonsense'))
  await hear('since then', apiKeys.verify({ key: key.key }))

  for (const question of [
    { key: 'x'.repeat(4097) },
    { key: 7 },
    { key: key.key, scopes: ['certifai:read', 'certifai'] },
    { key: key.key, scopes: 'certifai:read' },
    { key: key.key, scopes: { all: ['Certifai:read'] } },
    { key: key.key, project_id: 'website' },
    { key: key.key, environment: 'prod' },
    { key: key.key, client_ip: 'x'.repeat(65) },
  ]) {
    const { key: _, ...rest } = question
    await hear(`a question: ${JSON.stringify(rest)}`, apiKeys.verify(question as never))
  }
  await hear('no questions', apiKeys.verifyMany([]))
  await hear('too many', apiKeys.verifyMany(Array.from({ length: 101 }, () => ({ key: 'nonsense' }))))
  return heard
}

/** An answer, with what each registry makes in its own way masked: ids, times, digests, texts for people. */
async function answerOf(asked: { withResponse(): Promise<Answered<unknown>> }): Promise<unknown> {
  try {
    const { data, status, requestId, etag, headers, contentLocation } = await asked.withResponse()
    const idOfRequest = requestId === 'chosen-by-me' ? requestId : typeof requestId
    const about = [idOfRequest, headers.get('content-type'), contentLocation]
    return [status, mask(etag?.replace(/-.*/, '-…"')), about, data === notModified ? 'not modified' : mask(data)]
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    const { name, problem, status, code, requestId } = error
    const { title: _, detail: __, errors, ...rest } = problem ?? { title: '' }
    return [name, status, code, typeof requestId, mask(rest), errors?.map(({ pointer }) => pointer)]
  }
}

function mask(value: unknown): unknown {
  if (value === undefined) return undefined
  const text = JSON.stringify(value, (name, each: unknown) =>
    /^(status_changed_by|request_id|n|head|next_after|next_cursor)$/.test(name) ? typeof each : each,
  )
  const ids = new Map<string, string>()
  const known = new Set([trialEnd, windowEnd])
  const masked = text
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, (id) => {
      ids.set(id, ids.get(id) ?? `id ${ids.size + 1}`)
      return ids.get(id) ?? ''
    })
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => (known.has(time) ? time : 'a time'))
  return JSON.parse(masked) as unknown
}

it('the fake answers what the registry answers', { timeout: 60_000 }, async () => {
  const real = await play(theReal())
  expect(real.length).toBeGreaterThan(40)
  expect(await play(theFake())).toEqual(real)
})

it('the fake says of keys what the registry says', { timeout: 60_000 }, async () => {
  const real = await playKeys(theReal())
  expect(real.length).toBeGreaterThan(40)
  expect(await playKeys(theFake())).toEqual(real)
})
