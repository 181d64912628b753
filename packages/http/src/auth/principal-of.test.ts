import { platformTenant, type TenantId, TenantId as TenantIdSchema } from '@breakpilot/tenant-core'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memberClaims, operatorClaims, productClaims } from '../../test/claims.ts'
import { aSigningKey, audience, startProvider, type Claims, type TestProvider } from '../../test/oidc-provider.ts'
import { authorize, sightOf } from '../authorize.ts'
import { createAuthenticator } from './authenticate.ts'
import { principalOf } from './principal-of.ts'
import type { Principal } from './principal.ts'

const a = '00000000-0000-0000-0000-000000000001' as TenantId
const b = '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f' as TenantId
const clients = new Map([
  ['certifai', 'certifai'],
  ['monitor-backend', 'compliance'],
])
const judge = (claims: Claims): Principal =>
  principalOf({ subject: 'alice', name: 'Alice', expiresAt: 0, claims }, (client) => clients.get(client))

/** What a principal may be, as one line. */
function authorityOf(principal: Principal): string {
  switch (principal.kind) {
    case 'operator':
      return principal.roles.join(' ')
    case 'product':
      return `product ${principal.product}`
    case 'tenant-user':
      return [...principal.memberships]
        .map(([id, role]) => `${role} of ${id === a ? 'A' : id === b ? 'B' : id}`)
        .join(', ')
    case 'unassigned':
      return 'nobody'
    case 'api-key':
    case 'product-key':
      throw new Error('no claims make a key of somebody')
    default:
      throw new Error('a kind of principal that this test does not know')
  }
}

const ours = (...roles: unknown[]) => ({ resource_access: { 'tenant-registry': { roles } } })
const entry = (tenantId: unknown, ...groups: unknown[]) => ({ id: 'an-organization', tenant_id: tenantId, groups })

describe('claims give this authority, and no other', () => {
  test.each<[string, Claims, string]>([
    // The platform
    ['the role platform-owner', ours('platform-owner'), 'platform-owner'],
    ['the role platform-operator', ours('platform-operator'), 'platform-operator'],
    ['the role platform-billing', ours('platform-billing'), 'platform-billing'],
    ['the role platform-support', ours('platform-support'), 'platform-support'],
    ['the role platform-auditor', ours('platform-auditor'), 'platform-auditor'],
    ['several, the strongest first', ours('platform-auditor', 'platform-owner'), 'platform-owner platform-auditor'],
    ['the same one twice', ours('platform-support', 'platform-support'), 'platform-support'],
    ['roles that nobody knows', ours('platform-god', 'Platform-Owner', 'platform-owner '), 'nobody'],
    ['no roles', ours(), 'nobody'],
    ['a role that is no list', { resource_access: { 'tenant-registry': { roles: 'platform-owner' } } }, 'nobody'],
    ['roles of another client', { resource_access: { account: { roles: ['platform-owner'] } } }, 'nobody'],
    ['roles of the realm', { realm_access: { roles: ['platform-owner'] }, roles: ['platform-owner'] }, 'nobody'],
    ['groups of the realm', { groups: ['/platform-owner', '/tenant-admin'] }, 'nobody'],
    ['tenant roles of the client', ours('tenant-admin'), 'nobody'],
    ['tenant roles of the client, and any organization', { ...ours('tenant-admin'), organization: ['acme'] }, 'nobody'],
    // Tenants
    ['a map of organizations', { organization: { acme: entry([a], '/tenant-admin') } }, 'tenant-admin of A'],
    ['a list of organizations', { organization: [entry([a], '/tenant-viewer')] }, 'tenant-viewer of A'],
    ['a list of maps', { organization: [{ acme: entry(a, '/tenant-admin') }] }, 'tenant-admin of A'],
    [
      'two organizations, each with its role',
      { organization: { acme: entry([a], '/tenant-viewer'), globex: entry([b], '/tenant-admin') } },
      'tenant-viewer of A, tenant-admin of B',
    ],
    ['both groups', { organization: { acme: entry(a, '/tenant-viewer', '/tenant-admin') } }, 'tenant-admin of A'],
    [
      'two organizations of one tenant',
      { organization: { one: entry(a, '/tenant-admin'), two: entry(a, '/tenant-viewer') } },
      'tenant-admin of A',
    ],
    ['an id in capitals', { organization: { b: entry(b.toUpperCase(), '/tenant-admin') } }, 'tenant-admin of B'],
    ['the alias alone', { organization: 'acme' }, 'nobody'],
    ['a list of aliases', { organization: ['acme', a] }, 'nobody'],
    ['an organization without the attribute', { organization: { acme: { groups: ['/tenant-admin'] } } }, 'nobody'],
    ['the id of the organization', { organization: { acme: { id: a, groups: ['/tenant-admin'] } } }, 'nobody'],
    ['an alias that is an id', { organization: { [a]: { groups: ['/tenant-admin'] } } }, 'nobody'],
    ['an organization without groups', { organization: { acme: { tenant_id: [a] } } }, 'nobody'],
    ['groups beside the organization', { organization: { acme: entry(a) }, groups: ['/tenant-admin'] }, 'nobody'],
    [
      'a group of another name',
      { organization: { acme: entry(a, '/tenant-admins', 'tenant-admin', '/x/tenant-admin') } },
      'nobody',
    ],
    ['a group of the platform', { organization: { acme: entry(a, '/platform-owner') } }, 'nobody'],
    ['a group that is no list', { organization: { acme: { tenant_id: a, groups: '/tenant-admin' } } }, 'nobody'],
    ['an attribute of two values', { organization: { acme: entry([a, b], '/tenant-admin') } }, 'nobody'],
    ['an attribute of a value and more', { organization: { acme: entry([a, 7], '/tenant-admin') } }, 'nobody'],
    ['an attribute that is no id', { organization: { acme: entry('acme', '/tenant-admin') } }, 'nobody'],
    ['an attribute that is an object', { organization: { acme: entry({ 0: a }, '/tenant-admin') } }, 'nobody'],
    ['the platform tenant', { organization: { us: entry(platformTenant, '/tenant-admin') } }, 'nobody'],
    [
      'the platform tenant in capitals',
      { organization: { us: entry(platformTenant.toUpperCase(), '/tenant-admin') } },
      'nobody',
    ],
    // The fall-back
    [
      'a user attribute',
      { registry_roles: [`${a}:tenant-admin`, `${b}:tenant-viewer`] },
      'tenant-admin of A, tenant-viewer of B',
    ],
    ['a user attribute of one value', { registry_roles: `${a}:tenant-viewer` }, 'tenant-viewer of A'],
    ['a user attribute for the platform tenant', { registry_roles: [`${platformTenant}:tenant-admin`] }, 'nobody'],
    ['a user attribute for the platform', { registry_roles: [`${a}:platform-owner`, 'platform-owner'] }, 'nobody'],
    [
      'a user attribute of another form',
      { registry_roles: [a, `${a}:`, `:tenant-admin`, `${a}:tenant-admin:x`] },
      'nobody',
    ],
    [
      'both ways',
      { organization: { acme: entry(a, '/tenant-viewer') }, registry_roles: [`${a}:tenant-admin`] },
      'tenant-admin of A',
    ],
    // Products
    ['a product', { ...ours('product-service'), azp: 'certifai' }, 'product certifai'],
    [
      'a product by its client, not by its key',
      { ...ours('product-service'), azp: 'monitor-backend' },
      'product compliance',
    ],
    ['a client of no product', { ...ours('product-service'), azp: 'compliance' }, 'nobody'],
    ['a product without the role', { azp: 'certifai' }, 'nobody'],
    ['a client id alone', { ...ours('product-service'), client_id: 'certifai' }, 'nobody'],
    ['a person who signed in at a product', { ...ours('product-service'), azp: 'certifai', sid: 's' }, 'nobody'],
    ['clients in a list', { ...ours('product-service'), azp: ['certifai'] }, 'nobody'],
    // Several at once
    [
      'an operator who is a member',
      { ...ours('platform-support'), organization: { acme: entry(a, '/tenant-admin') } },
      'platform-support',
    ],
    [
      'an operator at a product',
      { ...ours('platform-support', 'product-service'), azp: 'certifai' },
      'platform-support',
    ],
    [
      'a product that is a member',
      { ...ours('product-service'), azp: 'certifai', registry_roles: `${a}:tenant-admin` },
      'product certifai',
    ],
  ])('%s', (_what, claims, authority) => {
    expect(authorityOf(judge(claims))).toBe(authority)
  })

  test('whoever it is, the audit log gets the subject and the name', () => {
    for (const claims of [
      ours('platform-owner'),
      { ...ours('product-service'), azp: 'certifai' },
      { registry_roles: `${a}:tenant-admin` },
      {},
    ]) {
      expect(judge(claims).actor).toEqual({ id: 'alice', name: 'Alice' })
    }
  })
})

test('a member of A and B who is admin of B is refused every write on A', () => {
  const both = judge({ organization: { acme: entry([a], '/tenant-viewer'), globex: entry([b], '/tenant-admin') } })
  for (const permission of ['tenants:update', 'projects:write'] as const) {
    expect(() => authorize(both, permission, b)).not.toThrow()
    expect(() => authorize(both, permission, a)).toThrow(expect.objectContaining({ code: 'auth.permission_denied' }))
    expect(sightOf(both, permission)).toEqual({ kind: 'tenants', tenantIds: [b] })
  }
})

describe('hostile claims', () => {
  // What an attacker would put where something else belongs.
  const names = [
    'resource_access',
    'organization',
    'registry_roles',
    'azp',
    'sid',
    'realm_access',
    'tenant-registry',
    'roles',
    'tenant_id',
    'groups',
    '__proto__',
    'constructor',
    'length',
    'acme',
  ]
  const words = [
    'platform-owner',
    'product-service',
    '/tenant-admin',
    'tenant-admin',
    `${a}:tenant-admin`,
    a,
    'certifai',
  ]
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(...words, ...names, null, true, 0, 1e308),
      fc.string(),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.array(fc.tuple(fc.constantFrom(...names), tie('tree')), { maxLength: 4 }).map(asJson),
    ),
  }))

  /** An object as JSON has it: `__proto__` is a name as any other. */
  function asJson(entries: readonly (readonly [string, unknown])[]): unknown {
    return JSON.parse(`{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`)
  }

  // Claims that give authority, with anything in the place of anything.
  const good = [
    ours('platform-owner'),
    { ...ours('product-service'), azp: 'certifai' },
    { organization: { acme: entry([a], '/tenant-admin') } },
    { registry_roles: [`${a}:tenant-admin`] },
  ]
  const spoiled = fc
    .tuple(fc.constantFrom(...good), fc.nat(12), tree, fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 2 }))
    .map(([claims, place, other, more]) => {
      let at = 0
      const text = JSON.stringify(claims, (_key, value: unknown) => (at++ === place + 1 ? other : value))
      return { ...more, ...(JSON.parse(text) as Claims) }
    })

  test('of any shape make somebody, and give only what stands in its own place', () => {
    const kinds = new Set<string>()
    fc.assert(
      fc.property(spoiled, (claims) => {
        const principal = judge(claims)
        kinds.add(principal.kind)
        const own = JSON.stringify(owned(owned(claims['resource_access'], 'tenant-registry'), 'roles')) ?? ''
        if (principal.kind === 'operator') expect(own).toContain('"platform-owner"')
        if (principal.kind === 'product') expect(own).toContain('"product-service"')
        if (principal.kind === 'product') expect([claims['azp'], claims['sid']]).toEqual(['certifai', undefined])
        if (principal.kind === 'tenant-user') {
          expect([...principal.memberships]).toEqual([[a, 'tenant-admin']])
          expect(JSON.stringify([claims['organization'], claims['registry_roles']])).toMatch(
            new RegExp(
              `"${a}:tenant-admin"|"tenant_id":\\[?"${a}".*"/tenant-admin"|"/tenant-admin".*"tenant_id":\\[?"${a}"`,
            ),
          )
        }
      }),
      { numRuns: 5_000 },
    )
    // Else the property would hold because it never got anywhere.
    expect([...kinds].toSorted()).toEqual(['operator', 'product', 'tenant-user', 'unassigned'])
  })

  function owned(value: unknown, name: string): unknown {
    return value !== null && typeof value === 'object' && Object.hasOwn(value, name)
      ? Reflect.get(value, name)
      : undefined
  }

  test('added to good ones in other places leave a viewer a viewer', () => {
    const viewer = { registry_roles: [`${a}:tenant-viewer`] }
    const elsewhere = fc.dictionary(
      fc.constantFrom('realm_access', 'groups', 'roles', 'scope', 'tenant_id', 'email', '__proto__'),
      tree,
    )
    fc.assert(
      fc.property(elsewhere, (hostile) => {
        expect(authorityOf(judge({ ...hostile, ...viewer }))).toBe('tenant-viewer of A')
      }),
    )
  })

  test('of a hundred thousand entries are cut, not carried', () => {
    const many = Array.from({ length: 100_000 }, (_, n) =>
      entry(TenantIdSchema.parse(`${n.toString(16).padStart(8, '0')}-0000-0000-0000-000000000001`), '/tenant-viewer'),
    )
    const user = judge({
      organization: many,
      registry_roles: many.map(({ tenant_id }) => `${String(tenant_id)}:tenant-admin`),
    })
    expect(user.kind === 'tenant-user' && user.memberships.size).toBe(1_000)
  })
})

describe('tokens that a certified provider issues', () => {
  let provider: TestProvider

  beforeAll(async () => {
    provider = await startProvider([await aSigningKey('RS256', 'rsa-1')])
  })
  afterAll(async () => {
    await provider.close()
  })

  test.each<[string, Claims, string]>([
    ['an operator', operatorClaims('platform-billing', 'platform-support'), 'platform-billing platform-support'],
    [
      'a member',
      memberClaims({ acme: [a, 'tenant-admin'], globex: [b, 'tenant-viewer'] }),
      'tenant-admin of A, tenant-viewer of B',
    ],
    ['a product', productClaims('certifai'), 'product certifai'],
    ['nobody in particular', {}, 'nobody'],
  ])('make %s', async (_who, claims, authority) => {
    const productOfClient = (client: string) => clients.get(client)
    const authenticate = createAuthenticator({ mode: 'oidc', issuer: provider.issuer, audience, productOfClient })
    const request = {
      socket: { remoteAddress: '10.0.0.1' },
      rawHeaders: ['Authorization', `Bearer ${await provider.accessToken({ claims })}`],
    }
    const principal = await authenticate(request)
    expect(authorityOf(principal)).toBe(authority)
    expect(principal.actor.id).toBe(claims['sub'] ?? 'some-product')
    // Judged once, as long as the token is remembered.
    expect(authenticate(request)).toBe(principal)
  })
})
