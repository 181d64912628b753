import type { KeyEnvironment } from './api-keys/token.ts'
import type { TenantId } from './id.ts'

/**
 * Which tenants somebody may see at all. What is out of sight does not exist: reads and mutations answer `not_found`
 * for it, as they do for what was never there.
 *
 * - `platform`: every tenant; one that is being purged only for the owner
 * - `tenants`: these alone, and none of them once it is archived
 * - `product`: those that have the product. Of the audit log what it recorded itself, in one environment, if it is said
 *   in which
 */
export type Sight =
  | { readonly kind: 'platform'; readonly owner: boolean }
  | { readonly kind: 'tenants'; readonly tenantIds: readonly TenantId[] }
  | { readonly kind: 'product'; readonly product: string; readonly environment?: KeyEnvironment }

/** For scripts and jobs: all there is. */
export const everything: Sight = Object.freeze({ kind: 'platform', owner: true })
