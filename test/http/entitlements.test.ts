import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

const day = 86_400_000
let server: ServerUnderTest
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  await server.stop()
})

const anActiveTenant = () => aTenant(server.db, { status: 'active', plan: 'professional' })
const give = (tenant: { id: string }, product: string, valid_until: Date | null = null) =>
  server.db
    .insertInto('tenant_products')
    .values({ tenant_id: tenant.id as never, product, valid_until })
    .execute()
const ask = (tenant: { id: string }, query = '', headers: Record<string, string> = {}) =>
  server.call('GET', `/v1/tenants/${tenant.id}/entitlements${query}`, { headers })

describe('the entitlements of a tenant', () => {
  it('are answered with what the manifests that ship say', async () => {
    const tenant = await anActiveTenant()
    const end = new Date(Date.now() + 7 * day)
    await give(tenant, 'certifai', end)
    const { status, body, headers } = await ask(tenant)
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        tenant_id: tenant.id,
        project_id: null,
        status: 'active',
        trial_days_left: null,
        valid_until: end.toISOString(),
        data: [
          {
            product: 'certifai',
            access: 'full',
            reason: 'granted',
            config: { region: 'eu' },
            limits: {
              projects: { value: 25, source: 'plan' },
              audit_retention_days: { value: 365, source: 'plan' },
            },
            features: ['reports', 'api'],
            valid_until: end.toISOString(),
            version: 1,
          },
        ],
      },
    })
    expect(headers.get('cache-control')).toBe('private, no-cache')
  })

  it('have a tag that changes when they do, by a change or by time alone, and not before', async () => {
    const tenant = await anActiveTenant()
    const end = new Date(Date.now() + 7 * day)
    await give(tenant, 'certifai', end)
    const first = await ask(tenant)
    const tag = first.headers.get('etag') ?? ''
    expect(tag).toMatch(/^"0-[\w-]+"$/)

    const again = await ask(tenant, '', { 'if-none-match': tag })
    expect({ status: again.status, text: again.text, tag: again.headers.get('etag') }).toEqual({
      status: 304,
      text: '',
      tag,
    })
    const later = (ms: number) => `?at=${new Date(end.getTime() + ms).toISOString()}`
    expect((await ask(tenant, later(-1), { 'if-none-match': tag })).status).toBe(304)
    const over = await ask(tenant, later(0), { 'if-none-match': tag })
    expect(over).toMatchObject({ status: 200, body: { data: [{ access: 'none', reason: 'expired' }] } })

    await give(tenant, 'compliance')
    const changed = await ask(tenant, '', { 'if-none-match': tag })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).not.toBe(tag)
  })

  it.each([
    ['a project that is none', '?project_id=42', 400, 'request.invalid'],
    ['a project of nobody', '?project_id=00000000-0000-0000-0000-00000000dead', 404, 'project.not_found'],
    ['a product that nobody knows', '?product=unheard-of', 400, 'product.unknown'],
    ['a blank product', '?product=', 400, 'request.invalid'],
    ['a product twice', '?product=certifai&product=compliance', 400, 'request.invalid'],
    ['a moment that is none', '?at=tomorrow', 400, 'request.invalid'],
    ['a moment before all time', '?at=0000-12-31T23:59:59Z', 400, 'request.invalid'],
    ['a parameter that there is not', '?tenant=acme', 400, 'request.query_unknown'],
  ])('refuse %s', async (_, query, status, code) => {
    const answer = await ask(await anActiveTenant(), query)
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code })
  })

  it('are judged at any moment that can be written', async () => {
    const tenant = await anActiveTenant()
    await give(tenant, 'certifai', new Date(Date.now() + day))
    for (const at of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '2026-06-01T12:00:00%2B02:00']) {
      expect(await ask(tenant, `?at=${at}`)).toMatchObject({ status: 200, body: { data: [{ product: 'certifai' }] } })
    }
  })
})

describe('a batch of questions', () => {
  it('is answered in order, and leaves nothing behind, with an Idempotency-Key or without', async () => {
    const tenant = await anActiveTenant()
    await give(tenant, 'certifai')
    const alone = await ask(tenant, '?product=certifai')
    const nobody = '00000000-0000-0000-0000-00000000dead'
    const before = await everyRow()
    for (const headers of [undefined, { 'idempotency-key': 'a-key-of-the-test' }]) {
      const answer = await server.call('POST', '/v1/entitlements/evaluate', {
        json: { items: [{ tenant_id: nobody }, { tenant_id: tenant.id, product: 'certifai' }] },
        ...(headers && { headers }),
      })
      expect({ status: answer.status, body: answer.body }).toEqual({
        status: 200,
        body: {
          data: [
            { tenant_id: nobody, entitlements: null, error: 'tenant.not_found' },
            { tenant_id: tenant.id, entitlements: alone.body, error: null },
          ],
        },
      })
    }
    expect(await everyRow()).toEqual(before)
  })

  it.each([
    ['none', { items: [] }, '/items'],
    [
      'more than a hundred',
      { items: Array.from({ length: 101 }, () => ({ tenant_id: crypto.randomUUID() })) },
      '/items',
    ],
    ['one with a moment that is none', { items: [{ tenant_id: crypto.randomUUID(), at: 'now' }] }, '/items/0/at'],
    ['one without a tenant', { items: [{}] }, '/items/0/tenant_id'],
    ['one with a field that there is not', { items: [{ tenant_id: crypto.randomUUID(), x: 1 }] }, '/items/0/x'],
  ])('is refused with %s', async (_, json, pointer) => {
    const { status, body } = await server.call('POST', '/v1/entitlements/evaluate', { json })
    expect({ status, code: body.code, pointers: body.errors.map((each: { pointer: string }) => each.pointer) }).toEqual(
      {
        status: 400,
        code: 'request.invalid',
        pointers: [pointer],
      },
    )
  })
})

/** How many rows there are that a request could have left. */
async function everyRow() {
  const count = async (table: 'audit_log' | 'registry.changes' | 'registry.idempotency' | 'tenant_products') =>
    (
      await server.db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
    ).n
  return await Promise.all(
    (['audit_log', 'registry.changes', 'registry.idempotency', 'tenant_products'] as const).map(count),
  )
}
