import { Timestamp } from '../../timestamp.ts'

/** A day, or a day and a time; in UTC where it says no offset. */
const spelling = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d+)?)?(?: ?(Z|z|[+-]\d\d(?::?\d\d)?))?)?$/

/**
 * The instant that a text of ISO 8601 means, to the millisecond.
 * @returns undefined for what is none, or beyond the years 0001 to 9999
 */
export function instantOf(text: string): Date | undefined {
  const [, day, time = '00:00', seconds = ':00', offset = 'Z'] = spelling.exec(text) ?? []
  if (day === undefined) return undefined
  const exact = offset
    .toUpperCase()
    .replace(/^([+-]\d\d)(?::?(\d\d))?$/, (_, hours, minutes) => `${hours}:${minutes ?? '00'}`)
  const { success, data } = Timestamp.safeDecode(`${day}T${time}${seconds.replace(',', '.')}${exact}`)
  return success ? data : undefined
}
