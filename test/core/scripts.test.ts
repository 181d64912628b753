import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  createDb,
  createRegistry,
  type Db,
  everything,
  getTenant,
  getTenantBySlug,
  scriptActor,
  Slug,
} from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant, eventsOf, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

const root = resolve(import.meta.dirname, '../..')
let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

/** Runs one of the scripts of docs/scripts, as its first lines say. */
async function run(script: string, args: readonly string[], input = '') {
  const child = spawn(process.execPath, ['--conditions=@breakpilot/source', `docs/scripts/${script}.ts`, ...args], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: database.runtimeUrl },
  })
  child.stdin.end(input)
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out, errors }
}

describe('freeze-late-payers', () => {
  it('freezes whom it finds, names whom it does not, and the log says that it was the script', async () => {
    const late = await aTenant(db, { erp_id: 'L-1', status: 'active', plan: 'professional' })
    const dry = await run('freeze-late-payers', ['--dry-run'], 'L-1\n')
    expect(dry).toEqual({ code: 0, out: 'L-1\twould be frozen; 0 API keys would stop\n', errors: '' })
    expect(await getTenant(db, everything, late.id)).toEqual(late)

    const first = await run('freeze-late-payers', [], 'L-1\n\nL-2\n')
    expect(first).toEqual({ code: 1, out: 'L-1\tfrozen\nL-2\ttenant.not_found\n', errors: '' })
    expect(await getTenant(db, everything, late.id)).toMatchObject({
      status: 'frozen',
      status_reason: 'payment_overdue',
      status_changed_by: 'freeze-late-payers',
    })
    expect((await eventsOf(db, late.id)).at(-1)).toMatchObject({ actor_id: 'freeze-late-payers' })
    expect((await run('freeze-late-payers', [], 'L-1\n')).out).toBe('L-1\tfrozen already\n')
  })
})

describe('trial-report', () => {
  it('lists the trials that end soon, by name, and no others', async () => {
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000 - 60_000).toISOString()
    await aTenant(db, { slug: 'zeta', name: 'Zeta', trial_ends_at: inDays(3), sales_owner: 'jane' })
    await aTenant(db, { slug: 'alpha', name: 'alpha', trial_ends_at: inDays(9) })
    await aTenant(db, { slug: 'later', name: 'Later', trial_ends_at: inDays(40) })
    await aTenant(db, { slug: 'over', name: 'Over', trial_ends_at: inDays(-1) })
    await aTenant(db, { slug: 'endless', name: 'Endless' })
    const { code, out } = await run('trial-report', ['14'])
    expect(code).toBe(0)
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
    expect(rows.map(([slug, name, owner, , left]) => [slug, name, owner, left])).toEqual([
      ['alpha', 'alpha', '', '9'],
      ['zeta', 'Zeta', 'jane', '3'],
    ])
  })
})

describe('rename-tenant', () => {
  it('renames, keeps the old name leading to the tenant, and says why it cannot', async () => {
    const tenant = await aTenant(db, { slug: 'before-it' })
    const renamed = await run('rename-tenant', ['before-it', 'after-it', 'After It'])
    expect(renamed).toMatchObject({ code: 0, out: `${tenant.id}: before-it is now after-it, After It\n` })
    expect(await getTenantBySlug(db, everything, Slug.parse('before-it'))).toMatchObject({ slug: 'after-it' })

    expect(await run('rename-tenant', ['after-it', 'certifai'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('tenant.slug_reserved'),
    })
    expect(await run('rename-tenant', ['after-it', 'No Slug'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('request.invalid'),
    })
    expect((await run('rename-tenant', ['after-it'])).code).toBe(2)
  })
})

describe('createRegistry', () => {
  const registry = () => createRegistry(db, scriptActor('a-script'), { catalogue: testCatalogue })

  it('imports, evaluates and reads back, as the API does', async () => {
    const rows = [
      { slug: 'imported-one', name: 'One', plan: 'starter', status: 'active' as const, products: ['certifai'] },
      { slug: 'No Slug', name: 'Two' },
      { slug: 'imported-one', name: 'Three' },
    ]
    const outcomes = async (dryRun: boolean) =>
      (await registry().tenants.import(rows, { dryRun })).map(({ line, outcome, code }) => ({ line, outcome, code }))
    const expected = [
      { line: 1, outcome: 'created', code: null },
      { line: 2, outcome: 'refused', code: 'request.invalid' },
      { line: 3, outcome: 'refused', code: 'tenant.slug_taken' },
    ]
    expect(await outcomes(true)).toEqual(expected)
    await expect(registry().tenants.getBySlug('imported-one')).rejects.toMatchObject({ code: 'tenant.not_found' })
    expect(await outcomes(false)).toEqual(expected)
    const { id } = await registry().tenants.getBySlug('imported-one')
    const [answer] = await registry().entitlements.evaluate([{ tenant_id: id, product: 'certifai' }])
    expect(answer?.entitlements?.data).toMatchObject([{ product: 'certifai', access: 'full' }])
    const actions = []
    for await (const event of registry().audit.list({ tenant_id: id })) actions.push(event.action)
    expect(actions).toEqual(['tenant_product.assigned', 'tenant.created'])
  })

  it.each([
    ['an ERP id', async () => await registry().tenants.getByErpId('a\0b')],
    ['a Stripe id', async () => await registry().tenants.getByStripeId('a\0b')],
    ['a slug', async () => await registry().tenants.getBySlug('a\0b')],
    ['a product', async () => await registry().products.get('00000000-0000-0000-0000-000000000001', 'a\0b')],
    ['an id', async () => await registry().tenants.get('acme')],
  ])('refuses %s that can be none before the database sees it', async (_, ask) => {
    await expect(ask()).rejects.toMatchObject({ code: 'request.invalid' })
  })
})
