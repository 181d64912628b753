import { z } from 'zod'
import { isoTime } from './iso-time.ts'

const error = 'must be a time as in RFC 3339, with its offset and in the years 0001 to 9999: 2026-03-01T12:00:00Z'

const spelling = z.iso.datetime({ offset: true })

/** The years that RFC 3339 can write, in milliseconds. An offset may carry a time of the first or last day beyond them. */
const range = { first: Date.parse('0001-01-01T00:00:00.000Z'), last: Date.parse('9999-12-31T23:59:59.999Z') }

const refuse = (input: string, { issues }: z.core.ParsePayload) => {
  issues.push({ code: 'invalid_format', format: 'datetime', origin: 'string', input, message: error })
  return z.NEVER
}

/**
 * An instant: a `Date` inside; on the wire RFC 3339 in UTC with milliseconds. Other offsets are understood. Both sides
 * are schemas without checks, which are made here: zod runs those of an answer twice, and every answer is full of times.
 */
export const Timestamp = z.codec(
  z.string({ error }).meta({ format: 'date-time', examples: ['2026-03-01T12:00:00.000Z'] }),
  z.date(),
  {
    decode: (value, payload) => {
      const time = spelling.safeParse(value).success ? Date.parse(value) : NaN
      return time >= range.first && time <= range.last ? new Date(time) : refuse(value, payload)
    },
    encode: (date, payload) => {
      const time = date.getTime()
      return time >= range.first && time <= range.last ? isoTime(date) : refuse(String(date), payload)
    },
  },
)
