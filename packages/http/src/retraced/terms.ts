import { publishBounds } from '@breakpilot/tenant-core'
import { WireError } from './wire-error.ts'

/**
 * A text that can be an id or an action of an event.
 * @throws {WireError} 400 naming the field
 */
export function termOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new WireError(400, `Missing required field '${name}'`)
  return textOf(name, value, publishBounds.termBytes)
}

/** The same where it may be absent, or empty. */
export function optionalTermOf(name: string, value: unknown): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : termOf(name, value)
}

/** @throws {WireError} 400 naming the field */
function textOf(name: string, value: string, bytesMax: number): string {
  if (Buffer.byteLength(value) > bytesMax) throw new WireError(400, `'${name}' has at most ${bytesMax} bytes`)
  if (value.includes('\0') || !value.isWellFormed()) {
    throw new WireError(400, `'${name}' has characters that no text has`)
  }
  return value
}

/** How long a name may be that people give. */
const nameBytes = 1_000

/** @throws {WireError} 400 naming the field */
export function nameOf(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (text === '') throw new WireError(400, `Missing required field '${name}'`)
  // It stands in lists that other people read, on one line.
  if (/\p{Cc}/u.test(text)) throw new WireError(400, `'${name}' has control characters`)
  return textOf(name, text, nameBytes)
}

/** A member of a body that should be an object. */
export function memberOf(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new WireError(400, 'The body must be a JSON object')
  }
  return Object.hasOwn(body, name) ? Reflect.get(body, name) : undefined
}
