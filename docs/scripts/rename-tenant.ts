/**
 * Renames a tenant: `… rename-tenant.ts acme acme-group "Acme Group"`. The old slug goes on leading to the tenant.
 * Slug and name change together or not at all, and only if nobody changed the tenant since it was read.
 *
 * DATABASE_URL says where the registry is; PRODUCT_MANIFEST_DIR, where its product manifests are: the key of a product
 * is nobody's slug.
 */
import { createDb, createRegistry, loadCatalogue, RegistryError, scriptActor } from '@breakpilot/tenant-core'

const [from, to, name] = process.argv.slice(2)
if (from === undefined || to === undefined) {
  console.error('usage: rename-tenant.ts <slug> <new slug> [new name]')
  process.exit(2)
}

const db = createDb({ connectionString: process.env['DATABASE_URL'] ?? '', poolSize: 1 })
const catalogue = await loadCatalogue(process.env['PRODUCT_MANIFEST_DIR'] ?? 'apps/server/products')
const registry = createRegistry(db, scriptActor('rename-tenant'), { catalogue })

try {
  const tenant = await registry.tenants.getBySlug(from)
  const renamed = await registry.tenants.update(tenant.id, { slug: to, ...(name && { name }) }, tenant.version)
  console.log(`${tenant.id}: ${tenant.slug} is now ${renamed.slug}, ${renamed.name}`)
} catch (error) {
  if (!(error instanceof RegistryError)) throw error
  console.error(error.message)
  process.exitCode = 1
} finally {
  await db.destroy()
}
