import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEventMap, encodeEventMap, EventMap } from './event-map.ts'

it.each<[string, unknown]>([
  ['an object with ideas of its own text', { toString: 1, valueOf: 1 }],
  ['a nest that is deeper than a text of it can be', JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
])('a map refuses %s as a value, and says where it is', (_what, value) => {
  const { error } = EventMap.safeParse({ a: 'b', c: value })
  expect(error?.issues).toEqual([expect.objectContaining({ path: ['c'], message: 'must be a string' })])
})

describe('the entries of a stored map', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('"', '\\', ',', ':', '{', '}', '[', ']', ' ', '\n', 'a', '1') }),
    fc.constantFrom('__proto__', 'constructor', '10', '2', ''),
  )

  it('are those that were encoded, in their order, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (map) => {
        expect(decodeEventMap(encodeEventMap(map))).toEqual(map)
      }),
    )
  })

  it('of any other object have its names in the order of the text, texts as they are, and anything else as its JSON', () => {
    const value = fc.oneof(text, fc.jsonValue({ depthSize: 'small' }))
    // As this process writes JSON, and with blanks as PostgreSQL does and more.
    const gap = fc.constantFrom('', ' ', '\n\t ')
    fc.assert(
      fc.property(fc.array(fc.tuple(text, value)), gap, fc.option(fc.nat(4)), (entries, blank, indent) => {
        const spelled = entries.map(([name, each]) => {
          const json = JSON.stringify(each, undefined, indent ?? undefined)
          return { name, json, is: typeof each === 'string' ? each : json }
        })
        const members = spelled.map(({ name, json }) => `${JSON.stringify(name)}${blank}:${blank}${json}`)
        const json = `${blank}{${blank}${members.join(`${blank},${blank}`)}${blank}}${blank}`
        expect(decodeEventMap(json)).toEqual(spelled.map(({ name, is }) => [name, is]))
      }),
    )
  })

  it.each(['[]', '["a", "b"]', '[{"a": "b"}]', 'null', '"a"', '3', '{}', ' { } '])('of %s are none', (json) => {
    expect(decodeEventMap(json)).toEqual([])
  })

  it('are what jsonb was, where rows were copied', () => {
    expect(decodeEventMap('{"count": 3, "by": "jane", "10": null, "in": {"a": ["}", "\\""]}, "ok": true}')).toEqual([
      ['count', '3'],
      ['by', 'jane'],
      ['10', 'null'],
      ['in', '{"a": ["}", "\\""]}'],
      ['ok', 'true'],
    ])
  })
})
