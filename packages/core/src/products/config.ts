import { z } from 'zod'
import type { JsonObject } from '../merge-patch.ts'
import { loneSurrogate } from '../text.ts'

/** The bounds of a configuration. */
export const configBounds = { bytes: 32 * 1024, depth: 16, nameLength: 200 } as const

/**
 * A configuration as it comes in: any JSON object that the database can keep and that is not absurdly large or deep.
 * What the product makes of it is the business of its schema. Looked at, not rebuilt: a rebuilt object would silently
 * lose names such as `__proto__`, which are refused instead.
 */
export const Config = z
  .unknown()
  .superRefine((value, context) => {
    const problem = problemOf(value)
    if (problem) context.addIssue({ code: 'custom', path: problem.path, message: problem.message })
  })
  .meta({ type: 'object', additionalProperties: true }) as unknown as z.ZodType<JsonObject, JsonObject>

/** A configuration, or another JSON object, as it leaves: it was judged when it came in, and is not looked at again. */
export const StoredConfig = z.unknown().meta({ type: 'object', additionalProperties: true }) as unknown as z.ZodType<
  JsonObject,
  JsonObject
>

/** Whether a configuration is larger than what is kept: patches can add up. */
export function isTooLarge(config: JsonObject): boolean {
  return Buffer.byteLength(JSON.stringify(config)) > configBounds.bytes
}

export const tooLarge = `must not have more than ${configBounds.bytes} bytes as JSON`

interface Problem {
  readonly path: (string | number)[]
  readonly message: string
}

function problemOf(value: unknown): Problem | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { path: [], message: 'must be an object' }
  const problem = partProblem(value, [])
  if (problem) return problem
  return isTooLarge(value as JsonObject) ? { path: [], message: tooLarge } : undefined
}

/** The first thing in a value that cannot be kept. The path is shared on the way down: it is copied when it is told. */
function partProblem(value: unknown, path: (string | number)[]): Problem | undefined {
  if (typeof value === 'string') return textProblem(value, path)
  if (typeof value === 'number' && !Number.isFinite(value)) return { path: [...path], message: 'is too large a number' }
  if (typeof value !== 'object' || value === null) return undefined
  if (path.length >= configBounds.depth) {
    return { path: [...path], message: `must not be nested more than ${configBounds.depth} deep` }
  }
  for (const [name, part] of Object.entries(value)) {
    const problem = Array.isArray(value) ? undefined : nameProblem(name, path)
    if (problem) return problem
    path.push(Array.isArray(value) ? Number(name) : name)
    const inside = partProblem(part, path)
    if (inside) return inside
    path.pop()
  }
  return undefined
}

function nameProblem(name: string, path: (string | number)[]): Problem | undefined {
  if (name === '__proto__') return { path: [...path, name], message: 'is not a name that can be used' }
  if (name.length > configBounds.nameLength) {
    return { path: [...path, name], message: `must not be named with more than ${configBounds.nameLength} characters` }
  }
  return textProblem(name, path)
}

function textProblem(value: string, path: (string | number)[]): Problem | undefined {
  if (value.includes('\0')) return { path: [...path], message: 'must not contain U+0000' }
  if (loneSurrogate.test(value)) return { path: [...path], message: 'must not contain half of a surrogate pair' }
  return undefined
}
