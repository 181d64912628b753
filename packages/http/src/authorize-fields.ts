import { RegistryError, type TenantId } from '@breakpilot/tenant-core'
import type { Principal } from './auth/index.ts'
import { authorize, fieldsPatchable } from './authorize.ts'

/**
 * Lets a patch of a tenant through when the caller may change every field that it names.
 * @throws {RegistryError} `auth.permission_denied`, naming the fields
 */
export function assertMayPatch(principal: Principal | undefined, id: TenantId, patch: object): void {
  const fields = principal ? fieldsPatchable(principal, id) : new Set<string>()
  if (fields === 'all') return
  const refused = Object.keys(patch).filter((field) => !fields.has(field))
  if (refused.length === 0) return
  throw new RegistryError('auth.permission_denied', {
    detail: `You may change ${[...fields].join(', ') || 'nothing'} of a tenant, and not ${refused.join(', ')}.`,
  })
}

/**
 * Lets a reserved slug through only when the caller may overrule the rules.
 * @throws {RegistryError} `auth.permission_denied`
 */
export function assertMayUseReserved(
  principal: Principal | undefined,
  body: { readonly reserved_slug_reason?: string | undefined },
): void {
  if (body.reserved_slug_reason !== undefined && principal) authorize(principal, 'overrides')
}

/**
 * Refuses filters by what the caller does not see of a tenant: who finds a tenant by a field learns the field.
 * @throws {RegistryError} `request.query_unknown`
 */
export function operatorFilters(principal: Principal | undefined, query: object, names: readonly string[]): void {
  if (principal?.kind === 'operator') return
  const given = names.filter((name) => Object.hasOwn(query, name) && Reflect.get(query, name) !== undefined)
  if (given.length === 0) return
  throw new RegistryError('request.query_unknown', {
    violations: given.map((name) => ({
      pointer: `/query/${name}`,
      code: 'unknown',
      message: 'there is no such parameter',
    })),
  })
}
