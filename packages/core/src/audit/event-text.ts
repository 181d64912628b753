import papa from 'papaparse'
import { isoTime } from '../iso-time.ts'
import { decodeEventMap, encodeEventMap } from './event-map.ts'
import type { EventRow } from './recorded-event.repository.ts'
import { RecordedEvent } from './recorded-event.ts'
import { type Column, columns } from './shown-columns.ts'

/** An event on its way out, and how to go on after it. */
export interface ExportedRow {
  readonly row: EventRow
  readonly cursor: string
}

/** The columns whose texts are JSON already, in the order in which their entries were sent. */
const maps: ReadonlySet<string> = new Set(['actor_fields', 'target_fields', 'fields', 'metadata'] satisfies Column[])

/** Writes a part of an event: what stands before its value, the same with nothing behind it, and the column of it. */
interface Piece {
  readonly before: string
  readonly empty: string
  readonly column: Column
  readonly isMap: boolean
}

/**
 * What an event looks like as a line, made once of its schema. Making an object of every row, to have it encoded and
 * written, takes several times as long, and puts the entries of maps into another order than they were sent in.
 */
const pieces: readonly Piece[] = (() => {
  const made: Piece[] = []
  let before = '{'
  const add = (name: string, column: string) => {
    const named = `${before}${JSON.stringify(name)}:`
    made.push({ before: named, empty: `${named}null`, column: column as Column, isMap: maps.has(column) })
    before = ','
  }
  for (const [name, schema] of Object.entries(RecordedEvent.shape)) {
    if (!('shape' in schema)) add(name, name)
    else {
      before = `${before}${JSON.stringify(name)}:{`
      for (const part of Object.keys(schema.shape)) add(part, `${name}_${part}`)
      before = '},'
    }
  }
  return made
})()

/** Events as JSON, one in a line, with the same names and values as in the list of events. */
export function toNdjson(rows: readonly ExportedRow[]): string {
  return rows.map(({ row, cursor }) => `${toJson(row, `"cursor":"${cursor}"`)}\n`).join('')
}

/**
 * An event as JSON, as `RecordedEvent` describes it.
 * @param more members that it has beside, as they stand in JSON
 */
export function toJson(row: EventRow, more = ''): string {
  let json = ''
  for (const { before, empty, column, isMap } of pieces) {
    const value: unknown = row[column]
    if (value === null || value === undefined) json += empty
    else json += before + (isMap && typeof value === 'string' ? value : spell(value))
  }
  return more === '' ? `${json}}` : `${json},${more}}`
}

/** JSON of what a column holds. */
function spell(value: unknown): string {
  return value instanceof Date ? `"${isoTime(value)}"` : JSON.stringify(value)
}

/** The columns of the CSV, in their order: later ones come before the cursor, which is the last. */
export const csvColumns = [...columns, 'cursor'] as const

/**
 * Events as lines of CSV (RFC 4180). What a spreadsheet would take for a formula begins with a quote, since much of an
 * event was written by whoever wanted to.
 */
export function toCsv(rows: readonly ExportedRow[]): string {
  return csvOf(rows.map(({ row, cursor }) => [...columns.map((name) => cellOf(row[name])), cursor]))
}

export const csvHead = () => csvOf([[...csvColumns]])

/** What spreadsheets begin a formula with, also in its full-width forms. */
const formula = /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/

const csvOf = (records: (string | null)[][]): string =>
  records.length === 0 ? '' : `${papa.unparse(records, { newline: '\r\n', escapeFormulae: formula })}\r\n`

function cellOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return isoTime(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A row whose map `fields` has only the entries that are shown. */
export function withFields<Row extends EventRow>(row: Row, shows: (name: string) => boolean): Row {
  if (typeof row.fields !== 'string') return row
  return { ...row, fields: encodeEventMap(decodeEventMap(row.fields).filter(([name]) => shows(name))) }
}
