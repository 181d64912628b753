import { z } from 'zod'
import { OwnApiKey } from '../api-keys/api-key.ts'
import { TenantProduct } from '../products/tenant-product.ts'
import { Project } from '../projects/project.ts'
import { Timestamp } from '../timestamp.ts'
import { LegalHold } from './legal-hold.ts'
import { Tenant, TenantSummary } from './tenant.ts'

const describe = {
  exported_at: 'When this was written.',
  tenant: 'The tenant.',
  former_slugs: 'The names that the tenant had before, oldest first.',
  products: 'The products that the tenant has, and on which terms.',
  projects: 'The projects of the tenant, newest first, also the archived ones.',
  api_keys: 'The API keys of the tenant, newest first, also the ended ones, without their secrets.',
} as const

const shape = {
  former_slugs: z.array(z.string()).meta({ description: describe.former_slugs, examples: [['acme-gmbh']] }),
  products: z.array(TenantProduct).meta({ description: describe.products }),
  projects: z.array(Project).meta({ description: describe.projects }),
  api_keys: z.array(OwnApiKey).meta({ description: describe.api_keys }),
}

/** All that the registry has of a tenant, without secrets. The events are in the audit log. */
export const TenantExport = z
  .object({
    exported_at: Timestamp.meta({ description: describe.exported_at }),
    tenant: Tenant.meta({ description: describe.tenant }),
    legal_hold: LegalHold.nullable().meta({ description: 'The legal hold on the tenant, if there is one.' }),
    ...shape,
  })
  .meta({ id: 'TenantExport', description: 'All that the registry has of a tenant, without secrets.' })
export type TenantExport = z.output<typeof TenantExport>

/** The same for the tenant's own people. */
export const TenantSummaryExport = z
  .object({
    exported_at: Timestamp.meta({ description: describe.exported_at }),
    tenant: TenantSummary.meta({ description: describe.tenant }),
    ...shape,
  })
  .meta({ id: 'TenantSummaryExport', description: "All that a tenant's own people see of it, without secrets." })
