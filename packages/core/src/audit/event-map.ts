import { z } from 'zod'

/**
 * A flat map of strings, entry by entry. Not an object, because objects reorder names that look like numbers, and
 * because `__proto__` has to be a name like any other: events keep their maps as they were sent.
 */
export type EventMap = readonly (readonly [name: string, value: string])[]

/** The JSON text of a map, in the order of its entries. This text is stored, and the chain hashes it. */
export function encodeEventMap(map: EventMap): string {
  return `{${map.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}

/** The names of objects whose own order is not the one that was sent. */
const sentNames = new WeakMap<object, readonly string[]>()

/**
 * Notes in which order the names of an object were sent, where the object itself cannot tell: JavaScript puts names
 * that look like numbers first. For who reads JSON that holds maps of events.
 */
export function noteSentOrder(object: object, names: readonly string[]): void {
  sentNames.set(object, names)
}

/** Whether an object keeps a name where it was put. */
export const keepsItsPlace = (name: string): boolean => !/^(?:0|[1-9]\d{0,9})$/.test(name)

/** A map of strings as it stands in JSON, in the order in which it was sent. */
export const EventMap = z.codec(
  z.unknown().meta({ type: 'object', additionalProperties: { type: 'string' } }) as z.ZodType<Record<string, string>>,
  z.custom<EventMap>(),
  {
    decode: (value, payload) => {
      if (!isPlain(value)) {
        payload.issues.push({ code: 'invalid_type', expected: 'record', input: value })
        return z.NEVER
      }
      const names = sentNames.get(value) ?? Object.keys(value)
      return names.map((name): [string, string] => {
        const text: unknown = value[name]
        const wrong = wrongWith(name, text)
        if (wrong !== undefined) {
          payload.issues.push({ code: 'custom', input: text, path: [name], message: wrong })
        }
        // What is no string is refused, and need not have a text: a nest is too deep for one, an object may have its own idea.
        return [name, typeof text === 'string' ? text : '']
      })
    },
    encode: (map) => Object.fromEntries(map),
  },
)

function wrongWith(name: string, text: unknown): string | undefined {
  if (typeof text !== 'string') return 'must be a string'
  if (name === '') return 'must have a name'
  if (`${name}${text}`.includes('\0')) return 'must not contain U+0000'
  if (!name.isWellFormed() || !text.isWellFormed()) return 'must not contain half of a surrogate pair'
  return undefined
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The entries of a map as they stand in its JSON text, in their order. What `encodeEventMap` wrote has texts alone; rows
 * that are older than the log's streams may have anything: a value that is no text is given as its JSON, and what is no
 * object has no entries.
 */
export function decodeEventMap(json: string): EventMap {
  const entries: [string, string][] = []
  let at = afterBlanks(json, 0)
  if (json.charCodeAt(at) !== openBrace) return entries
  at = afterBlanks(json, at + 1)
  while (json.charCodeAt(at) === quote) {
    const nameEnd = endOfString(json, at)
    const value = afterBlanks(json, afterBlanks(json, nameEnd) + 1)
    const valueEnd = endOfValue(json, value)
    entries.push([textOf(json, at, nameEnd), textOf(json, value, valueEnd)])
    at = afterBlanks(json, afterBlanks(json, valueEnd) + 1)
  }
  return entries
}

const [openBrace, openBracket, closeBrace, closeBracket] = [0x7b, 0x5b, 0x7d, 0x5d]
const [quote, backslash, comma, blank] = [0x22, 0x5c, 0x2c, 0x20]

function textOf(json: string, start: number, end: number): string {
  if (json.charCodeAt(start) !== quote) return json.slice(start, end)
  const text = json.slice(start + 1, end - 1)
  return text.includes('\\') ? (JSON.parse(json.slice(start, end)) as string) : text
}

function afterBlanks(json: string, from: number): number {
  let at = from
  while (json.charCodeAt(at) <= blank) at += 1
  return at
}

/** Behind the string that begins here. Not by an expression: of a long one that would keep every step in mind. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let before = end - 1
    while (json.charCodeAt(before) === backslash) before -= 1
    if ((end - before) % 2 === 1) return end + 1
  }
  return json.length
}

/** Behind the value that begins here: where what it opened is closed, or what it stands in goes on. */
function endOfValue(json: string, start: number): number {
  if (json.charCodeAt(start) === quote) return endOfString(json, start)
  for (let [at, nested] = [start, 0]; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at) - 1
    else if (code === openBrace || code === openBracket) nested += 1
    else if (nested === 0 && (code === comma || code === closeBrace || code <= blank)) return at
    else if (code === closeBrace || code === closeBracket) {
      nested -= 1
      if (nested === 0) return at + 1
    }
  }
  return json.length
}
