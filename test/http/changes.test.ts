import { assignProduct, type Tenant } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { memberClaims, operatorClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, type Claims, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { type Answer, type ServerUnderTest, startTestServer } from '../server.ts'

let provider: TestProvider
let server: ServerUnderTest
let acme: Tenant
beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  server = await startTestServer({ AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer })
  acme = await aTenant(server.db, { slug: 'acme' })
  await aTenant(server.db, { slug: 'globex' })
  await assignProduct(server.db, testActor, testCatalogue, acme.id, 'certifai')
})
afterAll(async () => {
  await server.stop()
  await provider.close()
})

async function follow(claims: Claims, query = ''): Promise<Answer> {
  const authorization = `Bearer ${await provider.accessToken({ claims })}`
  return await server.call('GET', `/v1/changes${query}`, { headers: { authorization } })
}
const operator = operatorClaims('platform-operator')
const inShort = ({ body }: Answer): string[] =>
  body.data.map(({ n, kind }: { n: number; kind: string }) => `${n} ${kind}`)

it('tells the platform everything, and a product what concerns its tenants', async () => {
  const all = await follow(operator)
  expect(inShort(all)).toEqual(['1 tenant', '2 tenant', '3 tenant_product'])
  expect(all.body.data[2]).toEqual({
    n: 3,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    kind: 'tenant_product',
    tenant_id: acme.id,
    ref_id: 'certifai',
  })
  expect(inShort(await follow(productClaims('certifai')))).toEqual(['1 tenant', '3 tenant_product'])
  expect((await follow(productClaims('compliance'))).body).toEqual({
    data: [],
    has_more: false,
    next_after: 3,
    head: 3,
  })
})

it('tells the people of a tenant nothing, nor that there is anything', async () => {
  for (const role of ['tenant-admin', 'tenant-viewer'] as const) {
    const { status, body } = await follow(memberClaims({ acme: [acme.id, role] }))
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'auth.permission_denied' })
  }
})

it('answers who waits when something is committed elsewhere', async () => {
  const { body } = await follow(operator)
  const waiting = follow(operator, `?after=${body.next_after}&wait=25`)
  const made = await aTenant(server.db)
  expect((await waiting).body.data).toMatchObject([{ kind: 'tenant', tenant_id: made.id, ref_id: made.id }])
})

it('answers who waited in vain with nothing, and with the place to go on', async () => {
  const { body } = await follow(operator)
  expect((await follow(operator, `?after=${body.head}&wait=1`)).body).toEqual({
    data: [],
    has_more: false,
    next_after: body.head,
    head: body.head,
  })
})

it('logs who left while waiting as one that was answered nothing', async () => {
  const { body } = await follow(operator)
  const headers = {
    authorization: `Bearer ${await provider.accessToken({ claims: operator })}`,
    'x-request-id': 'left-while-waiting',
  }
  const impatience = new AbortController()
  const waiting = fetch(`${server.url}/v1/changes?after=${body.head}&wait=20`, { headers, signal: impatience.signal })
  setTimeout(() => impatience.abort(), 300)
  await expect(waiting).rejects.toThrow(/abort/)
  const logged = () => server.log.find((line) => line['request_id'] === 'left-while-waiting')
  await expect.poll(logged, { timeout: 5_000 }).toMatchObject({ status: 499, route: '/v1/changes' })
})

it.each(['after=-1', 'after=x', 'after=9007199254740992', 'limit=0', 'limit=1001', 'wait=26', 'wait=1.5', 'wait='])(
  'refuses %s',
  async (query) => {
    const { status, body } = await follow(operator, `?${query}`)
    expect({ status, pointer: body.errors?.[0]?.pointer }).toEqual({
      status: 400,
      pointer: `/query/${query.split('=')[0]}`,
    })
  },
)

it('says to who comes too late what to do', async () => {
  await server.db.deleteFrom('registry.changes').where('n', '=', 1).execute()
  const { status, body } = await follow(operator, '?after=0')
  expect({ status, code: body.code }).toEqual({ status: 410, code: 'changes.expired' })
  expect(body.detail).toMatch(/^What came next is no longer kept\. Reload .+ goes on after \d+\.$/)
})
