import { type GoodEvent, type ReadEvent, readEvent } from './event.ts'
import { type EventViolation, type InvalidEvent, WireError } from './wire-error.ts'

/** How many events one request may bring. */
const bulkMax = 50

/**
 * Reads the body of `event`.
 * @throws {WireError} 400 with everything that is wrong
 */
export function readSingle(body: unknown): GoodEvent {
  const read = readEvent(body)
  if (read.event) return read
  const message = messagesOf(read.violations)
  throw new WireError(400, message, { invalid: [{ message, index: 0, violations: read.violations }] })
}

/**
 * Reads the body of `event/bulk`: all of them are good, or none is recorded.
 * @throws {WireError} 400 with everything that is wrong with each of them
 */
export function readBulk(body: unknown): readonly GoodEvent[] {
  const events: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'events') : undefined
  if (!Array.isArray(events)) throw new WireError(400, "Missing required field 'events': a list of events")
  const others = Object.keys(body as object).filter((name) => name !== 'events')
  if (others.length > 0) throw new WireError(400, `"${(others[0] ?? '').slice(0, 100)}" is not allowed`)
  if (events.length > bulkMax) {
    throw new WireError(400, `At most ${bulkMax} events can be sent at once, and these are ${events.length}`)
  }
  const read = events.map(readEvent)
  const invalid = read.flatMap(invalidAt)
  if (invalid.length > 0) {
    const text = invalid.map(({ message }) => message).join('; ')
    const count = `${invalid.length} of ${events.length} events ${invalid.length === 1 ? 'is' : 'are'} not valid`
    throw new WireError(400, `${count}, and nothing was logged: ${text}`, { invalid })
  }
  return read.flatMap((each) => (each.event ? [each] : []))
}

function invalidAt({ violations }: ReadEvent, index: number): InvalidEvent[] {
  if (!violations) return []
  const messages = violations.map(({ field, message }) => `${pathOf(index, field)}: ${message}`)
  return [{ message: messages.join('; '), index, violations }]
}

const pathOf = (index: number, field: string) => (field === '' ? `[${index}]` : `[${index}].${field}`)

const messagesOf = (violations: readonly EventViolation[]) => violations.map(({ message }) => message).join('; ')
