import { RegistryError } from '@breakpilot/tenant-core'

/**
 * Parses JSON as strictly as it can be meant: an object that has a name twice, and a number that no double can hold,
 * are refused. `JSON.parse` takes the last of the two and makes the number `Infinity`, and whoever looked at the
 * request before us may have understood it differently.
 * @throws {RegistryError} `request.json_malformed`
 */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new RegistryError('request.json_malformed', { cause })
  }
  const { members, finite } = survey(value)
  if (!finite) throw new RegistryError('request.json_malformed', { detail: 'A number is too large.' })
  if (members !== membersIn(text)) {
    throw new RegistryError('request.json_malformed', { detail: 'An object has the same name twice.' })
  }
  return value
}

/** How many members all objects have together, and whether all numbers are some. Without recursion: nests are deep. */
function survey(root: unknown): { members: number; finite: boolean } {
  let members = 0
  const left: unknown[] = [root]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === 'number' && !Number.isFinite(value)) return { members, finite: false }
    if (typeof value !== 'object' || value === null) continue
    const parts: unknown[] = Object.values(value)
    if (!Array.isArray(value)) members += parts.length
    for (const part of parts) left.push(part)
  }
  return { members, finite: true }
}

const string = /"[^"\\]*(?:\\.[^"\\]*)*"/g

/** How many members a text of well-formed JSON writes down: outside of strings, each has the one colon. */
function membersIn(text: string): number {
  let members = 0
  const bare = text.replaceAll(string, '')
  for (let at = bare.indexOf(':'); at !== -1; at = bare.indexOf(':', at + 1)) members += 1
  return members
}
