/**
 * A flat map of strings, entry by entry. Not an object, because objects reorder names that look like numbers, and
 * because `__proto__` has to be a name like any other: events keep their maps as they were sent.
 */
export type EventMap = readonly (readonly [name: string, value: string])[]

/** The JSON text of a map, in the order of its entries. This text is stored, and the chain hashes it. */
export function encodeEventMap(map: EventMap): string {
  return `{${map.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}
