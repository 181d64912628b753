import { isDeepStrictEqual } from 'node:util'
import { planLayerOf, withConfig } from '../entitlements/layers.ts'
import { invalidAt, RegistryError, type Violation } from '../errors.ts'
import type { Json, JsonObject } from '../merge-patch.ts'
import type { Catalogue } from './catalogue.ts'
import { configViolations } from './config-schema.ts'
import { isTooLarge, tooLarge } from './config.ts'
import type { Manifest } from './manifest.ts'
import type { Terms } from './tenant-product.repository.ts'
import type { TenantProduct } from './tenant-product.ts'

/** @throws {RegistryError} `request.invalid` */
export function assertWindow({ valid_from: from, valid_until: until }: Terms): void {
  if (from && until && from >= until) throw invalidAt('/valid_until', 'must be after valid_from')
}

/**
 * Refuses limits that nothing would ever ask for: misspelt, they would silently not hold.
 * @throws {RegistryError} `tenant_product.limit_unknown`
 */
export function assertLimits({ limits, plans = {} }: Manifest, names: readonly string[]): void {
  const known = new Set(
    [limits, ...Object.values(plans).map((plan) => plan.limits)].flatMap((each) => Object.keys(each ?? {})),
  )
  const violations: Violation[] = names
    .filter((name) => !known.has(name))
    .slice(0, 50)
    .map((name) => ({ pointer: `/limits/${name}`, code: 'unknown', message: 'there is no such limit' }))
  if (violations.length === 0) return
  const detail = known.size === 0 ? 'The product has no limits.' : `The limits are ${[...known].sort().join(', ')}.`
  throw new RegistryError('tenant_product.limit_unknown', { detail, violations })
}

/**
 * Judges the configuration that the product will see: the tenant's own over the plan's over the defaults.
 * @throws {RegistryError} `tenant_product.config_invalid`, `request.invalid` when it is too large
 */
export function assertConfig(manifest: Manifest, plan: string | null, config: JsonObject): void {
  if (isTooLarge(config)) throw invalidAt('/config', tooLarge)
  const violations = configViolations(manifest.config_schema, withConfig(planLayerOf(manifest, plan).config, config))
  if (violations.length > 0) throw new RegistryError('tenant_product.config_invalid', { violations })
}

/**
 * Holds what products require of each other, where this assignment changes whether a product is enabled.
 * @param held what the tenant has, this product included
 * @throws {RegistryError} `product.requirement_missing`, `product.required_by_other`, each naming the others
 */
export function assertRequirements(
  { products }: Catalogue,
  held: readonly TenantProduct[],
  product: string,
  enabled: boolean,
): void {
  const on = new Set(held.filter((each) => each.enabled).map((each) => each.product))
  if (on.has(product) === enabled) return
  if (enabled) {
    const missing = (products.get(product)?.requires ?? []).filter((required) => !on.has(required))
    if (missing.length === 0) return
    throw new RegistryError('product.requirement_missing', {
      detail: `${product} needs ${missing.join(', ')}, enabled.`,
      facts: { products: missing },
    })
  }
  const dependent = [...on].filter((other) => products.get(other)?.requires?.includes(product))
  if (dependent.length === 0) return
  throw new RegistryError('product.required_by_other', {
    detail: `${dependent.join(', ')} of the tenant needs ${product}.`,
    facts: { products: dependent },
  })
}

/** Whether the terms are what is stored already. */
export function isSame(stored: Terms, { config, limits, ...terms }: Terms): boolean {
  return (
    isDeepStrictEqual(stored.config, asKept(config)) &&
    isDeepStrictEqual(stored.limits, asKept(limits)) &&
    stored.enabled === terms.enabled &&
    stored.source === terms.source &&
    stored.valid_from?.getTime() === terms.valid_from?.getTime() &&
    stored.valid_until?.getTime() === terms.valid_until?.getTime()
  )
}

/** JSON knows no -0, and the database keeps JSON. */
const asKept = (value: JsonObject) => JSON.parse(JSON.stringify(value)) as Json
