import type { Actor } from '../audit/actor.ts'
import type { Change } from '../audit/audit-event.ts'
import { changed, type Outcome } from '../audit/audited.ts'
import type { AuditedTx } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import { mergePatch } from '../merge-patch.ts'
import { assertVersion, lockWritableTenant } from '../tenants/tenant-state.ts'
import type { TenantRow } from '../tenants/tenant.repository.ts'
import type { Catalogue } from './catalogue.ts'
import { schemaOf, withoutSecrets } from './config-secrets.ts'
import type { Manifest } from './manifest.ts'
import { assertConfig, assertLimits, assertRequirements, assertWindow, isSame } from './tenant-product-rules.ts'
import * as tenantProducts from './tenant-product.repository.ts'
import type { NewTenantProduct, TenantProduct, TenantProductChanges } from './tenant-product.ts'

/** A locked tenant and what it has: nothing of it changes until the transaction ends. */
export interface Holding {
  readonly tenant: TenantRow
  readonly held: readonly TenantProduct[]
  /** The product that it is about, if the tenant has it. */
  readonly stored: TenantProduct | undefined
}

/** @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived` */
export async function lockHolding(tx: AuditedTx, actor: Actor, tenantId: TenantId, product: string): Promise<Holding> {
  const tenant = await lockWritableTenant(tx, actor, tenantId)
  const held = await tenantProducts.listTenantProducts(tx, tenantId)
  return { tenant, held, stored: held.find((each) => each.product === product) }
}

/** What is expected to be there before a change: this version, any, or nothing. */
export type Expectation = number | 'any' | 'none'

/** A version that is expected of what is not there is as stale as an older one, and so is nothing where something is. */
export function assertExpected({ stored }: Holding, expected: Expectation | undefined): void {
  if (typeof expected === 'number' && stored) return assertVersion(stored, expected)
  if (expected === undefined || (expected === 'none') === (stored === undefined)) return
  throw stored
    ? new RegistryError('resource.version_stale', {
        detail: `The tenant has the product already, in version ${stored.version}.`,
        facts: { current_version: stored.version },
      })
    : new RegistryError('resource.version_stale', { detail: 'The tenant does not have the product.' })
}

/** The terms that are asked for, with what holds where nothing is. */
export function termsOf(input: Partial<NewTenantProduct>): tenantProducts.Terms {
  const { enabled = true, config = {}, limits = {}, valid_from, valid_until, source = 'manual' } = input
  return { enabled, config, limits, valid_from: valid_from ?? null, valid_until: valid_until ?? null, source }
}

/** The terms that a patch makes of those of before. */
export function patched(stored: TenantProduct, changes: TenantProductChanges): tenantProducts.Terms {
  const { config = {}, limits = {}, valid_from = stored.valid_from, valid_until = stored.valid_until } = changes
  return {
    enabled: changes.enabled ?? stored.enabled,
    valid_from,
    valid_until,
    source: changes.source ?? stored.source,
    config: config === null ? {} : mergePatch(stored.config, config),
    limits: limits === null ? {} : (mergePatch(stored.limits, limits) as Record<string, number>),
  }
}

/** Judges what the patch changes and nothing else: a manifest may have changed under what is stored. */
export function assertChanges(
  manifest: Manifest | undefined,
  { plan }: TenantRow,
  stored: TenantProduct,
  { config, limits }: tenantProducts.Terms,
  changes: TenantProductChanges,
): void {
  const reconfigured = !isSame(stored, { ...stored, config })
  if (!manifest) {
    if (!reconfigured && isSame(stored, { ...stored, limits })) return
    throw new RegistryError('product.retired', { detail: 'Nothing says any more what its configuration may be.' })
  }
  const set = Object.entries(changes.limits ?? {}).filter(([, value]) => value !== null)
  assertLimits(
    manifest,
    set.map(([name]) => name),
  )
  if (reconfigured) assertConfig(manifest, plan, config)
}

/** Writes the terms, which are known to be others than before. */
export async function settle(
  tx: AuditedTx,
  catalogue: Catalogue,
  { tenant, held, stored }: Holding,
  product: string,
  terms: tenantProducts.Terms,
): Promise<Outcome<TenantProduct>> {
  assertWindow(terms)
  assertRequirements(catalogue, held, product, terms.enabled)
  const write = stored ? tenantProducts.updateTenantProduct : tenantProducts.insertTenantProduct
  const row = await write(tx, tenant.id, product, terms)
  return changed(row, changeOf(catalogue, tenant, product, stored, row))
}

/** The event of a change of terms, without anything secret. */
export function changeOf(
  { products }: Catalogue,
  { id, name }: TenantRow,
  product: string,
  before: TenantProduct | undefined,
  after: TenantProduct | undefined,
): Change {
  const schema = schemaOf(products.get(product))
  const shown = ({ tenant_id: _, config, ...row }: TenantProduct, other?: TenantProduct) => ({
    ...row,
    config: withoutSecrets(config, schema, other?.config),
  })
  return {
    action: before ? (after ? 'tenant_product.updated' : 'tenant_product.removed') : 'tenant_product.assigned',
    crud: before ? (after ? 'u' : 'd') : 'c',
    tenant: { id, name },
    target: { id: product, type: 'product' },
    ...(before && { before: shown(before) }),
    ...(after && { after: shown(after, before) }),
  }
}
