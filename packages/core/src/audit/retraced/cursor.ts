import { RegistryError } from '../../errors.ts'
import { bareId, idOfBare } from './bare-id.ts'

/** A place in the log: when it happened, and the event that did. */
export interface Place {
  readonly at: Date
  /** The event's id, as a UUID. */
  readonly id: string
}

/** How far somebody walked through the log to come to a place. */
export interface Walk {
  readonly order: 'asc' | 'desc'
  /** How many events they saw, the one of the place among them. */
  readonly seen: number
}

const walked = /^(-?\d{1,16}),([0-9a-f]{32})(?:,([+-])(\d{1,10}))?$/
const withTotal = /^(-?\d{1,16}),([0-9a-f]{32}),(\d{1,10})$/

/**
 * A cursor of `search`: Base64 of `<milliseconds>,<id>`, and of how many events were seen on the way, where that is known:
 * `,-20` newest first, `,+20` oldest first. It is no secret, and opens nothing.
 */
export function encodePlace({ at, id }: Place, walk?: Walk): string {
  const way = walk && walk.seen <= intMax ? `,${walk.order === 'desc' ? '-' : '+'}${walk.seen}` : ''
  return base64(`${at.getTime()},${bareId(id)}${way}`)
}

/** A cursor of `searchPaginated`: the same with the number of events that there were. */
export const encodeStart = ({ at, id }: Place, total: number): string =>
  base64(`${at.getTime()},${bareId(id)},${total}`)

/** @throws {RegistryError} `page.cursor_invalid` */
export function decodePlace(cursor: string): Place & { readonly walk?: Walk } {
  const [, ms, id, sign, count] = walked.exec(textOf(cursor)) ?? []
  const seen = Number(count)
  if (seen > intMax) throw invalid()
  return { ...placeOf(ms, id), ...(sign && { walk: { order: sign === '-' ? 'desc' : 'asc', seen } }) }
}

/** @throws {RegistryError} `page.cursor_invalid` */
export function decodeStart(cursor: string): Place & { readonly total: number } {
  const [, ms, id, total] = withTotal.exec(textOf(cursor)) ?? []
  const count = Number(total)
  if (count > intMax) throw invalid()
  return { ...placeOf(ms, id), total: count }
}

/** The greatest number that GraphQL's `Int` holds. */
export const intMax = 2 ** 31 - 1

function placeOf(ms: string | undefined, id: string | undefined): Place {
  const at = new Date(Number(ms))
  const event = idOfBare(id ?? '')
  if (ms === undefined || event === undefined || Number.isNaN(at.getTime())) throw invalid()
  return { at, id: event }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

function textOf(cursor: string): string {
  const text = cursor.length > 100 ? '' : Buffer.from(cursor, 'base64').toString('latin1')
  // Base64 has several spellings of the same bytes; only ours is taken.
  return base64(text) === cursor ? text : ''
}

const invalid = () =>
  new RegistryError('page.cursor_invalid', { detail: 'Use the cursor of an edge, as it was answered.' })
