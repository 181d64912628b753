import { z } from 'zod'

/** The schema of a page of a list. */
export function pageOf<Row extends z.ZodType>(row: Row, id: string) {
  return z
    .object({
      data: z.array(row).meta({ description: 'What the page holds, in the order of the list.' }),
      has_more: z.boolean().meta({ description: 'Whether there is another page.' }),
      next_cursor: z
        .string()
        .nullable()
        .meta({ description: 'Hand this back as `cursor` for the next page; null on the last one.' }),
    })
    .meta({ id, description: 'One page of a list.' })
}
