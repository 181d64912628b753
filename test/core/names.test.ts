import {
  createDb,
  createTenant,
  type Db,
  everything,
  exportTenant,
  getTenantBySlug,
  NewTenant,
  RegistryError,
  releaseSlug,
  Slug,
  type Tenant,
  TenantChanges,
  type TenantId,
  updateTenant,
} from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant, eventsOf, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl, poolSize: 10 })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const create = async (fields: object) => await createTenant(db, testActor, testCatalogue, NewTenant.parse(fields))
const change = async (id: TenantId, changes: object, version?: number): Promise<Tenant> =>
  await updateTenant(db, testActor, testCatalogue, id, TenantChanges.parse(changes), version)
const bySlug = async (slug: string) => await getTenantBySlug(db, everything, Slug.parse(slug))
const release = async (slug: string) => await releaseSlug(db, testActor, Slug.parse(slug), { reason: 'because' })

describe('a rename', () => {
  it('keeps the old name leading to the tenant, and nobody else gets it', async () => {
    const { id } = await create({ slug: 'first-name', name: 'N' })
    const renamed = await change(id, { slug: 'second-name' })
    expect(renamed).toMatchObject({ id, slug: 'second-name', version: 2 })
    expect(await bySlug('first-name')).toEqual(renamed)
    expect(await bySlug('second-name')).toEqual(renamed)
    await expect(create({ slug: 'first-name', name: 'Other' })).rejects.toMatchObject({ code: 'tenant.slug_taken' })
    const other = await aTenant(db)
    await expect(change(other.id, { slug: 'first-name' })).rejects.toMatchObject({ code: 'tenant.slug_taken' })
    expect((await eventsOf(db, id)).map(({ action }) => action)).toEqual(['tenant.created', 'tenant.renamed'])
  })

  it('can be taken back', async () => {
    const { id } = await create({ slug: 'there', name: 'N' })
    await change(id, { slug: 'and-away' })
    expect(await change(id, { slug: 'there' })).toMatchObject({ slug: 'there' })
    expect(await bySlug('and-away')).toMatchObject({ id, slug: 'there' })
  })

  it('to a reserved word takes a reason, which is recorded', async () => {
    const { id } = await aTenant(db)
    for (const slug of ['www', 'certifai']) {
      await expect(change(id, { slug })).rejects.toMatchObject({ code: 'tenant.slug_reserved' })
    }
    expect(await change(id, { slug: 'docs', reserved_slug_reason: 'our own pages' })).toMatchObject({ slug: 'docs' })
    expect((await eventsOf(db, id)).at(-1)?.metadata).toContain('"note":"our own pages"')
  })

  it('against an insert of the same name, ten at once, fifty times: a name has one owner', async () => {
    for (let round = 0; round < 50; round += 1) {
      const wanted = `wanted-${round}`
      const tenants = await Promise.all(Array.from({ length: 5 }, () => aTenant(db)))
      const results = await Promise.allSettled([
        ...tenants.map(({ id }) => change(id, { slug: wanted })),
        ...Array.from({ length: 5 }, () => create({ slug: wanted, name: 'N' })),
      ])
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      for (const result of results) {
        if (result.status === 'fulfilled') continue
        expect(result.reason).toBeInstanceOf(RegistryError)
        expect(result.reason).toMatchObject({ code: 'tenant.slug_taken' })
      }
      const owners = await db.selectFrom('registry.slugs').select('tenant_id').where('slug', '=', wanted).execute()
      expect(owners).toEqual([{ tenant_id: won[0]?.value.id }])
    }
  }, 120_000)
})

describe('releaseSlug', () => {
  it('gives a name of before to whoever comes next, and it leads nowhere until then', async () => {
    const { id } = await create({ slug: 'given-up', name: 'N' })
    await change(id, { slug: 'kept-name' })
    expect(await release('given-up')).toMatchObject({ slug: 'given-up', released_at: expect.any(Date) })
    await expect(bySlug('given-up')).rejects.toMatchObject({ code: 'tenant.not_found' })
    expect((await eventsOf(db, id)).at(-1)).toMatchObject({ action: 'slug.released', target_id: 'given-up' })
    const next = await create({ slug: 'given-up', name: 'Next' })
    expect(await bySlug('given-up')).toEqual(next)
  })

  it('refuses a name in use and one that never was; again, it changes nothing', async () => {
    const { id, slug } = await aTenant(db)
    await expect(release(slug)).rejects.toMatchObject({ code: 'slug.in_use' })
    await expect(release('never-was')).rejects.toMatchObject({ code: 'slug.not_found' })
    await change(id, { slug: `${slug}-x`.slice(0, 63) })
    const first = await release(slug)
    const events = await eventsOf(db, id)
    expect(await release(slug)).toEqual(first)
    expect(await eventsOf(db, id)).toEqual(events)
  })
})

describe('releaseSlug, beside others', () => {
  it('of a name that is being taken back at the same moment is one story or the other, never a deadlock', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { id, slug } = await aTenant(db)
      await change(id, { slug: `elsewhere-${round}` })
      const [released, takenBack] = await Promise.allSettled([release(slug), change(id, { slug })])
      // Taken back first, it is in use; released first, it is free for everybody, also for whose it was.
      expect(takenBack).toMatchObject({ status: 'fulfilled', value: { slug } })
      if (released.status === 'rejected') expect(released.reason).toMatchObject({ code: 'slug.in_use' })
      expect(await bySlug(slug)).toMatchObject({ id, slug })
    }
  })

  it("of a name that somebody is taking at that moment says that it is in use, and stands in nobody's way", async () => {
    const [first, second] = [await aTenant(db), await aTenant(db)]
    await change(first.id, { slug: 'changing-hands' })
    await change(first.id, { slug: first.slug })
    await release('changing-hands')
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    await owner.query('begin')
    await owner.query(`update tenants set slug = 'changing-hands' where id = $1`, [second.id])
    const releasing = release('changing-hands').catch((error: unknown) => error)
    const naming = change(second.id, { name: 'Changed meanwhile' })
    await new Promise((done) => setTimeout(done, 200))
    await owner.query('commit')
    await owner.end()
    expect(await releasing).toMatchObject({ code: 'slug.in_use' })
    expect(await naming).toMatchObject({ name: 'Changed meanwhile', slug: 'changing-hands' })
  })

  it('makes the name one that its next owner took then', async () => {
    const [first, second] = [await aTenant(db), await aTenant(db)]
    await change(first.id, { slug: 'wanted-by-two' })
    await change(second.id, { slug: 'older-than-it' })
    await change(first.id, { slug: first.slug })
    await release('wanted-by-two')
    await change(second.id, { slug: 'wanted-by-two' })
    await change(second.id, { slug: 'the-newest' })
    const { former_slugs } = await exportTenant(db, everything, testCatalogue, second.id)
    expect(former_slugs).toEqual([second.slug, 'older-than-it', 'wanted-by-two'])
  })
})

describe('a patch', () => {
  it('changes what it names, clears what is null, keeps what is absent', async () => {
    const { id } = await aTenant(db, { plan: 'starter', erp_id: 'E-77', metadata: { a: '1', b: '2' } })
    const patched = await change(id, { name: 'New', erp_id: null, metadata: { b: null, c: '3' } }, 1)
    expect(patched).toMatchObject({
      name: 'New',
      plan: 'starter',
      erp_id: null,
      metadata: { a: '1', c: '3' },
      version: 2,
    })
    expect(await change(id, { metadata: null })).toMatchObject({ metadata: {} })
  })

  it('that changes nothing records nothing', async () => {
    const tenant = await aTenant(db, {
      plan: 'starter',
      contract_ends_at: '2027-01-01T00:00:00Z',
      metadata: { a: '1' },
    })
    const same = { name: tenant.name, plan: 'starter', metadata: { a: '1' }, contract_ends_at: '2027-01-01T00:00:00Z' }
    expect(await change(tenant.id, same)).toEqual(tenant)
    expect(await change(tenant.id, {})).toEqual(tenant)
    expect(await eventsOf(db, tenant.id)).toHaveLength(1)
  })

  it.each([
    [{ plan: 'platinum' }, 'tenant.plan_unknown'],
    [{ plan: null }, 'tenant.plan_required'],
    [{ erp_id: 'taken-erp' }, 'tenant.erp_id_taken'],
    [{ stripe_id: 'taken-stripe' }, 'tenant.stripe_id_taken'],
    [{ contract_starts_at: '2028-01-01T00:00:00Z' }, 'request.invalid'],
    [{ metadata: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`n${n}`, 'x'])) }, 'request.invalid'],
  ])('refuses %j: %s, and changes nothing', async (changes, code) => {
    if (code.includes('_taken'))
      await aTenant(db, { erp_id: 'taken-erp', stripe_id: 'taken-stripe' }).catch(() => undefined)
    const tenant = await aTenant(db, {
      status: 'active',
      plan: 'professional',
      contract_ends_at: '2027-01-01T00:00:00Z',
      metadata: { own: 'x' },
    })
    await expect(change(tenant.id, changes)).rejects.toMatchObject({ code })
    expect(await bySlug(tenant.slug)).toEqual(tenant)
    expect(await eventsOf(db, tenant.id)).toHaveLength(1)
  })

  it('decided on an old version is refused with the present one', async () => {
    const { id } = await aTenant(db)
    await change(id, { name: 'Second' }, 1)
    await expect(change(id, { name: 'Third' }, 1)).rejects.toMatchObject({
      code: 'resource.version_stale',
      facts: { current_version: 2 },
    })
  })
})
