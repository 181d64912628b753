import { z } from 'zod'
import { text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'

/** Why a tenant must be kept. */
export const NewLegalHold = z
  .strictObject({
    reason: text(500)
      .trim()
      .min(1)
      .meta({ description: 'Why it has to be kept.', examples: ['Lawsuit 4 O 117/26'] }),
  })
  .meta({ id: 'NewLegalHold', description: 'Why a tenant and its log have to be kept.' })
export type NewLegalHold = z.output<typeof NewLegalHold>

/** A hold on a tenant and its log: nothing is purged and no event expires until it is lifted. */
export const LegalHold = z
  .object({
    reason: z.string().meta({ description: 'Why it has to be kept.', examples: ['Lawsuit 4 O 117/26'] }),
    by: z.string().meta({ description: 'Who said so.', examples: ['jane@breakpilot.com'] }),
    at: Timestamp.meta({ description: 'Since when.' }),
  })
  .meta({ id: 'LegalHold', description: 'That a tenant and its log have to be kept.' })
export type LegalHold = z.output<typeof LegalHold>
