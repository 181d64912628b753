import { createHash } from 'node:crypto'
import { z } from 'zod'
import { RegistryError } from './errors.ts'
import { text } from './text.ts'
import { Timestamp } from './timestamp.ts'

/** How many rows a page holds when nothing is asked for, and at most. */
export const pageLimit = { default: 50, max: 200 } as const

/** The query parameters that every list takes. Parameters are strings on the wire. */
export const PageQuery = z.object({
  limit: z
    .codec(
      z.string().regex(/^[1-9]\d{0,2}$/, { error: `must be a whole number from 1 to ${pageLimit.max}` }),
      z.int().min(1).max(pageLimit.max),
      {
        decode: Number,
        encode: String,
      },
    )
    .optional()
    .meta({
      description: `How many to answer: 1 to ${pageLimit.max}, ${pageLimit.default} unless told.`,
      examples: [20],
      // Every parameter is text on the wire; what the text says is a number.
      type: 'integer',
      pattern: undefined,
      minimum: 1,
      maximum: pageLimit.max,
    }),
  cursor: z
    .string()
    .max(4096)
    .optional()
    .meta({ description: 'The `next_cursor` of the page before, with the same filters.' }),
})

/** One page of a list, and where the next one starts. */
export interface Page<Row> {
  readonly data: Row[]
  readonly has_more: boolean
  readonly next_cursor: string | null
}

/** A place in a list: the value that the list is sorted by, and the id that tells equal ones apart. */
export interface Position {
  /** As text: a time in its form on the wire. */
  readonly key: string
  readonly id: string
}

/** The place of a row in a list that is sorted by when its rows were made. */
export const byCreation = ({ created_at, id }: { readonly created_at: Date; readonly id: string }): Position => ({
  key: created_at.toISOString(),
  id,
})

const Cursor = z.strictObject({ f: z.string(), k: text(2048), i: z.guid() })

/**
 * What a cursor belongs to: the list and its filters. A cursor of one list is refused by another, since its position
 * would silently skip rows there. It is not a signature: a position opens nothing.
 */
export function fingerprint(list: string, filter: Record<string, unknown>): string {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined)
  const canonical = JSON.stringify([list, entries.toSorted(([a], [b]) => (a < b ? -1 : 1))])
  return createHash('sha256').update(canonical).digest('base64url').slice(0, 11)
}

/** Where a page ended, in a form that callers hand back and do not look into. */
export function encodeCursor(list: string, filter: Record<string, unknown>, { key, id }: Position): string {
  const cursor: z.input<typeof Cursor> = { f: fingerprint(list, filter), k: key, i: id }
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/**
 * Reads a cursor back.
 * @param key what the list is sorted by, where not every text will do
 * @throws {RegistryError} `page.cursor_invalid` when it is not one of ours, or of another list or filter.
 */
export function decodeCursor(
  list: string,
  filter: Record<string, unknown>,
  cursor: string,
  key: z.ZodType = Timestamp,
): Position {
  const parsed = Cursor.safeParse(parseCursor(cursor))
  const position = parsed.success ? { key: parsed.data.k, id: parsed.data.i } : undefined
  // Base64 has several spellings of the same bytes; only ours is taken.
  if (!position || encodeCursor(list, filter, position) !== cursor || !key.safeParse(position.key).success) {
    throw new RegistryError('page.cursor_invalid', {
      detail: 'Use the next_cursor of a page of this very list, with the same filters.',
    })
  }
  return position
}

function parseCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

/**
 * Makes a page of what was read. Lists ask for one row more than the page holds: its presence is `has_more`.
 * @param positionOf the place of a row in this list
 */
export function toPage<Row>(
  rows: Row[],
  limit: number,
  list: string,
  filter: Record<string, unknown>,
  positionOf: (row: Row) => Position,
): Page<Row> {
  const data = rows.slice(0, limit)
  const last = data.at(-1)
  const has_more = rows.length > limit
  return { data, has_more, next_cursor: has_more && last ? encodeCursor(list, filter, positionOf(last)) : null }
}

/** All rows of a list, a page at a time behind the scenes. */
export async function* everyPage<Row>(
  page: (cursor: string | undefined) => Promise<{ readonly data: readonly Row[]; readonly next_cursor: string | null }>,
): AsyncGenerator<Row, void> {
  let cursor: string | undefined
  do {
    const { data, next_cursor } = await page(cursor)
    yield* data
    cursor = next_cursor ?? undefined
  } while (cursor !== undefined)
}

/** All rows of a list at once: of one that is known not to be long. */
export async function allRows<Row>(page: Parameters<typeof everyPage<Row>>[0]): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of everyPage(page)) rows.push(row)
  return rows
}
