import { invalidAt, keepsItsPlace, noteSentOrder, RegistryError } from '@breakpilot/tenant-core'
import { escapePointer } from './validate.ts'

/**
 * Parses JSON as strictly as it can be meant: an object that has a name twice, and a number that no double can hold,
 * are refused. `JSON.parse` takes the last of the two and makes the number `Infinity`, and whoever looked at the
 * request before us may have understood it differently. So is the name `__proto__`, which a map would silently lose.
 * @param maps the names of members that are maps of events: in these `__proto__` is a name like any other, and the order
 *   of their entries is noted where an object cannot keep it
 * @param bounds what the text may have at most; where they are left out it is bounded by its length alone
 * @throws {RegistryError} `request.json_malformed`; `request.invalid` for `__proto__`; `request.body_too_large`
 */
export function parseJson(text: string, maps: ReadonlySet<string> = noMaps, bounds?: JsonBounds): unknown {
  if (bounds) assertWithin(bounds, text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new RegistryError('request.json_malformed', { cause })
  }
  const { members, finite, proto, moved } = survey(value)
  if (!finite) throw new RegistryError('request.json_malformed', { detail: 'A number is too large.' })
  if (members !== membersIn(text)) {
    throw new RegistryError('request.json_malformed', { detail: 'An object has the same name twice.' })
  }
  const pointer = proto ? pointerToProto(value, maps) : undefined
  if (pointer !== undefined) throw invalidAt(pointer, 'is not a name that can be used')
  if (moved && maps.size > 0) noteOrders(value, text, maps)
  return value
}

const noMaps: ReadonlySet<string> = new Set()

/** How much JSON may hold. Nine megabytes of brackets or of names keep a processor busy for seconds. */
export interface JsonBounds {
  /** How deep lists and objects may nest. */
  readonly depth: number
  /** Members of objects and elements of lists, all together. */
  readonly values: number
}

/** What a body of megabytes may hold: a thousand events have two hundred entries each, and no client sends so many. */
export const largeBodyBounds: JsonBounds = { depth: 64, values: 200_000 }

/** Looks at the text alone, before anything is made of it, and takes whatever is no JSON for as much as it seems. */
function assertWithin({ depth, values }: JsonBounds, text: string): void {
  let nested = 0
  let found = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = text.indexOf('"', at + 1)
        while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
        if (at === -1) return
        break
      case openBrace:
      case openBracket:
        nested += 1
        found += 1
        break
      case closeBrace:
      case closeBracket:
        nested -= 1
        break
      case comma:
        found += 1
        break
      default:
    }
    if (nested > depth) throw tooLarge(`It nests at most ${depth} deep.`)
    if (found > values) throw tooLarge(`It has at most ${values} values.`)
  }
}

const tooLarge = (detail: string) => new RegistryError('request.body_too_large', { detail })

interface Survey {
  /** How many members all objects have. */
  readonly members: number
  readonly finite: boolean
  /** Whether an object has a member `__proto__`. */
  readonly proto: boolean
  /** Whether an object has a name that it puts first, wherever it was sent. */
  readonly moved: boolean
}

/** What all objects and numbers of a value say together. Without recursion: nests are deep. */
function survey(root: unknown): Survey {
  let members = 0
  let proto = false
  let moved = false
  const left: unknown[] = [root]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === 'number' && !Number.isFinite(value)) return { members, finite: false, proto, moved }
    if (typeof value !== 'object' || value === null) continue
    const parts: unknown[] = Object.values(value)
    if (!Array.isArray(value)) {
      members += parts.length
      proto ||= Object.hasOwn(value, '__proto__')
      moved ||= hasMoved(value)
    }
    for (const part of parts) left.push(part)
  }
  return { members, finite: true, proto, moved }
}

/** Whether the first name of an object is one that is put before others: if there is any, it is the first. */
function hasMoved(value: object): boolean {
  for (const first in value) return !keepsItsPlace(first)
  return false
}

/** A pointer longer than this says no more. */
const pointerMax = 1_000

function pointerToProto(root: unknown, maps: ReadonlySet<string>): string | undefined {
  const left: [value: unknown, pointer: string, isMap: boolean][] = [[root, '', false]]
  for (let next = left.pop(); next; next = left.pop()) {
    const [value, pointer, isMap] = next
    if (typeof value !== 'object' || value === null) continue
    if (!isMap && Object.hasOwn(value, '__proto__')) return `${pointer}/__proto__`
    for (const [name, part] of Object.entries(value)) {
      left.push([part, pointer.length > pointerMax ? pointer : `${pointer}/${escapePointer(name)}`, maps.has(name)])
    }
  }
  return undefined
}

/**
 * Notes in which order the entries of maps stand in the text. It is read once more, with a sign before every name:
 * then none of them looks like a number, and objects keep them where they are.
 */
function noteOrders(root: unknown, text: string, maps: ReadonlySet<string>): void {
  const pieces: string[] = []
  let from = 0
  forEachString(text, (start, _, isName) => {
    if (!isName) return
    pieces.push(text.slice(from, start + 1))
    from = start + 1
  })
  const signed = [...pieces, text.slice(from)].join('#')
  const left: [value: unknown, twin: unknown, isMap: boolean][] = [[root, JSON.parse(signed), false]]
  for (let next = left.pop(); next; next = left.pop()) {
    const [value, twin, isMap] = next
    if (typeof value !== 'object' || value === null || typeof twin !== 'object' || twin === null) continue
    if (Array.isArray(value)) {
      for (const [at, part] of value.entries()) left.push([part, (twin as unknown[])[at], false])
      continue
    }
    if (isMap && hasMoved(value)) {
      noteSentOrder(
        value,
        Object.keys(twin).map((name) => name.slice(1)),
      )
    }
    const parts = new Map<string, unknown>(Object.entries(twin))
    for (const [name, part] of Object.entries(value)) left.push([part, parts.get(`#${name}`), maps.has(name)])
  }
}

/** How many members a text of well-formed JSON writes down: each has a name, and a colon after it. */
function membersIn(text: string): number {
  let members = 0
  forEachString(text, (_, __, isName) => {
    if (isName) members += 1
  })
  return members
}

/**
 * Finds the strings of a text of well-formed JSON. Not by an expression: those that skip what is escaped keep every step
 * in mind, and a string of megabytes has too many.
 */
function forEachString(text: string, tell: (start: number, end: number, isName: boolean) => void): void {
  for (let start = text.indexOf('"'); start !== -1;) {
    let end = text.indexOf('"', start + 1)
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
    let next = end + 1
    while (blanks.has(text.charCodeAt(next))) next += 1
    tell(start, end + 1, text.charCodeAt(next) === colon)
    start = text.indexOf('"', next)
  }
}

/** Whether an odd number of backslashes is before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text.charCodeAt(before) === backslash) before -= 1
  return (at - before) % 2 === 0
}

const [colon, backslash, comma, quote] = [0x3a, 0x5c, 0x2c, 0x22]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]
const blanks: ReadonlySet<number> = new Set([' ', '\t', '\n', '\r'].map((blank) => blank.charCodeAt(0)))
