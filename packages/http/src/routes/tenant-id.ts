import { TenantId } from '@breakpilot/tenant-core'
import { z } from 'zod'

/** The parameter of every path below a tenant. */
export const tenantParams = z.object({ tenant_id: TenantId.meta({ description: 'The id of the tenant.' }) })
