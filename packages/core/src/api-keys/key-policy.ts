import { z } from 'zod'

const maxDays = z.int().min(1).max(3650)
const describe = {
  max_days: 'The most days that a key may live, from when it was made.',
  expiry_required: 'Whether a key has to have an end.',
} as const

/** What every key of a tenant has to keep to. */
export const KeyPolicy = z
  .strictObject({
    max_days: maxDays.optional().meta({ description: describe.max_days, examples: [90] }),
    expiry_required: z
      .boolean()
      .optional()
      .meta({ description: describe.expiry_required, examples: [true] }),
  })
  .meta({ id: 'KeyPolicy', description: 'What every API key of a tenant has to keep to.' })
export type KeyPolicy = z.output<typeof KeyPolicy>

/** What of it changes. */
export const KeyPolicyChanges = z
  .strictObject({
    max_days: maxDays.nullish().meta({ description: describe.max_days, examples: [90] }),
    expiry_required: z
      .boolean()
      .nullish()
      .meta({ description: describe.expiry_required, examples: [true] }),
  })
  .meta({ id: 'KeyPolicyChanges', description: 'What changes of what every API key of a tenant has to keep to.' })
