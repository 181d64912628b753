import { invalidAt, RegistryError } from '@breakpilot/tenant-core'
import { escapePointer } from './validate.ts'

/**
 * Parses JSON as strictly as it can be meant: an object that has a name twice, and a number that no double can hold,
 * are refused. `JSON.parse` takes the last of the two and makes the number `Infinity`, and whoever looked at the
 * request before us may have understood it differently. So is the name `__proto__`, which a map would silently lose.
 * @throws {RegistryError} `request.json_malformed`; `request.invalid` for `__proto__`
 */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new RegistryError('request.json_malformed', { cause })
  }
  const { members, finite, proto } = survey(value)
  if (!finite) throw new RegistryError('request.json_malformed', { detail: 'A number is too large.' })
  if (members !== membersIn(text)) {
    throw new RegistryError('request.json_malformed', { detail: 'An object has the same name twice.' })
  }
  if (proto) throw invalidAt(pointerToProto(value), 'is not a name that can be used')
  return value
}

/** What all objects and numbers of a value say together. Without recursion: nests are deep. */
function survey(root: unknown): { members: number; finite: boolean; proto: boolean } {
  let members = 0
  let proto = false
  const left: unknown[] = [root]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === 'number' && !Number.isFinite(value)) return { members, finite: false, proto }
    if (typeof value !== 'object' || value === null) continue
    const parts: unknown[] = Object.values(value)
    if (!Array.isArray(value)) {
      members += parts.length
      proto ||= Object.hasOwn(value, '__proto__')
    }
    for (const part of parts) left.push(part)
  }
  return { members, finite: true, proto }
}

/** A pointer longer than this says no more. */
const pointerMax = 1_000

function pointerToProto(root: unknown): string {
  const left: [value: unknown, pointer: string][] = [[root, '']]
  for (let next = left.pop(); next; next = left.pop()) {
    const [value, pointer] = next
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__')) return `${pointer}/__proto__`
    for (const [name, part] of Object.entries(value)) {
      left.push([part, pointer.length > pointerMax ? pointer : `${pointer}/${escapePointer(name)}`])
    }
  }
  return ''
}

const string = /"[^"\\]*(?:\\.[^"\\]*)*"/g

/** How many members a text of well-formed JSON writes down: outside of strings, each has the one colon. */
function membersIn(text: string): number {
  let members = 0
  const bare = text.replaceAll(string, '')
  for (let at = bare.indexOf(':'); at !== -1; at = bare.indexOf(':', at + 1)) members += 1
  return members
}
