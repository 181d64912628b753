import {
  type Actor,
  archiveProject,
  assignProduct,
  createCatalogue,
  createDb,
  createProject,
  type Db,
  everything,
  getProject,
  listProjects,
  NewProject,
  NewTenantProduct,
  parseManifest,
  type Project,
  ProjectChanges,
  ProjectId,
  ProjectQuery,
  putTenantProduct,
  restoreProject,
  type Sight,
  type Tenant,
  type TenantId,
  Transition,
  transitionTenant,
  updateProject,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

const manifest = (key: string, more: string) =>
  parseManifest(`{ key: ${key}, name: X, owner: team, status: active, ${more} }`, `${key}.yaml`)

const catalogue = createCatalogue([
  manifest('studio', 'supports_projects: true, plans: { professional: { limits: { projects: 3 } } }'),
  manifest('open', 'supports_projects: true'),
  manifest('flat', 'supports_projects: false'),
])

let database: TestDatabase
let db: Db
let tenant: Tenant

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})
beforeEach(async () => {
  tenant = await aTenant(db, { status: 'active', plan: 'professional' })
  await assignProduct(db, testActor, catalogue, tenant.id, 'studio')
})

let made = 0
const create = (fields: object = {}, actor: Actor = testActor, of: TenantId = tenant.id) => {
  made += 1
  const input = NewProject.parse({ slug: `project-${made}`, name: `Project ${made}`, ...fields })
  return createProject(db, actor, catalogue, of, input)
}
const update = (id: ProjectId, changes: object, version?: number) =>
  updateProject(db, testActor, tenant.id, id, ProjectChanges.parse(changes), version)
const archive = (id: ProjectId, version?: number, actor = testActor) =>
  archiveProject(db, actor, tenant.id, id, version)
const restore = (id: ProjectId, version?: number, actor = testActor) =>
  restoreProject(db, actor, catalogue, tenant.id, id, version)
const get = (id: ProjectId, sight: Sight = everything, of = tenant.id) => getProject(db, sight, of, id)
const slugs = async (query: Record<string, string> = {}) =>
  (await listProjects(db, everything, tenant.id, ProjectQuery.parse(query))).data.map(({ slug }) => slug)
const limitTo = (projects: number) =>
  putTenantProduct(db, testActor, catalogue, tenant.id, 'studio', NewTenantProduct.parse({ limits: { projects } }))
const go = (to: string) =>
  transitionTenant(db, testActor, testCatalogue, tenant.id, Transition.parse({ to, reason: 'payment_overdue' }))
const own = (): Actor => ({ id: 'user', role: 'tenant-admin', sight: { kind: 'tenants', tenantIds: [tenant.id] } })

/** The tenant's events about projects, oldest first. */
async function events() {
  const rows = await db
    .selectFrom('audit_log')
    .select(['action', 'target_id', 'fields'])
    .where('tenant_id', '=', tenant.id)
    .where('action', 'like', 'project.%')
    .orderBy('stream_seq')
    .execute()
  return rows.map((row) => ({ ...row, fields: JSON.parse(row.fields ?? '{}') as Record<string, string> }))
}

describe('a project', () => {
  it('is made out of a slug and a name', async () => {
    const project = await create({ slug: 'website', name: '  Web site ', labels: { stage: 'production' } })
    expect(project).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      tenant_id: tenant.id,
      slug: 'website',
      name: 'Web site',
      labels: { stage: 'production' },
      status: 'active',
      effective_status: 'active',
      version: 1,
      created_at: expect.any(Date),
      updated_at: expect.any(Date),
      archived_at: null,
    })
    expect(await get(project.id)).toEqual(project)
    expect(await events()).toEqual([
      {
        action: 'project.created',
        target_id: project.id,
        fields: {
          'after.slug': 'website',
          'after.name': 'Web site',
          'after.labels': '{"stage":"production"}',
          'after.status': 'active',
        },
      },
    ])
  })

  it('may have a slug that another tenant has, and a word that no tenant could be called', async () => {
    const other = await aTenant(db)
    await assignProduct(db, testActor, catalogue, other.id, 'open')
    await create({ slug: 'www' })
    await create({ slug: 'www' }, testActor, other.id)
    await expect(create({ slug: 'www' })).rejects.toMatchObject({ code: 'project.slug_taken' })
  })

  it('is changed by a merge patch, and not at all by one that says nothing new', async () => {
    const { id } = await create({ labels: { a: '1', b: '2' } })
    const changed = await update(id, { name: 'New', labels: { a: null, c: '3' } })
    expect(changed).toMatchObject({ name: 'New', labels: { b: '2', c: '3' }, version: 2 })
    expect(await update(id, { name: 'New', labels: { c: '3', b: '2', a: null } })).toEqual(changed)
    expect(await update(id, {})).toEqual(changed)
    expect(await update(id, { labels: null })).toMatchObject({ labels: {}, version: 3 })
    expect((await events()).map(({ action }) => action)).toEqual([
      'project.created',
      'project.updated',
      'project.updated',
    ])
  })

  it('keeps its slug for ever, and no more than twenty labels', async () => {
    const { id } = await create({ labels: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`l${n}`, 'x'])) })
    expect(ProjectChanges.safeParse({ slug: 'another' }).error?.issues).toMatchObject([{ keys: ['slug'] }])
    await expect(update(id, { labels: { more: 'x' } })).rejects.toMatchObject({
      code: 'request.invalid',
      violations: [{ pointer: '/labels' }],
    })
    expect(await update(id, { labels: { more: 'x', l0: null } })).toMatchObject({ version: 2 })
  })

  it('is not changed on an older version', async () => {
    const { id } = await create()
    await update(id, { name: 'New' }, 1)
    const stale = { code: 'resource.version_stale', facts: { current_version: 2 } }
    await expect(update(id, { name: 'Newer' }, 1)).rejects.toMatchObject(stale)
    await expect(archive(id, 1)).rejects.toMatchObject(stale)
    await expect(restore(id, 1)).rejects.toMatchObject(stale)
    expect(await archive(id, 2)).toMatchObject({ version: 3 })
  })
})

describe('the archive', () => {
  it('takes a project and gives it back, and does nothing twice', async () => {
    const { id } = await create()
    const archived = await archive(id)
    expect(archived).toMatchObject({ status: 'archived', effective_status: 'archived', archived_at: expect.any(Date) })
    expect(await archive(id)).toEqual(archived)
    const restored = await restore(id)
    expect(restored).toMatchObject({ status: 'active', effective_status: 'active', archived_at: null, version: 3 })
    expect(await restore(id)).toEqual(restored)
    expect((await events()).map(({ action }) => action)).toEqual([
      'project.created',
      'project.archived',
      'project.restored',
    ])
  })

  it('never gives a slug to another project', async () => {
    const { id } = await create({ slug: 'once' })
    await archive(id)
    await expect(create({ slug: 'once' })).rejects.toMatchObject({ code: 'project.slug_taken' })
    await restore(id)
    await expect(create({ slug: 'once' })).rejects.toMatchObject({ code: 'project.slug_taken' })
  })

  it('gives one slug to one of ten projects that want it at once', async () => {
    await assignProduct(db, testActor, catalogue, tenant.id, 'open')
    await limitTo(20)
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => create({ slug: 'wanted' })))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'project.slug_taken' })
    }
  })
})

describe('the quota', () => {
  it('lets exactly three of ten through that come at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => create()))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'project.quota_exceeded' })
    }
    expect(await slugs()).toHaveLength(3)
    expect(await events()).toHaveLength(3)
  })

  it('counts what is not archived, also when something comes back', async () => {
    const [first] = [await create(), await create(), await create()]
    await expect(create()).rejects.toMatchObject({ code: 'project.quota_exceeded' })
    await archive(first.id)
    await create()
    await expect(restore(first.id)).rejects.toMatchObject({ code: 'project.quota_exceeded' })
    expect(await get(first.id)).toMatchObject({ status: 'archived' })
    await limitTo(4)
    expect(await restore(first.id)).toMatchObject({ status: 'active' })
  })

  it('takes nothing away when it shrinks', async () => {
    for (let n = 0; n < 3; n += 1) await create()
    await limitTo(0)
    expect(await slugs({ status: 'active' })).toHaveLength(3)
    await expect(create()).rejects.toMatchObject({ code: 'project.quota_exceeded' })
  })
})

describe('a tenant without a product that has projects', () => {
  it('cannot have any, and is told what it has', async () => {
    const other = await aTenant(db)
    const unsupported = (...products: string[]) => ({ code: 'project.not_supported', facts: { products } })
    await expect(create({}, testActor, other.id)).rejects.toMatchObject(unsupported())
    await assignProduct(db, testActor, catalogue, other.id, 'flat')
    await expect(create({}, testActor, other.id)).rejects.toMatchObject(unsupported('flat'))
    const off = NewTenantProduct.parse({ enabled: false })
    await putTenantProduct(db, testActor, catalogue, other.id, 'open', off)
    await expect(create({}, testActor, other.id)).rejects.toMatchObject(unsupported('flat', 'open'))
    await putTenantProduct(db, testActor, catalogue, other.id, 'open', NewTenantProduct.parse({}))
    await create({}, testActor, other.id)
  })

  it('keeps those that it has, and gets none back', async () => {
    const { id } = await create()
    const another = await create()
    await archive(id)
    const off = NewTenantProduct.parse({ enabled: false })
    await putTenantProduct(db, testActor, catalogue, tenant.id, 'studio', off)
    await expect(restore(id)).rejects.toMatchObject({ code: 'project.not_supported', facts: { products: ['studio'] } })
    expect(await update(another.id, { name: 'Still here' })).toMatchObject({ name: 'Still here', status: 'active' })
    expect(await archive(another.id)).toMatchObject({ status: 'archived' })
  })
})

describe('what the state of the tenant does to its projects', () => {
  it('is judged when it is asked, and changes no project', async () => {
    const active = await create()
    const archived = await archive((await create()).id)
    await go('frozen')
    expect(await get(active.id)).toEqual({ ...active, effective_status: 'frozen' })
    expect(await get(archived.id)).toEqual(archived)
    await go('archived')
    expect(await get(active.id)).toEqual({ ...active, effective_status: 'archived' })
    await go('frozen')
    await go('active')
    expect(await get(active.id)).toEqual(active)
  })

  it('holds from the instant at which a trial is over', async () => {
    tenant = await aTenant(db, { trial_ends_at: new Date(Date.now() - 1).toISOString() })
    await assignProduct(db, testActor, catalogue, tenant.id, 'studio')
    const project = await create()
    expect(project.effective_status).toBe('frozen')
    await expect(create({}, own())).rejects.toMatchObject({ code: 'tenant.frozen' })
  })

  it('keeps its own people from changing anything while it is frozen, and everybody once it is archived', async () => {
    const { id } = await create({}, own())
    const archived = await archive((await create()).id)
    await go('frozen')
    const frozen = { code: 'tenant.frozen' }
    await expect(create({}, own())).rejects.toMatchObject(frozen)
    await expect(archive(id, undefined, own())).rejects.toMatchObject(frozen)
    await expect(restore(archived.id, undefined, own())).rejects.toMatchObject(frozen)
    expect(await update(id, { name: 'By the platform' })).toMatchObject({ effective_status: 'frozen' })
    await go('archived')
    const gone = { code: 'tenant.archived' }
    await expect(create()).rejects.toMatchObject(gone)
    await expect(restore(archived.id)).rejects.toMatchObject(gone)
    await expect(create({}, own())).rejects.toMatchObject({ code: 'tenant.not_found' })
    await expect(get(id, own().sight)).rejects.toMatchObject({ code: 'tenant.not_found' })
  })
})

describe('another tenant', () => {
  it('does not have it, whoever asks', async () => {
    const { id } = await create()
    const other = await aTenant(db)
    await assignProduct(db, testActor, catalogue, other.id, 'studio')
    const notFound = { code: 'project.not_found' }
    await expect(get(id, everything, other.id)).rejects.toMatchObject(notFound)
    await expect(archiveProject(db, testActor, other.id, id)).rejects.toMatchObject(notFound)
    await expect(restoreProject(db, testActor, catalogue, other.id, id)).rejects.toMatchObject(notFound)
    const changes = ProjectChanges.parse({ name: 'Mine' })
    await expect(updateProject(db, testActor, other.id, id, changes)).rejects.toMatchObject(notFound)
    const nothing = ProjectId.parse('00000000-0000-0000-0000-00000000dead')
    await expect(get(nothing)).rejects.toMatchObject(notFound)
  })

  it('is out of sight for who has no business there', async () => {
    const { id } = await create()
    const elsewhere: Sight = { kind: 'tenants', tenantIds: [(await aTenant(db)).id] }
    const notFound = { code: 'tenant.not_found' }
    await expect(get(id, elsewhere)).rejects.toMatchObject(notFound)
    await expect(get(id, { kind: 'product', product: 'flat' })).rejects.toMatchObject(notFound)
    expect(await get(id, { kind: 'product', product: 'studio' })).toMatchObject({ id })
    const query = ProjectQuery.parse({})
    await expect(listProjects(db, elsewhere, tenant.id, query)).rejects.toMatchObject(notFound)
    await expect(create({}, { ...own(), sight: elsewhere })).rejects.toMatchObject(notFound)
  })
})

describe('listProjects', () => {
  it('pages through everything once, newest first, also among projects of one instant', async () => {
    await limitTo(50)
    const all: Project[] = []
    for (let n = 0; n < 7; n += 1) all.push(await create())
    const ids = all.slice(0, 5).map(({ id }) => id)
    await db
      .updateTable('tenant_projects')
      .set({ created_at: new Date('2026-01-01T00:00:00.000Z') })
      .where('id', 'in', ids)
      .execute()
    const seen: Project[] = []
    let cursor: string | null = null
    do {
      const query: Record<string, string> = { limit: '2', ...(cursor !== null && { cursor }) }
      const page = await listProjects(db, everything, tenant.id, ProjectQuery.parse(query))
      seen.push(...page.data)
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
    const order = seen.map(({ created_at, id }) => `${created_at.toISOString()} ${id}`)
    expect(order).toEqual(order.toSorted().toReversed())
  })

  it('shows the archived ones or the others, and takes no cursor of another tenant or filter', async () => {
    await create({ slug: 'one' })
    await archive((await create({ slug: 'two' })).id)
    expect(await slugs({ status: 'active' })).toEqual(['one'])
    expect(await slugs({ status: 'archived' })).toEqual(['two'])
    expect(await slugs()).toEqual(['two', 'one'])
    const { next_cursor } = await listProjects(db, everything, tenant.id, ProjectQuery.parse({ limit: '1' }))
    const cursor = next_cursor ?? ''
    const invalid = { code: 'page.cursor_invalid' }
    const other = await aTenant(db)
    await expect(listProjects(db, everything, other.id, ProjectQuery.parse({ cursor }))).rejects.toMatchObject(invalid)
    await expect(slugs({ cursor, status: 'active' })).rejects.toMatchObject(invalid)
  })
})

it('leaves neither project nor event when the event cannot be written', async () => {
  const project = await create()
  const broken: Actor = { ...testActor, id: 'x'.repeat(2000) }
  await expect(create({}, broken)).rejects.toThrow()
  await expect(archive(project.id, undefined, broken)).rejects.toThrow()
  await expect(updateProject(db, broken, tenant.id, project.id, ProjectChanges.parse({ name: 'x' }))).rejects.toThrow()
  expect((await listProjects(db, everything, tenant.id, ProjectQuery.parse({}))).data).toEqual([project])
  expect(await events()).toHaveLength(1)
})
