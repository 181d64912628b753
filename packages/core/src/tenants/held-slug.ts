import { z } from 'zod'
import { text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'

/** Why a name that nobody has any more may be taken again. */
export const SlugRelease = z
  .strictObject({
    reason: text(500)
      .trim()
      .min(1)
      .meta({
        description: 'Why it may be taken again.',
        examples: ['The customer came back under another contract.'],
      }),
  })
  .meta({ id: 'SlugRelease', description: 'Why a name of before may be taken again.' })
export type SlugRelease = z.output<typeof SlugRelease>

/** A name that anybody may take. */
export const ReleasedSlug = z
  .object({
    slug: z.string().meta({ description: 'The name.', examples: ['acme'] }),
    released_at: Timestamp.meta({ description: 'Since when anybody may take it.' }),
  })
  .meta({ id: 'ReleasedSlug', description: 'A name that leads to no tenant any more and that anybody may take.' })
export type ReleasedSlug = z.output<typeof ReleasedSlug>
