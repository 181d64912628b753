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

const quoted = /"(?:[^"\\]|\\.)*"/g

/** The entries of a map that `encodeEventMap` wrote, in their order. */
export function decodeEventMap(json: string): EventMap {
  const texts = (json.match(quoted) ?? []).map((text) => JSON.parse(text) as string)
  return texts.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, texts[at + 1] ?? '']] : []))
}
