/**
 * Freezes the tenants whose ERP ids come in, one in each line: `… freeze-late-payers.ts < erp-ids.txt`.
 * What is frozen or archived already stays as it is. With `--dry-run` it only says what would happen.
 *
 * DATABASE_URL says where the registry is; PRODUCT_MANIFEST_DIR, where its product manifests are.
 */
import { createInterface } from 'node:readline'
import { createDb, createRegistry, loadCatalogue, RegistryError, scriptActor } from '@breakpilot/tenant-core'

const dryRun = process.argv.includes('--dry-run')
const db = createDb({ connectionString: process.env['DATABASE_URL'] ?? '', poolSize: 1 })
const catalogue = await loadCatalogue(process.env['PRODUCT_MANIFEST_DIR'] ?? 'apps/server/products')
const registry = createRegistry(db, scriptActor('freeze-late-payers'), { catalogue })

/** Freezes one tenant, and says in a word what became of it. */
async function freeze(erpId: string): Promise<string> {
  const tenant = await registry.tenants.getByErpId(erpId)
  if (tenant.effective_status === 'archived') return 'archived'
  if (tenant.effective_status === 'frozen') return 'frozen already'
  const step = { to: 'frozen', reason: 'payment_overdue', note: 'from the list of late payers' } as const
  if (dryRun) {
    const { api_keys } = await registry.tenants.preview(tenant.id, step)
    return `would be frozen; ${api_keys.verifying_before} API keys would stop`
  }
  await registry.tenants.transition(tenant.id, step)
  return 'frozen'
}

try {
  for await (const line of createInterface({ input: process.stdin })) {
    const erpId = line.trim()
    if (erpId === '') continue
    // One that cannot be frozen must not keep the others from being.
    const outcome = await freeze(erpId).catch((error: unknown) => {
      if (!(error instanceof RegistryError) || error.kind === 'unavailable') throw error
      process.exitCode = 1
      return error.code
    })
    console.log(`${erpId}\t${outcome}`)
  }
} finally {
  await db.destroy()
}
