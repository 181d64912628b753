import { RegistryError } from '@breakpilot/tenant-core'
import type { Principal } from './auth/index.ts'

/** What a route asks of its caller. `public` asks nothing, not even who it is. */
export type Scope = 'public' | 'tenants:read' | 'tenants:write'

/**
 * Lets a caller through, or not. Until roles exist, the platform's owner may do everything and nobody else anything.
 * @throws {RegistryError} `auth.permission_denied`
 */
export function authorize(principal: Principal, _scope: Exclude<Scope, 'public'>): void {
  if (principal.kind === 'operator' && principal.role === 'platform-owner') return
  throw new RegistryError('auth.permission_denied', { detail: 'Your token is good, but it carries no role here.' })
}
