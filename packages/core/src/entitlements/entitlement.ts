import { z } from 'zod'
import { ProjectId, TenantId } from '../id.ts'
import { StoredConfig } from '../products/config.ts'
import { tenantStatuses } from '../tenants/status.ts'
import { openEnum, text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'

/** How much of a product may be used, from the most to the least. */
export const accessLevels = ['full', 'read_only', 'none'] as const
export type Access = (typeof accessLevels)[number]

/** Why: the closed list that products show their users something for. */
export const entitlementReasons = [
  'granted',
  'not_assigned',
  'disabled',
  'not_yet_valid',
  'expired',
  'trial_ended',
  'contract_ended',
  'tenant_frozen',
  'tenant_archived',
  'project_archived',
  'product_retired',
] as const
export type EntitlementReason = (typeof entitlementReasons)[number]

/** Where the value of a limit comes from. */
const limitSources = ['default', 'plan', 'tenant'] as const

const describe = {
  tenant_id: 'The id of the tenant.',
  project_id: 'The project that was asked about; null when it was the tenant as a whole.',
  product: 'The key of the product.',
  valid_until:
    'The next moment at which this can change by time alone: it need not be asked for again before, unless something was changed. Null when that is never.',
} as const

/** A limit of a product, and whose word it is. */
const EntitlementLimit = z
  .object({
    value: z.int().meta({ description: 'How much.', examples: [25] }),
    source: openEnum(limitSources).meta({
      description: 'Who says so: the product for everybody, the plan, or the agreement with this tenant.',
    }),
  })
  .meta({ id: 'EntitlementLimit', description: 'How much of something a tenant may have, and who says so.' })

/** What a tenant may do with one product. */
export const Entitlement = z
  .object({
    product: z.string().meta({ description: describe.product, examples: ['certifai'] }),
    access: openEnum(accessLevels).meta({
      description: 'How much of the product may be used. Treat a value that you do not know as `none`.',
    }),
    reason: openEnum(entitlementReasons).meta({
      description: 'Why: `granted`, or what is in the way. The widest obstacle, when there are several alike.',
    }),
    config: StoredConfig.meta({
      description:
        "The configuration: the product's defaults, then the plan's, then the tenant's own. Empty without access.",
      examples: [{ region: 'eu' }],
    }),
    limits: z.record(z.string(), EntitlementLimit).meta({
      description: 'The limits by name. Empty without access.',
      examples: [{ projects: { value: 25, source: 'plan' } }],
    }),
    features: z
      .array(z.string())
      .meta({ description: 'The features that are on. Empty without access.', examples: [['reports', 'api']] }),
    valid_until: Timestamp.nullable().meta({ description: describe.valid_until }),
    version: z.int().meta({
      description: 'The version of the assignment of the product to the tenant; 0 when there is none.',
      examples: [3],
    }),
  })
  .meta({ id: 'Entitlement', description: 'What a tenant may do with one product.' })
export type Entitlement = z.output<typeof Entitlement>

/** What a tenant may use. */
export const Entitlements = z
  .object({
    tenant_id: TenantId.meta({ description: describe.tenant_id }),
    project_id: ProjectId.nullable().meta({ description: describe.project_id, examples: [null] }),
    status: openEnum(tenantStatuses).meta({
      description: 'The state that the tenant is in at that moment: a trial whose time is over is `frozen`.',
    }),
    trial_days_left: z
      .int()
      .nullable()
      .meta({
        description:
          'The days that are left of the trial, the one that has begun counted whole; null when there is no end.',
        examples: [14],
      }),
    valid_until: Timestamp.nullable().meta({ description: describe.valid_until }),
    data: z
      .array(Entitlement)
      .meta({ description: 'One entry for each product that the tenant has, in alphabetical order.' }),
  })
  .meta({ id: 'Entitlements', description: 'What a tenant may use.' })
export type Entitlements = z.output<typeof Entitlements>

/** What is asked about a tenant. */
export const EntitlementQuery = z.object({
  project_id: ProjectId.optional().meta({
    description: 'Ask for this project of the tenant: in an archived one nothing can be used.',
  }),
  product: text(100)
    .min(1)
    .optional()
    .meta({
      description: 'Answer for this product alone, also when the tenant does not have it.',
      examples: ['certifai'],
    }),
  at: Timestamp.optional().meta({
    description: 'Judge what is known today as of this moment, instead of now. It is not history.',
  }),
})
export type EntitlementQuery = z.output<typeof EntitlementQuery>
