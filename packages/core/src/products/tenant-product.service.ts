import type { Actor } from '../audit/actor.ts'
import { audited, changed, unchanged } from '../audit/audited.ts'
import type { Db, Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import type { Page } from '../page.ts'
import type { Sight } from '../sight.ts'
import { assertVersion, getSeen } from '../tenants/tenant-state.ts'
import type { Catalogue } from './catalogue.ts'
import { assertConfig, assertLimits, assertRequirements, isSame } from './tenant-product-rules.ts'
import {
  assertChanges,
  assertExpected,
  changeOf,
  type Expectation,
  lockHolding,
  patched,
  settle,
  termsOf,
} from './tenant-product-state.ts'
import * as tenantProducts from './tenant-product.repository.ts'
import type { NewTenantProduct, TenantProduct, TenantProductChanges } from './tenant-product.ts'

/**
 * Gives a tenant a product, or replaces the terms on which it has it. The terms that it has already change nothing.
 * @param expected what this was decided on, if it should still be so: a version, that the tenant has the product
 *   (`any`), or that it does not (`none`)
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `product.not_found`,
 *   `product.retired`, `resource.version_stale`, `request.invalid`, `tenant_product.limit_unknown`,
 *   `tenant_product.config_invalid`, `product.requirement_missing`, `product.required_by_other`
 */
export async function putTenantProduct(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  product: string,
  input: NewTenantProduct,
  expected?: Expectation,
): Promise<TenantProduct> {
  return await audited(db, actor, async (tx) => {
    const holding = await lockHolding(tx, actor, tenantId, product)
    const manifest = catalogue.products.get(product)
    if (!manifest) throw new RegistryError('product.not_found')
    assertExpected(holding, expected)
    if (!holding.stored && manifest.status === 'retired') throw new RegistryError('product.retired')
    const terms = termsOf(input)
    if (holding.stored && isSame(holding.stored, terms)) return unchanged(holding.stored)
    assertLimits(manifest, Object.keys(terms.limits))
    assertConfig(manifest, holding.tenant.plan, terms.config)
    return await settle(tx, catalogue, holding, product, terms)
  })
}

/**
 * Gives a tenant a product on the terms of its plan. Giving it again changes nothing, whatever the terms.
 * @throws {RegistryError} `product.unknown`, and what `putTenantProduct` throws
 */
export async function assignProduct(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  product: string,
): Promise<void> {
  const manifest = catalogue.products.get(product)
  if (!manifest) {
    throw new RegistryError('product.unknown', { detail: `There is no product ${JSON.stringify(product)}.` })
  }
  await audited(db, actor, async (tx) => {
    const holding = await lockHolding(tx, actor, tenantId, product)
    if (holding.stored) return unchanged(holding.stored)
    if (manifest.status === 'retired') throw new RegistryError('product.retired')
    const terms = termsOf({})
    assertConfig(manifest, holding.tenant.plan, terms.config)
    return await settle(tx, catalogue, holding, product, terms)
  })
}

/**
 * Changes the terms on which a tenant has a product, by a merge patch (RFC 7396). What changes nothing records nothing.
 * @throws {RegistryError} `tenant.not_found`, `tenant_product.not_found`, and what `putTenantProduct` throws; for a
 *   product that no manifest knows any more, `product.retired` when configuration or limits would change
 */
export async function updateTenantProduct(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  product: string,
  changes: TenantProductChanges,
  expectedVersion?: number,
): Promise<TenantProduct> {
  return await audited(db, actor, async (tx) => {
    const holding = await lockHolding(tx, actor, tenantId, product)
    const { stored } = holding
    if (!stored) throw new RegistryError('tenant_product.not_found')
    assertVersion(stored, expectedVersion)
    const terms = patched(stored, changes)
    if (isSame(stored, terms)) return unchanged(stored)
    assertChanges(catalogue.products.get(product), holding.tenant, stored, terms, changes)
    return await settle(tx, catalogue, holding, product, terms)
  })
}

/**
 * Takes a product away from a tenant.
 * @throws {RegistryError} `tenant.not_found`, `tenant.frozen`, `tenant.archived`, `tenant_product.not_found`,
 *   `resource.version_stale`, `product.required_by_other`
 */
export async function removeTenantProduct(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  tenantId: TenantId,
  product: string,
  expectedVersion?: number,
): Promise<void> {
  await audited(db, actor, async (tx) => {
    const { tenant, held, stored } = await lockHolding(tx, actor, tenantId, product)
    if (!stored) throw new RegistryError('tenant_product.not_found')
    assertVersion(stored, expectedVersion)
    assertRequirements(catalogue, held, product, false)
    await tenantProducts.deleteTenantProduct(tx, tenantId, product)
    return changed(undefined, changeOf(catalogue, tenant, product, stored, undefined))
  })
}

/** @throws {RegistryError} `tenant.not_found`, `tenant_product.not_found` */
export async function getTenantProduct(
  db: Reader,
  sight: Sight,
  tenantId: TenantId,
  product: string,
): Promise<TenantProduct> {
  await getSeen(db, sight, tenantId)
  const hidden = sight.kind === 'product' && sight.product !== product
  const found = hidden ? undefined : await tenantProducts.findTenantProduct(db, tenantId, product)
  if (!found) throw new RegistryError('tenant_product.not_found')
  return found
}

/**
 * The products of a tenant, all on one page: there are no more than products. A product sees itself alone.
 * @throws {RegistryError} `tenant.not_found`
 */
export async function listTenantProducts(db: Reader, sight: Sight, tenantId: TenantId): Promise<Page<TenantProduct>> {
  await getSeen(db, sight, tenantId)
  const all = await tenantProducts.listTenantProducts(db, tenantId)
  const data = sight.kind === 'product' ? all.filter((each) => each.product === sight.product) : all
  return { data, has_more: false, next_cursor: null }
}
