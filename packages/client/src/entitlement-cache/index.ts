import { KeptEntitlements } from './kept-entitlements.ts'
import type { EntitlementsOptions } from './options.ts'

export type { DecidedValue, EntitlementChange, KeptEntitlements, Within } from './kept-entitlements.ts'
export type { EntitlementsOptions, OnUnavailable, Question, Snapshot } from './options.ts'
export type { Access, Decision, Verdict } from './verdict.ts'

/**
 * Keeps at hand what tenants may use, and up to date: it follows the feed of changes, asks anew when an answer is over,
 * and says of every answer where it comes from and how old it is. Make one and share it; `close()` it at the end, or it
 * keeps the process alive. It begins at once, with timers and a request: where a runtime forbids these while modules are
 * loaded, make it in the first request.
 * @example
 *   const entitlements = createEntitlements({ client, products: ['certifai'], onUnavailable: 'last_known' })
 *   const { allowed, reason } = await entitlements.check(tenantId, 'certifai')
 */
export function createEntitlements<const Product extends string>(
  options: EntitlementsOptions<Product>,
): KeptEntitlements<Product> {
  return new KeptEntitlements(options)
}
