/** What `make dev` starts with: the seed's one tenant. Running it again changes nothing. */
import {
  assignProduct,
  createDb,
  createTenant,
  loadCatalogue,
  NewTenant,
  RegistryError,
  scriptActor,
  TenantId,
} from '@breakpilot/tenant-core'
import { readConfig } from '../src/config.ts'

const config = readConfig(process.env)
const catalogue = await loadCatalogue(config.manifestFolder)
const db = createDb({ ...config.database, poolSize: 1 })
const actor = scriptActor('dev-seed')
const id = TenantId.parse('00000000-0000-0000-0000-000000000001')

try {
  const acme = NewTenant.parse({ id, slug: 'acme', name: 'Acme Inc.', status: 'active', plan: 'professional' })
  await createTenant(db, actor, catalogue, acme).catch((error: unknown) => {
    if (!(error instanceof RegistryError && error.kind === 'conflict')) throw error
  })
  for (const product of ['certifai', 'compliance']) await assignProduct(db, actor, catalogue, id, product)
} finally {
  await db.destroy()
}
