import { z } from 'zod'

const wire = z.iso
  .datetime({ offset: true })
  .meta({ format: 'date-time', pattern: undefined, examples: ['2026-03-01T12:00:00.000Z'] })

/** An instant: a `Date` inside; on the wire RFC 3339 in UTC with milliseconds. Other offsets are understood. */
export const Timestamp = z.codec(wire, z.date(), {
  decode: (value) => new Date(value),
  encode: (date) => date.toISOString(),
})
