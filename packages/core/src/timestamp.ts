import { z } from 'zod'

const error = 'must be a time as in RFC 3339, with its offset and in the years 0001 to 9999: 2026-03-01T12:00:00Z'

const wire = z.iso
  .datetime({ offset: true, error })
  .meta({ format: 'date-time', pattern: undefined, examples: ['2026-03-01T12:00:00.000Z'] })

/** The years that RFC 3339 can write. An offset may carry a time of the first or last day beyond them. */
const range = { first: new Date('0001-01-01T00:00:00.000Z'), last: new Date('9999-12-31T23:59:59.999Z') }

/** An instant: a `Date` inside; on the wire RFC 3339 in UTC with milliseconds. Other offsets are understood. */
export const Timestamp = z.codec(wire, z.date().min(range.first, { error }).max(range.last, { error }), {
  decode: (value) => new Date(value),
  encode: (date) => date.toISOString(),
})
