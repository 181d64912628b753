import { listApiKeys } from '../api-keys/api-key.service.ts'
import { ApiKeyQuery } from '../api-keys/api-key.ts'
import type { Db, Reader } from '../db/handles.ts'
import type { TenantId } from '../id.ts'
import { isObject } from '../merge-patch.ts'
import { allRows, pageLimit } from '../page.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { schemaOf, withoutSecrets } from '../products/config-secrets.ts'
import { listTenantProducts } from '../products/tenant-product.service.ts'
import type { TenantProduct } from '../products/tenant-product.ts'
import { listProjects } from '../projects/project.service.ts'
import { ProjectQuery } from '../projects/project.ts'
import type { Sight } from '../sight.ts'
import type { TenantExport } from './export.ts'
import { listFormerSlugs } from './held-slug.repository.ts'
import { findLegalHold } from './legal-hold.repository.ts'
import { getTenant } from './tenant.service.ts'

/**
 * All that the registry has of a tenant, as one document, without what is secret: also not what a product's schema
 * marks so, nor the configuration of a product whose schema is not known any more.
 * @throws {RegistryError} `tenant.not_found`
 */
export async function exportTenant(db: Db, sight: Sight, catalogue: Catalogue, id: TenantId): Promise<TenantExport> {
  const tenant = await getTenant(db, sight, id)
  const [former_slugs, { data: held }, projects, api_keys, hold] = await Promise.all([
    listFormerSlugs(db, id),
    listTenantProducts(db, sight, id),
    allProjects(db, sight, id),
    allApiKeys(db, sight, id),
    sight.kind === 'platform' ? findLegalHold(db, id) : undefined,
  ])
  const products = held.map((each) => withoutSecretConfig(catalogue, each))
  return { exported_at: new Date(), tenant, legal_hold: hold ?? null, former_slugs, products, projects, api_keys }
}

function withoutSecretConfig({ products }: Catalogue, terms: TenantProduct): TenantProduct {
  const config = withoutSecrets(terms.config, schemaOf(products.get(terms.product)))
  return { ...terms, config: isObject(config) ? config : {} }
}

async function allProjects(db: Reader, sight: Sight, id: TenantId) {
  const page = async (cursor: string | undefined) =>
    await listProjects(db, sight, id, ProjectQuery.parse({ ...largePage, cursor }))
  return await allRows(page)
}

async function allApiKeys(db: Reader, sight: Sight, id: TenantId) {
  const page = async (cursor: string | undefined) =>
    await listApiKeys(db, { sight }, id, ApiKeyQuery.parse({ ...largePage, cursor }))
  return await allRows(page)
}

const largePage = { limit: String(pageLimit.max) }
