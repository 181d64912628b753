import { expect, it } from 'vitest'
import { EventMap } from './event-map.ts'

it.each<[string, unknown]>([
  ['an object with ideas of its own text', { toString: 1, valueOf: 1 }],
  ['a nest that is deeper than a text of it can be', JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
])('a map refuses %s as a value, and says where it is', (_what, value) => {
  const { error } = EventMap.safeParse({ a: 'b', c: value })
  expect(error?.issues).toEqual([expect.objectContaining({ path: ['c'], message: 'must be a string' })])
})
