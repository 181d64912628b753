import {
  ApiKeyId,
  archiveProject,
  assignProduct,
  type Db,
  type ErrorCode,
  errorTable,
  issueSupportViewerToken,
  parseKeyring,
  placeLegalHold,
  platformTenant,
  ProjectId,
  Slug,
  type Tenant,
  TenantId,
  TenantChanges,
  Transition,
  transitionTenant,
  updateTenant,
} from '@breakpilot/tenant-core'
import { declaredCodes, Problem, routes, statusOfCode } from '@breakpilot/tenant-http'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aSigningKey, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { aKey } from '../api-keys/keys.ts'
import { aTenant, testActor, testCatalogue } from '../builders.ts'
import type { TestDatabase } from '../postgres/database.ts'
import { keyringFile, type ServerUnderTest, startTestServer } from '../server.ts'
import { casesOf, ids, keyIds, keyringText, type Mode, projectIds, publisherKey } from './cases.ts'

let provider: TestProvider
let servers: Record<Mode, ServerUnderTest>
let token: string
let firstEvent: string
let viewerToken: string
let publisher: string

beforeAll(async () => {
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  token = await provider.accessToken()
  const keyring = keyringFile(keyringText)
  const start = async (env: Record<string, string>, on?: TestDatabase) =>
    await startTestServer({ SECRETS_KEYRING_FILE: keyring, ...env }, on)
  const local = await start({})
  const nowhere = new URL(local.database.runtimeUrl)
  nowhere.port = '1'
  servers = {
    local,
    oidc: await start({ AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer }, local.database),
    'without database': await start({ DATABASE_URL: nowhere.href }, local.database),
    'without provider': await start(
      { AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer, KEYCLOAK_JWKS_URL: 'http://127.0.0.1:1/keys' },
      local.database,
    ),
    limited: await start({ RATE_LIMIT: '1/3600' }, local.database),
  }
  await servers.limited.call('GET', '/v1/tenants')
  await servers.limited.call('POST', '/v1/api-keys/revoke', { json: { key: 'nonsense' } })
  await arrange(local.db)
  const ring = parseKeyring(keyringText)
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  const ofCertifai = { scopes: ['audit:publish'], product: 'certifai', expires_at }
  ;({ key: publisher } = await aKey(local.db, ring, TenantId.parse(platformTenant), ofCertifai))
  ;({ id: firstEvent } = await local.db.selectFrom('audit_log').select('id').limit(1).executeTakeFirstOrThrow())
  const asked = { tenant_id: TenantId.parse(ids.acme) }
  ;({ id: viewerToken } = await issueSupportViewerToken(local.db, testActor, asked, { ttlSeconds: 3_600 }))
})
afterAll(async () => {
  await servers.oidc.stop()
  await servers['without database'].stop()
  await servers['without provider'].stop()
  await servers.limited.stop()
  await servers.local.stop()
  await provider.close()
})

const cases = casesOf(routes)

/** Headers with the key that can be known only when it is made. */
const signed = (headers: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(publisherKey, publisher)]))

describe.each(routes.map((route) => [route.operation, route] as const))('%s', (operation, route) => {
  it.each(cases.filter((each) => each.operation === operation))('$status $code: $title', async (each) => {
    const headers = { ...signed(each.headers), ...(each.token && { authorization: `Bearer ${token}` }) }
    if (each.first) {
      const first = { ...each.first, headers: signed(each.first.headers) }
      expect((await servers[each.mode].call(each.method, first.path, first)).status).toBeLessThan(300)
    }
    const before = await written()
    const path = each.path.replace(ids.event, firstEvent).replace(ids.viewer, viewerToken)
    const answer = await servers[each.mode].call(each.method, path, { ...each, headers })

    const code = answer.status < 400 ? undefined : answer.body?.code
    expect({ status: answer.status, code }).toEqual({ status: each.status, code: each.code })
    expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{8,64}$/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    if (route.scope !== 'public') {
      expect(answer.headers.get('cache-control')).toBe('private, no-cache')
      expect(answer.headers.get('vary')).toBe('Authorization')
    }
    // Who is not on this machine is not counted, but sent away.
    const isCounted =
      route.countedBy === 'address' ? each.status !== 403 : route.countedBy !== 'nobody' && each.mode === 'limited'
    for (const name of ['ratelimit', 'ratelimit-policy']) expect(answer.headers.has(name)).toBe(isCounted)
    if (each.status >= 400 && each.mode !== 'without database') expect(await written()).toEqual(before)
    if (each.status < 400) {
      const isLines = 'kind' in route.response && route.response.kind !== 'written'
      const type = isLines ? 'application/x-ndjson' : 'application/json; charset=utf-8'
      expect(answer.headers.get('content-type')).toBe([204, 304].includes(each.status) ? null : type)
      expect(answer.headers.has('etag')).toBe(route.etag !== undefined && !each.path.includes('dry_run'))
      return
    }
    const problem = Problem.strict().parse(answer.body)
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(problem).toMatchObject({
      type: `urn:tenant-registry:problem:${problem.code}`,
      title: errorTable[problem.code as ErrorCode][1],
      status: answer.status,
      request_id: answer.headers.get('x-request-id'),
      instance: path.split('?')[0],
    })
    expect(answer.headers.has('www-authenticate')).toBe(answer.status === 401)
    expect(answer.headers.has('retry-after')).toBe([429, 503].includes(answer.status))
    expect(answer.text).not.toMatch(/select |insert |postgres|node_modules|\bat .*:\d+|tenants_/i)
  })

  it('has a case for every status that it declares', () => {
    const declared = new Set([route.status, ...declaredCodes(route).map(statusOfCode)])
    if (route.preview) declared.add(200)
    if (route.etag && route.method === 'get') declared.add(304)
    const tried = new Set(cases.filter((each) => each.operation === operation).map(({ status }) => status))
    // That a request is being carried out is tried once for all, where keys are: it takes two at one moment.
    if (route.idempotent) tried.add(409)
    expect(tried).toEqual(declared)
  })

  it('declares what its own cases answer with', () => {
    const declared = declaredCodes(route)
    for (const { code } of cases.filter((each) => each.operation === operation)) {
      if (code !== undefined) expect(declared).toContain(code)
    }
  })
})

/** How much there is of what only successes write. */
async function written() {
  const { rows } = await sql`
    select (select count(*) from audit_log) as events, (select count(*) from registry.idempotency) as answers,
      (select sum(version) from tenants) as versions, (select sum(version) from api_keys) as keys,
      (select sum(version) from tenant_projects) as projects, (select sum(version) from tenant_products) as products`.execute(
    servers.local.db,
  )
  return rows
}

/** What the cases are about. */
async function arrange(db: Db): Promise<void> {
  const archive = async ({ id }: Tenant, purgeAfterDays = 0) => {
    const step = Transition.parse({ to: 'archived', reason: 'offboarding' })
    return await transitionTenant(db, testActor, testCatalogue, id, step, { purgeAfterDays })
  }
  const acme = await aTenant(db, {
    id: ids.acme,
    slug: 'acme',
    name: 'Acme Inc.',
    status: 'active',
    plan: 'professional',
    erp_id: 'C/10042',
    stripe_id: 'cus_1',
  })
  for (const key of testCatalogue.keys) await assignProduct(db, testActor, testCatalogue, acme.id, key)
  for (const [name, id] of Object.entries(projectIds)) {
    const project = { id: ProjectId.parse(id), tenant_id: acme.id, slug: Slug.parse(name), name }
    await db.insertInto('tenant_projects').values(project).execute()
  }
  for (const id of [projectIds.archived, projectIds.gone]) {
    await archiveProject(db, testActor, acme.id, ProjectId.parse(id))
  }
  for (const id of Object.values(keyIds)) {
    const key = {
      id: ApiKeyId.parse(id),
      family_id: ApiKeyId.parse(id),
      tenant_id: acme.id,
      name: 'Key',
      audience: 'certifai',
      scopes: ['certifai:read'],
    }
    const stored = {
      ...key,
      prefix: `bpk_live_${id.slice(-12)}`,
      hash: 'nobody has it',
      issuer_kid: 'cases',
      environment: 'live' as const,
    }
    await db.insertInto('api_keys').values(stored).execute()
  }
  const revoked = { revoked_at: new Date(), revoked_reason: 'no_longer_needed' }
  await db.updateTable('api_keys').set(revoked).where('id', '=', ApiKeyId.parse(keyIds.revoked)).execute()
  await placeLegalHold(db, testActor, acme.id, { reason: 'another lawsuit' })
  await aTenant(db, { id: ids.trial, slug: 'trial-one' })
  await archive(await aTenant(db, { id: ids.archived, slug: 'archived-one' }))
  await archive(await aTenant(db, { id: ids.protected, slug: 'protected-one', deletion_protection: true }))
  await archive(await aTenant(db, { id: ids.recent, slug: 'recent-one' }), 30)
  const held = await archive(await aTenant(db, { id: ids.held, slug: 'held-one' }))
  await placeLegalHold(db, testActor, held.id, { reason: 'a third lawsuit' })
  const renamed = await aTenant(db, { id: ids.renamed, slug: 'old-name' })
  await updateTenant(db, testActor, testCatalogue, renamed.id, TenantChanges.parse({ slug: 'new-name' }))
  const purging = await archive(await aTenant(db, { id: ids.purging, slug: 'purging-one' }))
  await placeLegalHold(db, testActor, purging.id, { reason: 'keeps the job from it' })
  await db.updateTable('tenants').set({ purge_requested_at: new Date() }).where('id', '=', purging.id).execute()
}
