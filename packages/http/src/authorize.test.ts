import type { TenantId } from '@breakpilot/tenant-core'
import { describe, expect, test } from 'vitest'
import type { Operator, PlatformRole, Principal, TenantRole } from './auth/index.ts'
import { permissions, permissionsOf, type Role } from './auth/permissions.ts'
import { developer } from './auth/principal.ts'
import { authorize, fieldsPatchable, type Permission, roleOf, sightOf } from './authorize.ts'

const a = '00000000-0000-0000-0000-000000000001' as TenantId
const b = '00000000-0000-0000-0000-000000000002' as TenantId
const actor = { id: 'someone', name: 'Someone' }
const operator = (...roles: PlatformRole[]): Operator => ({ kind: 'operator', roles, actor })
const member = (...memberships: [TenantId, TenantRole][]): Principal => ({
  kind: 'tenant-user',
  memberships: new Map(memberships),
  actor,
})
const product: Principal = { kind: 'product', product: 'certifai', actor }
const nobody: Principal = { kind: 'unassigned', actor }

/** Somebody who has this role, and this one alone; for a tenant's role, in A. */
function someone(role: Role): Principal {
  if (role === 'product') return product
  return role === 'tenant-admin' || role === 'tenant-viewer' ? member([a, role]) : operator(role)
}

/** What comes of it: `ok`, or the code of the refusal. */
function outcome(principal: Principal, permission: Permission, tenantId?: TenantId): string {
  try {
    authorize(principal, permission, tenantId)
    return 'ok'
  } catch (error) {
    return String(Object(error).code)
  }
}

// Written from the table in docs/authentication.md, not from the code: y may, - may not.
const columns = [
  'platform-owner',
  'platform-operator',
  'platform-billing',
  'platform-support',
  'platform-auditor',
  'tenant-admin',
  'tenant-viewer',
  'product',
] as const
const matrix: Readonly<Record<Permission, string>> = {
  //                     own ope bil sup aud adm vie pro
  'tenants:read': '      y   y   y   y   y   y   y   y',
  'tenants:lookup': '    y   y   y   y   y   -   -   -',
  'tenants:create': '    y   y   -   -   -   -   -   -',
  'tenants:update': '    y   y   y   -   -   y   -   -',
  'tenants:transition': 'y   y   -   -   -   -   -   -',
  'tenants:purge': '     y   -   -   -   -   -   -   -',
  'tenants:hold': '      y   -   -   -   -   -   -   -',
  'tenants:export': '    y   y   -   y   y   y   y   -',
  'slugs:release': '     y   -   -   -   -   -   -   -',
  overrides: '           y   -   -   -   -   -   -   -',
  'projects:read': '     y   y   -   y   y   y   y   y',
  'projects:write': '    y   y   -   -   -   y   -   -',
  'products:read': '     y   y   y   y   y   y   y   y',
  'products:write': '    y   y   y   -   -   -   -   -',
  'entitlements:read': ' y   y   y   y   y   y   y   y',
  'catalogue:read': '    y   y   y   y   y   y   y   y',
  'changes:read': '      y   y   y   y   y   -   -   y',
  'api_keys:read': '     y   y   -   y   y   y   -   -',
  'api_keys:find': '     y   y   -   y   y   -   -   -',
  'api_keys:write': '    y   y   -   -   -   y   -   -',
  'api_keys:revoke': '   y   y   -   y   -   y   -   -',
  'api_keys:verify': '   y   y   -   -   -   -   -   y',
  'audit:read': '        y   y   -   y   y   y   y   -',
  'audit:follow': '      y   y   -   y   y   -   -   -',
  'audit:publish': '     -   -   -   -   -   -   -   -',
  'audit:verify': '      y   y   -   y   y   -   -   -',
  'audit:view': '        y   y   -   y   y   -   -   -',
}
const cells = Object.entries(matrix).flatMap(([permission, row]) =>
  row
    .trim()
    .split(/\s+/)
    .map((cell, at) => ({ permission: permission as Permission, role: columns[at] ?? 'product', may: cell === 'y' })),
)

describe('the matrix', () => {
  test('names every permission and every role', () => {
    expect(Object.keys(matrix).toSorted()).toEqual([...permissions].toSorted())
    expect(Object.keys(permissionsOf).toSorted()).toEqual([...columns].toSorted())
    expect(cells).toHaveLength(permissions.length * columns.length)
  })

  test.each(cells)('$role and $permission: $may', ({ permission, role, may }) => {
    const expected = may ? 'ok' : 'auth.permission_denied'
    expect(outcome(someone(role), permission)).toBe(expected)
    expect(outcome(someone(role), permission, a)).toBe(expected)
  })

  test.each(permissions)('whoever has no role may not: %s', (permission) => {
    expect(outcome(nobody, permission)).toBe('auth.permission_denied')
    expect(outcome(nobody, permission, a)).toBe('auth.permission_denied')
  })

  test.each(permissions)(
    'whoever is on this machine while authentication is off may what the owner may: %s',
    (permission) => {
      expect(outcome(developer, permission, a)).toBe(outcome(operator('platform-owner'), permission, a))
    },
  )
})

describe('several roles', () => {
  test('of the platform add up', () => {
    const both = operator('platform-billing', 'platform-support')
    expect(outcome(both, 'products:write')).toBe('ok')
    expect(outcome(both, 'audit:read')).toBe('ok')
    expect(outcome(both, 'projects:write')).toBe('auth.permission_denied')
  })

  test('of tenants count where they are held', () => {
    const both = member([a, 'tenant-viewer'], [b, 'tenant-admin'])
    expect(outcome(both, 'projects:write', a)).toBe('auth.permission_denied')
    expect(outcome(both, 'projects:write', b)).toBe('ok')
    // No tenant is named: what the answer is narrowed to is the sight's matter.
    expect(outcome(both, 'projects:write')).toBe('ok')
  })
})

test.each(permissions)('another tenant is not there, whatever is asked of it: %s', (permission) => {
  expect(outcome(member([a, 'tenant-admin']), permission, b)).toBe('tenant.not_found')
})

test('a tenant out of sight and one that is not there are refused in the same words', () => {
  const refusal = (id: TenantId) => {
    try {
      authorize(member([a, 'tenant-admin']), 'tenants:read', id)
    } catch (error) {
      const { code, detail } = Object(error) as Record<string, unknown>
      return { code, detail }
    }
    return undefined
  }
  expect(refusal(b)).toEqual({ code: 'tenant.not_found', detail: undefined })
  expect(refusal('0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f' as TenantId)).toEqual(refusal(b))
})

describe('the sight', () => {
  test.each<[string, Principal, Permission, unknown]>([
    [
      'of an owner is everything',
      operator('platform-owner', 'platform-support'),
      'tenants:read',
      { kind: 'platform', owner: true },
    ],
    [
      'of an operator is everything but what is being purged',
      operator('platform-operator'),
      'tenants:read',
      { kind: 'platform', owner: false },
    ],
    ['of a product is its own', product, 'tenants:read', { kind: 'product', product: 'certifai' }],
    [
      'of a member is what the role covers',
      member([a, 'tenant-viewer'], [b, 'tenant-admin']),
      'tenants:read',
      { kind: 'tenants', tenantIds: [a, b] },
    ],
    [
      'of a writer is where writing is allowed',
      member([a, 'tenant-viewer'], [b, 'tenant-admin']),
      'projects:write',
      { kind: 'tenants', tenantIds: [b] },
    ],
    [
      'of a member who may nowhere is nothing',
      member([a, 'tenant-admin']),
      'changes:read',
      { kind: 'tenants', tenantIds: [] },
    ],
    ['of somebody without a role is nothing', nobody, 'tenants:read', { kind: 'tenants', tenantIds: [] }],
  ])('%s', (_what, principal, permission, sight) => {
    expect(sightOf(principal, permission)).toEqual(sight)
  })
})

describe('the role that the audit log names', () => {
  test.each<[string, Principal, TenantId | undefined, string]>([
    ['the strongest of the platform', operator('platform-billing', 'platform-support'), a, 'platform-billing'],
    ['that in the tenant', member([a, 'tenant-viewer'], [b, 'tenant-admin']), a, 'tenant-viewer'],
    [
      'the strongest, where no tenant is named',
      member([a, 'tenant-viewer'], [b, 'tenant-admin']),
      undefined,
      'tenant-admin',
    ],
    ['none in a tenant of others', member([a, 'tenant-admin']), b, 'none'],
    ['product', product, a, 'product'],
    ['none', nobody, undefined, 'none'],
  ])('is %s', (_what, principal, tenantId, role) => {
    expect(roleOf(principal, tenantId)).toBe(role)
  })
})

describe('the fields of a tenant that somebody may change', () => {
  const commercial = ['plan', 'trial_ends_at', 'contract_starts_at', 'contract_ends_at', 'erp_id', 'stripe_id']

  test.each<[string, Principal, 'all' | readonly string[]]>([
    ['an owner: all', operator('platform-owner'), 'all'],
    ['an operator: all', operator('platform-operator'), 'all'],
    ['billing: plan, dates and ids', operator('platform-billing'), commercial],
    ['billing that supports: no more', operator('platform-billing', 'platform-support'), commercial],
    ['billing that operates: all', operator('platform-operator', 'platform-billing'), 'all'],
    ['support: none', operator('platform-support'), []],
    ['an auditor: none', operator('platform-auditor'), []],
    ['an admin: the name', member([a, 'tenant-admin']), ['name']],
    ['a viewer: none', member([a, 'tenant-viewer']), []],
    ['a viewer who is admin elsewhere: none', member([a, 'tenant-viewer'], [b, 'tenant-admin']), []],
    ['a product: none', product, []],
    ['somebody without a role: none', nobody, []],
  ])('%s', (_what, principal, fields) => {
    expect(fieldsPatchable(principal, a)).toEqual(fields === 'all' ? 'all' : new Set(fields))
  })
})
