import { z } from 'zod'
import { KeyPolicy, KeyPolicyChanges } from '../api-keys/key-policy.ts'
import { ChosenTenantId, TenantId } from '../id.ts'
import { PageQuery } from '../page.ts'
import { foreignId, name, openEnum, text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { transitionReasons } from './lifecycle.ts'
import { Slug } from './slug.ts'
import { tenantKinds, tenantStatuses } from './status.ts'

const describe = {
  id: 'The id of the tenant. It never changes.',
  slug: 'The name of the tenant in host names and paths.',
  name: 'The name of the tenant, for people.',
  status: 'Where the tenant is in its life, as it was last written down.',
  effective_status: 'Where the tenant is in its life now: an ended trial is `frozen` from that instant on.',
  status_reason: 'Why the tenant is in its effective state; null where nobody gave a reason.',
  status_note: 'What was noted when the state was changed.',
  status_changed_at: 'Since when the tenant is in its effective state.',
  status_changed_by: 'Who changed the state: an operator, or the job that ends trials.',
  frozen_from: 'What the tenant was frozen or archived out of.',
  allowed_transitions: 'The states that the tenant can go to from here.',
  deletion_protection: 'Whether the tenant cannot be purged, whatever else holds.',
  keys_valid_after: 'API keys that were not issued after this are dead for good.',
  key_policy: 'What every API key of the tenant has to keep to, judged when one is made, changed or rotated.',
  archived_at: 'When the tenant was archived.',
  purge_after: 'From when on the archived tenant can be purged.',
  purge_requested_at: 'When the purge of the tenant was asked for. What is left of it is on its way out.',
  metadata: 'Whatever you want to keep with the tenant: up to 50 names with a text each.',
  version: 'Grows with every change. `If-Match` compares it.',
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

/** What a tenant's own people and the products may see of it: nothing else of a tenant leaves to them. */
const summaryShape = {
  id: TenantId.meta({ description: describe.id }),
  slug: z
    .string()
    .brand<'Slug'>()
    .meta({ description: describe.slug, examples: ['acme'] }),
  name: z.string().meta({ description: describe.name, examples: ['Acme Inc.'] }),
  status: openEnum(tenantStatuses).meta({ description: describe.status }),
  effective_status: openEnum(tenantStatuses).meta({ description: describe.effective_status }),
  status_reason: openEnum(transitionReasons).nullable().meta({ description: describe.status_reason }),
  plan: z
    .string()
    .nullable()
    .meta({ description: describe.plan, examples: ['professional'] }),
  trial_ends_at: Timestamp.nullable().meta({ description: describe.trial_ends_at }),
  products: z.array(z.string()).meta({ description: describe.products, examples: [['certifai', 'compliance']] }),
  version: z.int().meta({ description: describe.version, examples: [7] }),
  created_at: Timestamp.meta({ description: describe.created_at }),
  updated_at: Timestamp.meta({ description: describe.updated_at }),
}

/** A tenant, as its own people and the products see it. */
export const TenantSummary = z.object(summaryShape).meta({
  id: 'TenantSummary',
  description: 'A customer organization of the platform, as its own people and the products see it.',
})
export type TenantSummary = z.output<typeof TenantSummary>

/** A customer organization of the platform. */
export const Tenant = z
  .object({
    id: summaryShape.id,
    slug: summaryShape.slug,
    name: summaryShape.name,
    status: summaryShape.status,
    effective_status: summaryShape.effective_status,
    kind: openEnum(tenantKinds).meta({ description: describe.kind }),
    plan: summaryShape.plan,
    erp_id: z
      .string()
      .nullable()
      .meta({ description: describe.erp_id, examples: ['C-10042'] }),
    stripe_id: z
      .string()
      .nullable()
      .meta({ description: describe.stripe_id, examples: ['cus_NffrFeUfNV2Hib'] }),
    trial_ends_at: summaryShape.trial_ends_at,
    contract_starts_at: Timestamp.nullable().meta({ description: describe.contract_starts_at }),
    contract_ends_at: Timestamp.nullable().meta({ description: describe.contract_ends_at }),
    sales_owner: z
      .string()
      .nullable()
      .meta({ description: describe.sales_owner, examples: ['jane@breakpilot.com'] }),
    products: summaryShape.products,
    allowed_transitions: z.array(openEnum(tenantStatuses)).meta({
      description: describe.allowed_transitions,
      examples: [['frozen']],
    }),
    status_reason: summaryShape.status_reason,
    status_note: z
      .string()
      .nullable()
      .meta({ description: describe.status_note, examples: ['Invoice 2026-117 is 60 days late.'] }),
    status_changed_at: Timestamp.meta({ description: describe.status_changed_at }),
    status_changed_by: z
      .string()
      .nullable()
      .meta({ description: describe.status_changed_by, examples: ['jane@breakpilot.com'] }),
    frozen_from: openEnum(tenantStatuses).nullable().meta({ description: describe.frozen_from }),
    deletion_protection: z.boolean().meta({ description: describe.deletion_protection, examples: [false] }),
    keys_valid_after: Timestamp.nullable().meta({ description: describe.keys_valid_after }),
    key_policy: KeyPolicy.meta({ description: describe.key_policy, examples: [{ max_days: 90 }] }),
    archived_at: Timestamp.nullable().meta({ description: describe.archived_at }),
    purge_after: Timestamp.nullable().meta({ description: describe.purge_after }),
    purge_requested_at: Timestamp.nullable().meta({ description: describe.purge_requested_at }),
    metadata: z
      .record(z.string(), z.string())
      .meta({ description: describe.metadata, examples: [{ segment: 'enterprise' }] }),
    version: summaryShape.version,
    created_at: summaryShape.created_at,
    updated_at: summaryShape.updated_at,
  })
  .meta({ id: 'Tenant', description: 'A customer organization of the platform.' })
export type Tenant = z.output<typeof Tenant>

/** Another system's id of a tenant, as it comes in. */
export const ErpId = foreignId(200)
export const StripeId = foreignId(200)

/** Why a reserved word may be a name after all: for those who may overrule the rules of names. */
const reservedSlugReason = text(500)
  .trim()
  .min(1)
  .optional()
  .meta({
    description: 'Why this tenant may have a reserved slug. Only a platform owner can give one.',
    examples: ['Our own demonstration tenant'],
  })

/** How many names the metadata of a tenant may have. */
export const metadataNamesMax = 50
const metadataName = text(100).min(1)
const metadataText = text(500)
const tooManyNames = { error: `must not have more than ${metadataNamesMax} names` }
const atMostSoMany = (metadata: object | undefined) => Object.keys(metadata ?? {}).length <= metadataNamesMax

const deletionProtection = z.boolean().meta({ description: describe.deletion_protection, examples: [true] })

const NewTenantFields = z.strictObject({
  id: ChosenTenantId.optional().meta({ description: `${describe.id} Made for you unless you choose one.` }),
  slug: Slug.meta({ description: describe.slug }),
  reserved_slug_reason: reservedSlugReason,
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
  deletion_protection: deletionProtection.optional(),
  key_policy: KeyPolicy.optional().meta({ description: describe.key_policy, examples: [{ max_days: 90 }] }),
  metadata: z
    .record(metadataName, metadataText)
    .refine(atMostSoMany, tooManyNames)
    .optional()
    .meta({ description: describe.metadata, examples: [{ segment: 'enterprise' }] }),
})

/** What holds between the fields of a new tenant. */
const newTenantRules: z.core.CheckFn<z.output<typeof NewTenantFields>> = ({ value, issues }) => {
  const { status, kind, contract_starts_at: from, contract_ends_at: until } = value
  const wrong = (path: string, message: string) => issues.push({ code: 'custom', path: [path], message, input: value })
  if (status === 'demo' && kind === 'customer') wrong('kind', 'a customer cannot be a demo')
  if (status !== undefined && status !== 'demo' && kind === 'demo') wrong('kind', 'a demonstration begins as a demo')
  if (from && until && from > until) wrong('contract_ends_at', 'must not be before contract_starts_at')
}

/** What it takes to create a tenant. */
export const NewTenant = NewTenantFields.check(newTenantRules)
  .brand<'NewTenant'>()
  .meta({ id: 'NewTenant', description: 'What it takes to create a tenant: a slug and a name, the rest if you like.' })
export type NewTenant = z.output<typeof NewTenant>

/** A line of an import: a tenant, and the products that it has from the beginning. */
export const ImportedTenant = NewTenantFields.extend({
  products: z
    .array(text(63))
    .max(50)
    .optional()
    .meta({ description: 'The keys of the products to assign to it.', examples: [['certifai']] }),
})
  .check(newTenantRules)
  .brand<'NewTenant'>()
  .meta({ id: 'ImportedTenant', description: 'A tenant to create, and the products that it has from the beginning.' })
export type ImportedTenant = z.output<typeof ImportedTenant>

/** What of a tenant can be changed by a patch. Its state has verbs of its own. */
export const TenantChanges = z
  .strictObject({
    slug: Slug.optional().meta({ description: `${describe.slug} The name of before stays the tenant's too.` }),
    reserved_slug_reason: reservedSlugReason,
    name: name(200)
      .optional()
      .meta({ description: describe.name, examples: ['Acme Inc.'] }),
    plan: NewTenantFields.shape.plan,
    erp_id: NewTenantFields.shape.erp_id,
    stripe_id: NewTenantFields.shape.stripe_id,
    trial_ends_at: NewTenantFields.shape.trial_ends_at,
    contract_starts_at: NewTenantFields.shape.contract_starts_at,
    contract_ends_at: NewTenantFields.shape.contract_ends_at,
    sales_owner: NewTenantFields.shape.sales_owner,
    deletion_protection: deletionProtection.optional(),
    key_policy: KeyPolicyChanges.nullish().meta({
      description: `${describe.key_policy} A rule with null goes, one that is absent stays; null clears all.`,
      examples: [{ max_days: 90, expiry_required: null }],
    }),
    metadata: z
      .record(metadataName, metadataText.nullable())
      .refine(atMostSoMany, tooManyNames)
      .nullish()
      .meta({
        description: `${describe.metadata} A name with null goes, one that is absent stays.`,
        examples: [{ segment: 'enterprise', old: null }],
      }),
  })
  .brand<'TenantChanges'>()
  .meta({
    id: 'TenantChanges',
    description: 'A merge patch (RFC 7396) of a tenant: null clears a field, an absent one stays.',
  })
export type TenantChanges = z.output<typeof TenantChanges>

/** What lists of tenants can be sorted by: a field, with `-` before it for descending. */
export const tenantSorts = ['created_at', '-created_at', 'name', '-name', 'slug', '-slug'] as const
export type TenantSort = (typeof tenantSorts)[number]

/** In the form of the names that it is compared with. */
const lookedFor = text(200).trim().normalize('NFC').min(1).max(200)

/** The same before and after it is written down that a trial is over. */
const endsOrEnded =
  ': those that run, and those that ended and froze the tenant, until it goes on to another state. `status` tells them apart.'

/** Which tenants a list shows: those that match all of it. */
export const TenantQuery = PageQuery.extend({
  status: z
    .enum(tenantStatuses)
    .optional()
    .meta({ description: 'Only tenants that are in this state now: an ended trial is frozen.', examples: ['active'] }),
  kind: z
    .enum(tenantKinds)
    .optional()
    .meta({ description: 'Only tenants of this kind.', examples: ['customer'] }),
  plan: text(100)
    .optional()
    .meta({ description: 'Only tenants with this plan.', examples: ['professional'] }),
  product: text(63)
    .optional()
    .meta({ description: 'Only tenants that have this product.', examples: ['certifai'] }),
  sales_owner: lookedFor
    .optional()
    .meta({ description: 'Only tenants that this person looks after.', examples: ['jane@breakpilot.com'] }),
  trial_ends_after: Timestamp.optional().meta({
    description: `Only trials that end at this instant or later${endsOrEnded}`,
  }),
  trial_ends_before: Timestamp.optional().meta({
    description: `Only trials that end before this instant${endsOrEnded}`,
  }),
  created_after: Timestamp.optional().meta({ description: 'Only tenants created at this instant or later.' }),
  created_before: Timestamp.optional().meta({ description: 'Only tenants created before this instant.' }),
  q: lookedFor.optional().meta({
    description:
      'Only tenants whose slug begins with this, or whose name has all of these words, the last one by its beginning.',
    examples: ['acm'],
  }),
  sort: z
    .enum(tenantSorts)
    .optional()
    .meta({
      description: 'What to sort by, with `-` for descending: `-created_at` unless told. Names without regard to case.',
      examples: ['name'],
    }),
})
export type TenantQuery = z.output<typeof TenantQuery>
