import { z } from 'zod'
import { TenantId } from '../id.ts'
import { text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { Config, StoredConfig } from './config.ts'
import { LimitName } from './manifest.ts'

const describe = {
  tenant_id: 'The id of the tenant.',
  product: 'The key of the product.',
  enabled: 'Whether the tenant may use the product. One that is not enabled keeps its configuration.',
  config: "The tenant's own configuration. It goes over that of the plan, which goes over the product's defaults.",
  limits: "The tenant's own limits by name. They go over those of the plan and of the product.",
  valid_from: 'From when on the tenant may use the product; null for since ever.',
  valid_until: 'Until when the tenant may use the product: no longer at that very instant. Null for no end.',
  source: 'Where the assignment comes from: `manual`, or the system that sold it.',
  version: 'Grows with every change. `If-Match` compares it.',
  created_at: 'When the tenant got the product.',
  updated_at: 'When anything of it last changed.',
} as const

const examples = { config: [{ region: 'us' }], limits: [{ projects: 10 }], source: ['stripe'] }

/** The key of a product in a path: any text, so that what no manifest knows is not found. */
export const ProductParam = text(100)
  .min(1)
  .meta({ description: describe.product, examples: ['certifai'] })

/** That a tenant has a product, and on which terms. */
export const TenantProduct = z
  .object({
    tenant_id: TenantId.meta({ description: describe.tenant_id }),
    product: z.string().meta({ description: describe.product, examples: ['certifai'] }),
    enabled: z.boolean().meta({ description: describe.enabled, examples: [true] }),
    config: StoredConfig.meta({ description: describe.config, examples: examples.config }),
    limits: z.record(z.string(), z.int()).meta({ description: describe.limits, examples: examples.limits }),
    valid_from: Timestamp.nullable().meta({ description: describe.valid_from }),
    valid_until: Timestamp.nullable().meta({ description: describe.valid_until }),
    source: z.string().meta({ description: describe.source, examples: examples.source }),
    version: z.int().meta({ description: describe.version, examples: [3] }),
    created_at: Timestamp.meta({ description: describe.created_at }),
    updated_at: Timestamp.meta({ description: describe.updated_at }),
  })
  .meta({ id: 'TenantProduct', description: 'That a tenant has a product, and on which terms.' })
export type TenantProduct = z.output<typeof TenantProduct>

const amount = z.int().min(0)
const source = text(100).trim().min(1)

/** The terms on which a tenant has a product: all of them. */
export const NewTenantProduct = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .meta({ description: `${describe.enabled} \`true\` unless told.`, examples: [true] }),
    config: Config.optional().meta({ description: describe.config, examples: examples.config }),
    limits: z.record(LimitName, amount).optional().meta({ description: describe.limits, examples: examples.limits }),
    valid_from: Timestamp.nullish().meta({ description: describe.valid_from }),
    valid_until: Timestamp.nullish().meta({ description: describe.valid_until }),
    source: source
      .optional()
      .meta({ description: `${describe.source} \`manual\` unless told.`, examples: examples.source }),
  })
  .brand<'NewTenantProduct'>()
  .meta({
    id: 'NewTenantProduct',
    description:
      'The terms on which a tenant has a product. They replace those of before: what is absent is not agreed.',
  })
export type NewTenantProduct = z.output<typeof NewTenantProduct>

/** What changes of the terms. */
export const TenantProductChanges = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .meta({ description: describe.enabled, examples: [false] }),
    config: Config.nullish().meta({
      description: `${describe.config} Merged into it; a name with null goes, and null clears all.`,
      examples: [{ region: 'us', model: null }],
    }),
    limits: z
      .record(LimitName, amount.nullable())
      .nullish()
      .meta({
        description: `${describe.limits} A name with null goes, one that is absent stays; null clears all.`,
        examples: [{ projects: 10, audit_retention_days: null }],
      }),
    valid_from: Timestamp.nullish().meta({ description: describe.valid_from }),
    valid_until: Timestamp.nullish().meta({ description: describe.valid_until }),
    source: source.optional().meta({ description: describe.source, examples: examples.source }),
  })
  .brand<'TenantProductChanges'>()
  .meta({
    id: 'TenantProductChanges',
    description: 'A merge patch (RFC 7396) of the terms: null clears, what is absent stays.',
  })
export type TenantProductChanges = z.output<typeof TenantProductChanges>
