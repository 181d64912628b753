import { z } from 'zod'
import { text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { transitionReasons } from './lifecycle.ts'
import { tenantStatuses } from './status.ts'
import { Tenant } from './tenant.ts'

/** A step in the life of a tenant: where to, and why. */
export const Transition = z
  .strictObject({
    to: z.enum(tenantStatuses).meta({ description: 'The state to go to.', examples: ['frozen'] }),
    reason: z.enum(transitionReasons).meta({ description: 'Why.', examples: ['payment_overdue'] }),
    note: text(2000)
      .optional()
      .meta({
        description: "What the platform's people should know.",
        examples: ['Invoice 2026-117 is 60 days late.'],
      }),
    plan: text(100)
      .min(1)
      .optional()
      .meta({
        description: 'The plan that was bought: `active` needs one, here or before.',
        examples: ['professional'],
      }),
    trial_ends_at: Timestamp.nullish().meta({ description: 'When the trial will be over; only towards `trial`.' }),
  })
  .refine(({ to, trial_ends_at }) => to === 'trial' || trial_ends_at === undefined, {
    path: ['trial_ends_at'],
    error: 'only a trial has an end',
  })
  .brand<'Transition'>()
  .meta({ id: 'Transition', description: 'A step in the life of a tenant: where to, and why.' })
export type Transition = z.output<typeof Transition>

const accessBefore = 'What the tenant may do with the product as things are: `full`, `read_only` or `none`.'
const accessAfter = 'What it may do with it afterwards.'

/** What would follow from a transition that was not made. */
export const TransitionPreview = z
  .object({
    tenant: Tenant.meta({ description: 'The tenant as it would be.' }),
    products: z
      .array(
        z.object({
          product: z.string().meta({ description: 'The key of the product.', examples: ['certifai'] }),
          access_before: z.string().meta({ description: accessBefore, examples: ['full'] }),
          access_after: z.string().meta({ description: accessAfter, examples: ['read_only'] }),
          reason_after: z.string().meta({ description: 'Why.', examples: ['tenant_frozen'] }),
        }),
      )
      .meta({ description: "The tenant's products, in alphabetical order." }),
    projects: z
      .object({
        active_before: z.int().meta({ description: 'How many projects are active as things are.', examples: [3] }),
        active_after: z.int().meta({ description: 'How many would be.', examples: [0] }),
      })
      .meta({ description: 'What becomes of the projects.' }),
    api_keys: z
      .object({
        verifying_before: z.int().meta({ description: 'How many API keys are good as things are.', examples: [12] }),
        verifying_after: z.int().meta({ description: 'How many would be.', examples: [0] }),
      })
      .meta({ description: 'What becomes of the API keys.' }),
  })
  .meta({ id: 'TransitionPreview', description: 'What would follow from a transition. Nothing was changed.' })
export type TransitionPreview = z.output<typeof TransitionPreview>
