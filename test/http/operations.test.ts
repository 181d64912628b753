import { assignProduct, type ErrorCode, errorTable } from '@breakpilot/tenant-core'
import { declaredCodes, Problem, routes, statusOfCode } from '@breakpilot/tenant-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aSigningKey, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'
import { casesOf, type Mode } from './cases.ts'

let provider: TestProvider
let servers: Record<Mode, ServerUnderTest>
let token: string

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  token = await provider.accessToken()
  const local = await startTestServer()
  const nowhere = new URL(local.database.runtimeUrl)
  nowhere.port = '1'
  servers = {
    local,
    oidc: await startTestServer({ AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer }, local.database),
    'without database': await startTestServer({ DATABASE_URL: nowhere.href }, local.database),
  }
  const acme = await aTenant(local.db, {
    id: '00000000-0000-0000-0000-000000000001',
    slug: 'acme',
    name: 'Acme Inc.',
    status: 'active',
    plan: 'professional',
    erp_id: 'C/10042',
    stripe_id: 'cus_1',
  })
  for (const key of testCatalogue.keys) await assignProduct(local.db, testActor, testCatalogue, acme.id, key)
})
afterAll(async () => {
  await servers.oidc.stop()
  await servers['without database'].stop()
  await servers.local.stop()
  await provider.close()
})

const cases = casesOf(routes)

describe.each(routes.map((route) => [route.operation, route] as const))('%s', (operation, route) => {
  it.each(cases.filter((each) => each.operation === operation))('$status $code: $title', async (each) => {
    const headers = { ...each.headers, ...(each.token && { authorization: `Bearer ${token}` }) }
    const answer = await servers[each.mode].call(each.method, each.path, { ...each, headers })

    expect({ status: answer.status, code: answer.body?.code }).toEqual({ status: each.status, code: each.code })
    expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{8,64}$/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    if (route.scope !== 'public') {
      expect(answer.headers.get('cache-control')).toBe('private, no-cache')
      expect(answer.headers.get('vary')).toBe('Authorization')
    }
    if (each.status < 400) {
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
      return
    }
    const problem = Problem.strict().parse(answer.body)
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(problem).toMatchObject({
      type: `urn:tenant-registry:problem:${problem.code}`,
      title: errorTable[problem.code as ErrorCode][1],
      status: answer.status,
      request_id: answer.headers.get('x-request-id'),
      instance: each.path.split('?')[0],
    })
    expect(answer.headers.has('www-authenticate')).toBe(answer.status === 401)
    expect(answer.headers.has('retry-after')).toBe(answer.status === 503)
    expect(answer.text).not.toMatch(/select |insert |postgres|node_modules|\bat .*:\d+|tenants_/i)
  })

  it('has a case for every status that it declares', () => {
    const declared = new Set([route.status, ...declaredCodes(route).map(statusOfCode)])
    const tried = new Set(cases.filter((each) => each.operation === operation).map(({ status }) => status))
    expect(tried).toEqual(declared)
  })

  it('declares what its own cases answer with', () => {
    const declared = declaredCodes(route)
    for (const { code } of cases.filter((each) => each.operation === operation)) {
      if (code !== undefined) expect(declared).toContain(code)
    }
  })
})

it('no case of a failure wrote anything', async () => {
  const { db } = servers.local
  const slugs = await db.selectFrom('tenants').select('slug').orderBy('slug').execute()
  expect(slugs.map(({ slug }) => slug)).toEqual(['acme', 'made-by-a-case'])
  const events = await db.selectFrom('audit_log').select('action').orderBy('received_at').execute()
  expect(events.map(({ action }) => action).sort()).toEqual([
    'tenant.created',
    'tenant.created',
    'tenant_product.assigned',
    'tenant_product.assigned',
  ])
})
