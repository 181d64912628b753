import { z } from 'zod'

const wire = z.iso
  .datetime({ offset: true })
  .meta({ format: 'date-time', pattern: undefined, examples: ['2026-03-01T12:00:00.000Z'] })

/** The years that RFC 3339 can write. An offset may carry a time of the first or last day beyond them. */
const range = { first: new Date('0001-01-01T00:00:00.000Z'), last: new Date('9999-12-31T23:59:59.999Z') }

/** An instant: a `Date` inside; on the wire RFC 3339 in UTC with milliseconds. Other offsets are understood. */
export const Timestamp = z.codec(wire, z.date().min(range.first).max(range.last), {
  decode: (value) => new Date(value),
  encode: (date) => date.toISOString(),
})
