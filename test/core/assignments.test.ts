import {
  type Actor,
  assignProduct,
  createCatalogue,
  createDb,
  type Db,
  everything,
  exportTenant,
  getTenant,
  getTenantProduct,
  listTenantProducts,
  NewTenantProduct,
  parseManifest,
  previewTenantProduct,
  putTenantProduct,
  removeTenantProduct,
  type Tenant,
  TenantId,
  type TenantProduct,
  TenantProductChanges,
  Transition,
  transitionTenant,
  updateTenantProduct,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

const manifest = (key: string, more = '') =>
  parseManifest(
    `key: ${key}\nname: ${key}\nowner: team\nstatus: active\nsupports_projects: false\n${more}`,
    `${key}.yaml`,
  )

const catalogue = createCatalogue([
  manifest(
    'mail',
    `config_schema:
  type: object
  additionalProperties: false
  properties:
    region: { type: string, enum: [eu, us] }
    seats: { type: integer, minimum: 1 }
    smtp:
      type: object
      additionalProperties: false
      required: [host]
      properties: { host: { type: string }, password: { type: string, writeOnly: true } }
default_config: { region: eu }
limits: { messages: 100 }
plans:
  professional: { config: { seats: 5 }, limits: { mailboxes: 7 } }
`,
  ),
  manifest('base'),
  manifest('middle', 'requires: [base]'),
  manifest('top', 'requires: [base, middle]'),
  { ...manifest('old'), status: 'retired' },
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
})

const put = (product: string, input: object = {}, version?: number, actor: Actor = testActor) =>
  putTenantProduct(db, actor, catalogue, tenant.id, product, NewTenantProduct.parse(input), version)
const patch = (product: string, input: object, version?: number) =>
  updateTenantProduct(db, testActor, catalogue, tenant.id, product, TenantProductChanges.parse(input), version)
const remove = (product: string, version?: number) =>
  removeTenantProduct(db, testActor, catalogue, tenant.id, product, version)
const get = (product: string) => getTenantProduct(db, everything, tenant.id, product)
const keys = async () => (await listTenantProducts(db, everything, tenant.id)).data.map(({ product }) => product)

/** The tenant's events about products, oldest first. */
async function events() {
  const rows = await db
    .selectFrom('audit_log')
    .select(['action', 'target_id', 'fields'])
    .where('tenant_id', '=', tenant.id)
    .where('action', 'like', 'tenant_product.%')
    .orderBy('stream_seq')
    .execute()
  return rows.map((row) => ({ ...row, fields: JSON.parse(row.fields ?? '{}') as Record<string, string> }))
}
const changes = async () =>
  await db
    .selectFrom('registry.changes')
    .select('n')
    .where('tenant_id', '=', tenant.id)
    .where('kind', '=', 'tenant_product')
    .execute()

describe('an export', () => {
  it('shows nothing of a configuration that its schema calls secret, nor what no schema speaks of any more', async () => {
    await put('mail', { config: { smtp: { host: 'mx.example', password: 'SECRET-123' } } })
    await db
      .insertInto('tenant_products')
      .values({ tenant_id: tenant.id, product: 'gone', config: '{"k":"SECRET-9"}' })
      .execute()
    const exported = await exportTenant(db, everything, catalogue, tenant.id)
    expect(exported.products.map(({ product, config }) => ({ product, config }))).toEqual([
      { product: 'gone', config: {} },
      { product: 'mail', config: { smtp: { host: 'mx.example', password: '[redacted]' } } },
    ])
    expect(JSON.stringify(exported)).not.toContain('SECRET')
    expect((await get('mail')).config).toMatchObject({ smtp: { password: 'SECRET-123' } })
  })
})

describe('putTenantProduct', () => {
  it('gives a product on the terms that hold where none are asked for', async () => {
    const given = await put('mail')
    expect(given).toEqual({
      tenant_id: tenant.id,
      product: 'mail',
      enabled: true,
      config: {},
      limits: {},
      valid_from: null,
      valid_until: null,
      source: 'manual',
      version: 1,
      created_at: expect.any(Date),
      updated_at: expect.any(Date),
    })
    expect(await get('mail')).toEqual(given)
    expect((await getTenant(db, everything, tenant.id)).products).toEqual(['mail'])
    expect(await events()).toMatchObject([{ action: 'tenant_product.assigned', target_id: 'mail' }])
  })

  it('replaces all terms: what is absent is not agreed any more', async () => {
    const terms = {
      config: { region: 'us' },
      limits: { messages: 5 },
      valid_until: '2030-01-01T00:00:00Z',
      source: 'erp',
    }
    expect(await put('mail', terms)).toMatchObject({ ...terms, valid_until: new Date('2030-01-01') })
    expect(await put('mail', { enabled: false })).toMatchObject({
      enabled: false,
      config: {},
      limits: {},
      valid_until: null,
      source: 'manual',
      version: 2,
    })
    expect((await events()).map(({ action, fields }) => [action, fields])).toEqual([
      ['tenant_product.assigned', expect.anything()],
      [
        'tenant_product.updated',
        {
          'before.config': '{"region":"us"}',
          'after.config': '{}',
          'before.enabled': 'true',
          'after.enabled': 'false',
          'before.limits': '{"messages":5}',
          'after.limits': '{}',
          'before.source': 'erp',
          'after.source': 'manual',
          'before.valid_until': '2030-01-01T00:00:00.000Z',
        },
      ],
    ])
  })

  it('writes nothing when nothing changes, whatever the order of names', async () => {
    const first = await put('mail', {
      config: { smtp: { host: 'a', password: 'b' }, seats: -0 + 2 },
      limits: { messages: 0 },
    })
    const again = { limits: { messages: -0 }, config: { seats: 2, smtp: { password: 'b', host: 'a' } } }
    expect(await put('mail', again)).toEqual(first)
    expect(await events()).toHaveLength(1)
    expect(await changes()).toHaveLength(1)
  })

  it('keeps the order of ten that come at once: each event begins where the one before ended', async () => {
    const seats = Array.from({ length: 10 }, (_, n) => n + 1)
    const answers = await Promise.all(seats.map((n) => put('mail', { config: { seats: n } })))
    expect(answers.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual(seats)
    const log = (await events()).map(({ fields }) => fields)
    expect(log).toHaveLength(10)
    for (const [index, fields] of log.entries()) expect(fields['before.config']).toBe(log[index - 1]?.['after.config'])
    expect(await get('mail')).toEqual(answers.find(({ version }) => version === 10))
  })

  it('records ten equal ones at once as one', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => put('mail', { config: { seats: 3 } })))
    expect(new Set(answers.map(({ version }) => version))).toEqual(new Set([1]))
    expect(await events()).toHaveLength(1)
  })

  it('refuses what was decided on another version, and a version of what is not there', async () => {
    await expect(put('mail', {}, 1)).rejects.toMatchObject({ code: 'resource.version_stale' })
    await put('mail', {})
    await put('mail', { enabled: false }, 1)
    await expect(put('mail', {}, 1)).rejects.toMatchObject({
      code: 'resource.version_stale',
      facts: { current_version: 2 },
    })
    await expect(patch('mail', { enabled: true }, 1)).rejects.toMatchObject({ code: 'resource.version_stale' })
    await expect(remove('mail', 1)).rejects.toMatchObject({ code: 'resource.version_stale' })
    expect((await get('mail')).version).toBe(2)
  })

  it('refuses a product that there is not, and a new one of a product that is retired', async () => {
    await expect(put('nothing')).rejects.toMatchObject({ code: 'product.not_found', kind: 'not_found' })
    await expect(put('old')).rejects.toMatchObject({ code: 'product.retired' })
    await expect(assignProduct(db, testActor, catalogue, tenant.id, 'old')).rejects.toMatchObject({
      code: 'product.retired',
    })
    expect(await keys()).toEqual([])
    expect(await events()).toEqual([])
  })

  it('refuses an end that is not after the beginning', async () => {
    const at = '2030-01-01T00:00:00Z'
    const error = { code: 'request.invalid', violations: [{ pointer: '/valid_until' }] }
    await expect(put('mail', { valid_from: at, valid_until: at })).rejects.toMatchObject(error)
    await put('mail', { valid_from: at })
    await expect(patch('mail', { valid_until: '2029-01-01T00:00:00Z' })).rejects.toMatchObject(error)
  })
})

describe('a configuration', () => {
  it('is judged as the product will see it: over the plan, over the defaults', async () => {
    await expect(
      put('mail', { config: { seats: 0, smtp: { password: 'hunter2' }, colour: 'red' } }),
    ).rejects.toMatchObject({
      code: 'tenant_product.config_invalid',
      violations: expect.arrayContaining([
        expect.objectContaining({ pointer: '/config/seats', code: 'minimum' }),
        expect.objectContaining({ pointer: '/config/smtp/host', code: 'required' }),
        expect.objectContaining({ pointer: '/config/colour', code: 'unknown' }),
      ]),
    })
    // A null takes a default away, and what is left has to fit.
    expect((await put('mail', { config: { region: null } })).config).toEqual({ region: null })
    await expect(patch('mail', { config: { smtp: { password: 'x' } } })).rejects.toMatchObject({
      code: 'tenant_product.config_invalid',
    })
    expect((await get('mail')).config).toEqual({ region: null })
  })

  it('is patched by RFC 7396: null takes a name away, null for all of it clears', async () => {
    await put('mail', {
      config: { region: 'us', smtp: { host: 'a', password: 'b' } },
      limits: { messages: 1, mailboxes: 2 },
    })
    const patched = await patch('mail', {
      config: { region: null, smtp: { host: 'c' } },
      limits: { messages: null, mailboxes: 3 },
    })
    expect(patched).toMatchObject({
      config: { smtp: { host: 'c', password: 'b' } },
      limits: { mailboxes: 3 },
      version: 2,
    })
    expect(await patch('mail', { config: null, limits: null })).toMatchObject({ config: {}, limits: {}, version: 3 })
  })

  it('does not grow without end by patches', async () => {
    const open = createCatalogue([manifest('open')])
    await putTenantProduct(
      db,
      testActor,
      open,
      tenant.id,
      'open',
      NewTenantProduct.parse({ config: { a: 'x'.repeat(20_000) } }),
    )
    const more = TenantProductChanges.parse({ config: { b: 'x'.repeat(20_000) } })
    await expect(updateTenantProduct(db, testActor, open, tenant.id, 'open', more)).rejects.toMatchObject({
      code: 'request.invalid',
      violations: [{ pointer: '/config' }],
    })
  })

  it('leaves what is secret in it to the row, and to nobody who reads the log', async () => {
    await put('mail', { config: { smtp: { host: 'a', password: 'hunter2' } } })
    await patch('mail', { config: { smtp: { password: 'correct horse' } } })
    await patch('mail', { config: { smtp: { host: 'b' } } })
    await remove('mail')
    const log = await sql<{
      text: string
    }>`select audit_log::text as text from audit_log where tenant_id = ${tenant.id}`.execute(db)
    expect(log.rows.map(({ text }) => text).join()).not.toMatch(/hunter2|correct horse/)
    const said = (await events()).map(({ fields }) => fields)
    expect(said.map((fields) => [fields['before.config'], fields['after.config']])).toEqual([
      [undefined, '{"smtp":{"host":"a","password":"[redacted]"}}'],
      ['{"smtp":{"host":"a","password":"[redacted]"}}', '{"smtp":{"host":"a","password":"[redacted, changed]"}}'],
      ['{"smtp":{"host":"a","password":"[redacted]"}}', '{"smtp":{"host":"b","password":"[redacted]"}}'],
      ['{"smtp":{"host":"b","password":"[redacted]"}}', undefined],
    ])
  })
})

describe('limits', () => {
  it('are those of the product and of its plans, and no others', async () => {
    expect((await put('mail', { limits: { messages: 1, mailboxes: 2 } })).limits).toEqual({ messages: 1, mailboxes: 2 })
    await expect(put('mail', { limits: { mesages: 1, messages: 2 } })).rejects.toMatchObject({
      code: 'tenant_product.limit_unknown',
      violations: [{ pointer: '/limits/mesages', code: 'unknown' }],
    })
    await expect(patch('mail', { limits: { projects: 1 } })).rejects.toMatchObject({
      code: 'tenant_product.limit_unknown',
    })
    expect(NewTenantProduct.safeParse({ limits: { messages: -1 } }).success).toBe(false)
    expect(NewTenantProduct.safeParse({ limits: { messages: 1.5 } }).success).toBe(false)
  })
})

describe('what products require of each other', () => {
  const missing = (...products: string[]) => ({ code: 'product.requirement_missing', facts: { products } })
  const needed = (...products: string[]) => ({ code: 'product.required_by_other', facts: { products } })

  it('is there before the product is', async () => {
    await expect(put('top')).rejects.toMatchObject(missing('base', 'middle'))
    await put('base')
    await expect(put('top')).rejects.toMatchObject(missing('middle'))
    await put('middle')
    await put('top')
    expect(await keys()).toEqual(['base', 'middle', 'top'])
  })

  it('counts when it is enabled, and only for what is enabled', async () => {
    await put('base', { enabled: false })
    await put('middle', { enabled: false })
    await expect(patch('middle', { enabled: true })).rejects.toMatchObject(missing('base'))
    await expect(put('middle', { enabled: true })).rejects.toMatchObject(missing('base'))
    await patch('base', { enabled: true })
    await patch('middle', { enabled: true })
  })

  it('cannot go while it is needed', async () => {
    for (const product of ['base', 'middle', 'top']) await put(product)
    await expect(remove('base')).rejects.toMatchObject(needed('middle', 'top'))
    await expect(patch('base', { enabled: false })).rejects.toMatchObject(needed('middle', 'top'))
    await expect(put('middle', { enabled: false })).rejects.toMatchObject(needed('top'))
    expect(await patch('base', { source: 'stripe' })).toMatchObject({ enabled: true, version: 2 })
    await patch('top', { enabled: false })
    await remove('middle')
    await patch('base', { enabled: false })
    await remove('base')
    expect(await keys()).toEqual(['top'])
  })

  it('holds also when one is given while the other is taken away', async () => {
    for (let round = 0; round < 5; round += 1) {
      await put('base')
      const [given] = await Promise.allSettled([put('middle'), remove('base')])
      expect(await keys()).toEqual(given.status === 'fulfilled' ? ['base', 'middle'] : [])
      if (given.status === 'fulfilled') await remove('middle')
      else expect(given.reason).toMatchObject(missing('base'))
    }
  })
})

describe('a product that is gone or going', () => {
  const later = createCatalogue([{ ...manifest('base'), status: 'retired' }])
  const onLater = (product: string, input: object) =>
    updateTenantProduct(db, testActor, later, tenant.id, product, TenantProductChanges.parse(input))

  it('can still be changed and taken away where it is', async () => {
    await put('base')
    expect(await onLater('base', { enabled: false })).toMatchObject({ enabled: false })
    expect(
      await putTenantProduct(db, testActor, later, tenant.id, 'base', NewTenantProduct.parse({ source: 'erp' })),
    ).toMatchObject({ source: 'erp' })
    await removeTenantProduct(db, testActor, later, tenant.id, 'base')
    expect(await keys()).toEqual([])
  })

  it('keeps its configuration when no manifest knows it, and shows nothing of it to the log', async () => {
    await put('mail', { config: { region: 'us' }, limits: { messages: 3 } })
    await expect(onLater('mail', { config: { region: 'eu' } })).rejects.toMatchObject({ code: 'product.retired' })
    await expect(onLater('mail', { limits: { messages: null } })).rejects.toMatchObject({ code: 'product.retired' })
    expect(await onLater('mail', { enabled: false })).toMatchObject({ enabled: false, config: { region: 'us' } })
    await removeTenantProduct(db, testActor, later, tenant.id, 'mail')
    expect((await events()).at(-1)?.fields).toMatchObject({ 'before.config': '[redacted]' })
  })

  it('does not stand in the way when its manifest changed under what is stored', async () => {
    await put('mail', { config: { region: 'us' }, limits: { mailboxes: 3 } })
    const stricter = createCatalogue([
      manifest('mail', 'config_schema: { type: object, properties: { region: { type: string, const: eu } } }'),
    ])
    const change = (input: object) =>
      updateTenantProduct(db, testActor, stricter, tenant.id, 'mail', TenantProductChanges.parse(input))
    expect(await change({ enabled: false })).toMatchObject({ enabled: false })
    expect(await change({ limits: { mailboxes: null } })).toMatchObject({ limits: {} })
    await expect(change({ config: { colour: 'red' } })).rejects.toMatchObject({ code: 'tenant_product.config_invalid' })
  })
})

describe('who may do it, and who sees it', () => {
  const nobody = TenantId.parse('00000000-0000-0000-0000-00000000dead')
  const own = (): Actor => ({ id: 'user', role: 'tenant-admin', sight: { kind: 'tenants', tenantIds: [tenant.id] } })
  const go = async (to: string) =>
    transitionTenant(db, testActor, testCatalogue, tenant.id, Transition.parse({ to, reason: 'payment_overdue' }))

  it('changes nothing of a frozen tenant for its own people, and of an archived one for nobody', async () => {
    await put('mail')
    await go('frozen')
    await expect(put('base', {}, undefined, own())).rejects.toMatchObject({ code: 'tenant.frozen' })
    await put('base')
    await go('archived')
    await expect(put('middle')).rejects.toMatchObject({ code: 'tenant.archived' })
    await expect(patch('mail', { enabled: false })).rejects.toMatchObject({ code: 'tenant.archived' })
    await expect(remove('mail')).rejects.toMatchObject({ code: 'tenant.archived' })
    await expect(put('base', {}, undefined, own())).rejects.toMatchObject({ code: 'tenant.not_found' })
    expect(await keys()).toEqual(['base', 'mail'])
  })

  it('does not know what is out of sight', async () => {
    await put('mail')
    const elsewhere = { kind: 'tenants', tenantIds: [nobody] } as const
    const notFound = { code: 'tenant.not_found' }
    await expect(getTenantProduct(db, elsewhere, tenant.id, 'mail')).rejects.toMatchObject(notFound)
    await expect(listTenantProducts(db, elsewhere, tenant.id)).rejects.toMatchObject(notFound)
    await expect(put('mail', {}, undefined, { ...own(), sight: elsewhere })).rejects.toMatchObject(notFound)
    await expect(getTenantProduct(db, everything, tenant.id, 'base')).rejects.toMatchObject({
      code: 'tenant_product.not_found',
    })
    await expect(patch('base', {})).rejects.toMatchObject({ code: 'tenant_product.not_found' })
    await expect(remove('base')).rejects.toMatchObject({ code: 'tenant_product.not_found' })
  })

  it('shows a product itself and no other', async () => {
    await put('mail')
    await put('base')
    const mail = { kind: 'product', product: 'mail' } as const
    expect((await listTenantProducts(db, mail, tenant.id)).data.map(({ product }) => product)).toEqual(['mail'])
    await expect(getTenantProduct(db, mail, tenant.id, 'base')).rejects.toMatchObject({
      code: 'tenant_product.not_found',
    })
    const other = { kind: 'product', product: 'middle' } as const
    await expect(listTenantProducts(db, other, tenant.id)).rejects.toMatchObject({ code: 'tenant.not_found' })
  })
})

describe('a rehearsal', () => {
  const preview = (product: string, change: (unit: Db) => Promise<unknown>) =>
    previewTenantProduct(db, testActor, catalogue, tenant.id, product, change)
  const putting = (product: string, input: object) => (unit: Db) =>
    putTenantProduct(unit, testActor, catalogue, tenant.id, product, NewTenantProduct.parse(input))

  it('says what would follow, and nothing follows', async () => {
    const { before, after } = await preview(
      'mail',
      putting('mail', { config: { region: 'us' }, limits: { messages: 5 } }),
    )
    expect(before).toMatchObject({ access: 'none', reason: 'not_assigned', config: {}, limits: {}, version: 0 })
    expect(after).toMatchObject({
      access: 'full',
      reason: 'granted',
      config: { region: 'us', seats: 5 },
      limits: { messages: { value: 5, source: 'tenant' }, mailboxes: { value: 7, source: 'plan' } },
      version: 1,
    })
    expect(await keys()).toEqual([])
    expect(await events()).toEqual([])
    expect(await changes()).toEqual([])
  })

  it('of a removal ends with nothing, also for what no manifest knows', async () => {
    const stored = await put('mail')
    const none = createCatalogue([manifest('base')])
    const removing = (unit: Db) => removeTenantProduct(unit, testActor, none, tenant.id, 'mail')
    const { before, after } = await previewTenantProduct(db, testActor, none, tenant.id, 'mail', removing)
    expect([before.reason, after.reason]).toEqual(['product_retired', 'product_retired'])
    expect(
      await preview('mail', (unit) => removeTenantProduct(unit, testActor, catalogue, tenant.id, 'mail')),
    ).toMatchObject({
      before: { reason: 'granted' },
      after: { reason: 'not_assigned' },
    })
    expect(await get('mail')).toEqual(stored)
  })

  it('fails as the change itself would', async () => {
    const failing = preview('mail', putting('mail', { config: { region: 'mars' } }))
    await expect(failing).rejects.toMatchObject({ code: 'tenant_product.config_invalid' })
    await expect(preview('top', putting('top', {}))).rejects.toMatchObject({ code: 'product.requirement_missing' })
  })
})

it('leaves neither change nor event when the event cannot be written', async () => {
  const before: TenantProduct = await put('mail')
  const broken: Actor = { ...testActor, id: 'x'.repeat(2000) }
  await expect(put('mail', { enabled: false }, undefined, broken)).rejects.toThrow()
  await expect(put('base', {}, undefined, broken)).rejects.toThrow()
  await expect(removeTenantProduct(db, broken, catalogue, tenant.id, 'mail')).rejects.toThrow()
  expect((await listTenantProducts(db, everything, tenant.id)).data).toEqual([before])
  expect(await events()).toHaveLength(1)
  expect(await changes()).toHaveLength(1)
})
