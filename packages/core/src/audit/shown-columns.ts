import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely'
import type { Schema } from '../db/schema.ts'
import type { Sight } from '../sight.ts'
import { ownProduct } from './audit-event.ts'

/** The columns of the log that readers see. */
export const columns = [
  'id',
  'tenant_id',
  'product',
  'environment',
  'action',
  'crud',
  'canonical_at',
  'created_at',
  'received_at',
  'group_id',
  'group_name',
  'actor_id',
  'actor_name',
  'actor_href',
  'actor_fields',
  'target_id',
  'target_name',
  'target_href',
  'target_type',
  'target_fields',
  'source_ip',
  'description',
  'component',
  'version',
  'external_id',
  'is_anonymous',
  'is_failure',
  'fields',
  'metadata',
] as const

export type Column = (typeof columns)[number]

/** A row of the log, as far as readers see it. Its maps are JSON texts. */
export type EventRow = Selectable<Pick<Schema['audit_log'], Column>>

/** What a tenant's own people see of the registry's own events, in place of who did it and from where. */
const masks: Partial<Record<Column, string | null>> = {
  actor_id: 'platform',
  actor_name: null,
  actor_href: null,
  actor_fields: null,
  source_ip: null,
  metadata: null,
}

/** The registry's own product, in a statement. */
export const own = sql.lit(ownProduct)
const maskOf = (sight: Pick<Sight, 'kind'>, name: Column) => (sight.kind === 'platform' ? undefined : masks[name])

/** A column as this sight shows it. */
export const shown = (sight: Sight, name: Column): RawBuilder<unknown> => sql.raw(textOf(sight, name))

function textOf(sight: Pick<Sight, 'kind'>, name: Column): string {
  const mask = maskOf(sight, name)
  if (mask === undefined) return `"${name}"`
  return `case when product = '${ownProduct}' then ${mask === null ? 'null' : `'${mask}'`} else "${name}" end`
}

/** One text for whoever is masked alike: a list has no time to make it anew. */
const made = (write: (name: Column, shown: string) => string) => {
  const text = (sight: Pick<Sight, 'kind'>) =>
    sql.raw(columns.map((name) => `${write(name, textOf(sight, name))} as "${name}"`).join(', '))
  const [whole, masked] = [text({ kind: 'platform' }), text({ kind: 'tenants' })]
  return (sight: Sight): RawBuilder<unknown> => (sight.kind === 'platform' ? whole : masked)
}

/** All columns as this sight shows them. */
export const shownColumns = made((_, shown) => shown)

/** Whether a column shows this value: no filter finds what is not shown. Written so that the column's index is of use. */
export function shows(sight: Sight, name: Column, value: string): RawBuilder<SqlBool> {
  const mask = maskOf(sight, name)
  const column = sql.ref(name)
  if (mask === undefined) return sql`${column} = ${value}`
  return mask === value
    ? sql`(product = ${own} or ${column} = ${value})`
    : sql`(product <> ${own} and ${column} = ${value})`
}

/** What an event may have much of. */
const wide = [
  'group_name',
  'actor_name',
  'actor_href',
  'actor_fields',
  'target_name',
  'target_href',
  'target_type',
  'target_fields',
  'description',
  'component',
  'version',
  'fields',
  'metadata',
] as const satisfies readonly Column[]

const sumOf = (bytes: (column: RawBuilder<unknown>) => RawBuilder<number>) =>
  sql<number>`(1000 + ${sql.join(
    wide.map((name) => sql`coalesce(${bytes(sql.ref(name))}, 0)`),
    sql` + `,
  )})`

/** How many bytes a row has, roughly: one may have hundreds of times as many as most. */
export const eventBytes = sumOf((column) => sql`octet_length(${column}::text)`)

/** The same as they are stored: what is packed need not be unpacked for it. */
export const storedBytes = sumOf((column) => sql`pg_column_size(${column})`)

/** Bytes that the events of an answer have at most, but for its last one: answers are held in memory as a whole. */
const answerBytesMax = 8_000_000

/**
 * All columns as this sight shows them, of rows with `bytes_before`: what an answer has no room for any more is `is_cut`,
 * and has only its place.
 */
export const shownWithRoom: (sight: Sight) => RawBuilder<unknown> = (() => {
  const large: ReadonlySet<string> = new Set(wide)
  const isCut = `coalesce(bytes_before, 0) >= ${answerBytesMax}`
  const columnsOf = made((name, shown) => (large.has(name) ? `case when ${isCut} then null else ${shown} end` : shown))
  return (sight) => sql`${columnsOf(sight)}, ${sql.raw(isCut)} as is_cut`
})()

/** Leaves of rows that were put together from two answers as much as one answer has room for. */
export function withinRoom<Row extends EventRow & { readonly is_cut: boolean }>(rows: readonly Row[]): Row[] {
  let bytes = 0
  return rows.map((row) => {
    const isCut = row.is_cut || bytes >= answerBytesMax
    bytes += 1_000 + wide.reduce((sum, name) => sum + Buffer.byteLength(row[name]?.toString() ?? ''), 0)
    return isCut ? { ...row, ...nothingWide, is_cut: true } : row
  })
}

const nothingWide = Object.fromEntries(wide.map((name) => [name, null]))
