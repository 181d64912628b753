import type { z } from 'zod'

/** What JSON can say. */
export type Json = z.core.util.JSONType

/** A JSON object. */
export interface JsonObject {
  [name: string]: Json
}

/**
 * Merges by RFC 7396: what the patch names replaces, null removes, objects are merged, lists are replaced whole.
 * Changes neither of the two; the result shares with them what it has not merged.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject
export function mergePatch(target: Json | undefined, patch: Json): Json
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const merged: JsonObject = target !== undefined && isObject(target) ? { ...target } : {}
  for (const name in patch) {
    const value = patch[name]
    if (value === undefined || value === null) delete merged[name]
    else if (!isObject(value)) set(merged, name, value)
    else set(merged, name, mergePatch(Object.hasOwn(merged, name) ? merged[name] : undefined, value))
  }
  return merged
}

/** Whether it is a JSON object: neither null nor a list. */
export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets a property of its own: plainly assigned, `__proto__` would change what the object is. */
function set(object: JsonObject, name: string, value: Json): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
  } else {
    object[name] = value
  }
}
