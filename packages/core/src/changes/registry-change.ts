import { z } from 'zod'
import { TenantId } from '../id.ts'
import { openEnum } from '../text.ts'
import { Timestamp } from '../timestamp.ts'

/** What a change can be of. */
const changeKinds = ['tenant', 'tenant_product', 'tenant_project', 'api_key'] as const

/** How many changes one answer holds when nothing is asked for, and at most. */
export const changesLimit = { default: 100, max: 1_000 } as const

/** For how long an answer may be waited for. */
const waitSecondsMax = 25

const n = z.int().min(0)

/** That something changed: what it is now is to be asked for. */
export const RegistryChange = z
  .object({
    n: n.meta({ description: 'The number of the change. Numbers have no gaps and are in the order of the commits.' }),
    at: Timestamp.meta({ description: 'When it was committed.' }),
    kind: openEnum(changeKinds).meta({ description: 'What changed: it was made, altered or deleted.' }),
    tenant_id: TenantId.meta({ description: 'The tenant that it belongs to.' }),
    ref_id: z.string().meta({
      description: 'The id of what changed; of a `tenant_product` the key of the product.',
      examples: ['00000000-0000-0000-0000-000000000001'],
    }),
  })
  .meta({ id: 'RegistryChange', description: 'That something changed, and when. Ask for the thing to see what it is.' })
export type RegistryChange = z.output<typeof RegistryChange>

/** A part of the feed. */
export const ChangePage = z
  .object({
    data: z
      .array(RegistryChange)
      .meta({ description: 'What changed after `after`, as far as you see it, oldest first.' }),
    has_more: z.boolean().meta({ description: 'Whether more has happened already. `data` may be empty all the same.' }),
    next_after: n.meta({ description: 'Hand this back as `after` to go on.', examples: [4711] }),
    head: n.meta({ description: 'The number of the latest change of all.', examples: [4711] }),
  })
  .meta({ id: 'ChangePage', description: 'A part of the feed of changes.' })
export type ChangePage = z.output<typeof ChangePage>

/** The query of the feed. Parameters are strings on the wire. */
export const ChangeQuery = z.object({
  after: number(0, Number.MAX_SAFE_INTEGER, {
    description:
      'The `next_after` of the answer before. Without it the feed begins with the oldest change that is kept.',
    examples: [4711],
  }),
  limit: number(1, changesLimit.max, {
    description: `How many to answer: 1 to ${changesLimit.max}, ${changesLimit.default} unless told.`,
    examples: [100],
  }),
  wait: number(0, waitSecondsMax, {
    description: `How many seconds to wait when there is nothing yet: 0 to ${waitSecondsMax}, 0 unless told.`,
    examples: [25],
  }),
})
export type ChangeQuery = z.output<typeof ChangeQuery>

function number(min: number, max: number, about: { readonly description: string; readonly examples: number[] }) {
  const wire = z.string().regex(/^(?:0|[1-9]\d{0,15})$/, { error: `must be a whole number from ${min} to ${max}` })
  return (
    z
      .codec(wire, z.int().min(min).max(max), { decode: Number, encode: String })
      .optional()
      // Every parameter is text on the wire; what the text says is a number.
      .meta({ ...about, type: 'integer', pattern: undefined, minimum: min, maximum: max })
  )
}
