import { z } from 'zod'
import { TenantId } from '../id.ts'
import { PageQuery } from '../page.ts'
import { foreignId, name, openEnum, text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { Slug } from './slug.ts'

/** What a tenant is in: the enum `tenant_status`. */
export const tenantStatuses = ['demo', 'trial', 'active', 'frozen', 'archived'] as const

/** A customer, or a demonstration that never becomes one: the enum `tenant_kind`. */
export const tenantKinds = ['customer', 'demo'] as const

const describe = {
  id: 'The id of the tenant. It never changes.',
  slug: 'The name of the tenant in host names and paths.',
  name: 'The name of the tenant, for people.',
  status: 'Where the tenant is in its life.',
  kind: 'Whether this is a customer or a demonstration.',
  plan: 'The plan that was bought, one that a product manifest knows.',
  erp_id: 'The id of the customer in the ERP system. No two tenants share one.',
  stripe_id: 'The id of the customer at Stripe. No two tenants share one.',
  trial_ends_at: 'When the trial is over. It is over at that very instant.',
  contract_starts_at: 'When the contract begins.',
  contract_ends_at: 'When the contract ends.',
  sales_owner: 'Who looks after this customer.',
  products: 'The keys of the products that the tenant has, in alphabetical order.',
  created_at: 'When the tenant was created.',
  updated_at: 'When anything of the tenant last changed.',
} as const

/** A customer organization of the platform. */
export const Tenant = z
  .object({
    id: TenantId.meta({ description: describe.id }),
    slug: z
      .string()
      .brand<'Slug'>()
      .meta({ description: describe.slug, examples: ['acme'] }),
    name: z.string().meta({ description: describe.name, examples: ['Acme Inc.'] }),
    status: openEnum(tenantStatuses).meta({ description: describe.status }),
    kind: openEnum(tenantKinds).meta({ description: describe.kind }),
    plan: z
      .string()
      .nullable()
      .meta({ description: describe.plan, examples: ['professional'] }),
    erp_id: z
      .string()
      .nullable()
      .meta({ description: describe.erp_id, examples: ['C-10042'] }),
    stripe_id: z
      .string()
      .nullable()
      .meta({ description: describe.stripe_id, examples: ['cus_NffrFeUfNV2Hib'] }),
    trial_ends_at: Timestamp.nullable().meta({ description: describe.trial_ends_at }),
    contract_starts_at: Timestamp.nullable().meta({ description: describe.contract_starts_at }),
    contract_ends_at: Timestamp.nullable().meta({ description: describe.contract_ends_at }),
    sales_owner: z
      .string()
      .nullable()
      .meta({ description: describe.sales_owner, examples: ['jane@breakpilot.com'] }),
    products: z.array(z.string()).meta({ description: describe.products, examples: [['certifai', 'compliance']] }),
    created_at: Timestamp.meta({ description: describe.created_at }),
    updated_at: Timestamp.meta({ description: describe.updated_at }),
  })
  .meta({ id: 'Tenant', description: 'A customer organization of the platform.' })
export type Tenant = z.output<typeof Tenant>

/** Another system's id of a tenant, as it comes in. */
export const ErpId = foreignId(200)
export const StripeId = foreignId(200)

const NewTenantFields = z.strictObject({
  id: TenantId.optional().meta({ description: `${describe.id} Made for you unless you choose one.` }),
  slug: Slug.meta({ description: describe.slug }),
  name: name(200).meta({ description: describe.name, examples: ['Acme Inc.'] }),
  status: z
    .enum(['demo', 'trial', 'active'])
    .optional()
    .meta({
      description: `${describe.status} \`trial\` unless you choose; \`active\` needs a plan.`,
      examples: ['trial'],
    }),
  kind: z
    .enum(tenantKinds)
    .optional()
    .meta({ description: `${describe.kind} It follows from the status unless you choose.`, examples: ['customer'] }),
  plan: text(100)
    .min(1)
    .nullish()
    .meta({ description: describe.plan, examples: ['professional'] }),
  erp_id: ErpId.nullish().meta({ description: describe.erp_id, examples: ['C-10042'] }),
  stripe_id: StripeId.nullish().meta({ description: describe.stripe_id, examples: ['cus_NffrFeUfNV2Hib'] }),
  trial_ends_at: Timestamp.nullish().meta({ description: describe.trial_ends_at }),
  contract_starts_at: Timestamp.nullish().meta({ description: describe.contract_starts_at }),
  contract_ends_at: Timestamp.nullish().meta({ description: describe.contract_ends_at }),
  sales_owner: name(200)
    .nullish()
    .meta({ description: describe.sales_owner, examples: ['jane@breakpilot.com'] }),
})

/** What it takes to create a tenant. */
export const NewTenant = NewTenantFields.refine(({ status, kind }) => status !== 'demo' || kind !== 'customer', {
  path: ['kind'],
  error: 'a customer cannot be a demo',
})
  .refine(({ contract_starts_at: from, contract_ends_at: until }) => !from || !until || from <= until, {
    path: ['contract_ends_at'],
    error: 'must not be before contract_starts_at',
  })
  .brand<'NewTenant'>()
  .meta({ id: 'NewTenant', description: 'What it takes to create a tenant: a slug and a name, the rest if you like.' })
export type NewTenant = z.output<typeof NewTenant>

/** Which tenants a list shows: those that match all of it. */
export const TenantQuery = PageQuery.extend({
  status: z
    .enum(tenantStatuses)
    .optional()
    .meta({ description: 'Only tenants with this status.', examples: ['active'] }),
  kind: z
    .enum(tenantKinds)
    .optional()
    .meta({ description: 'Only tenants of this kind.', examples: ['customer'] }),
  plan: text(100)
    .optional()
    .meta({ description: 'Only tenants with this plan.', examples: ['professional'] }),
})
export type TenantQuery = z.output<typeof TenantQuery>
