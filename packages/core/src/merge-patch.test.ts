import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isObject, type Json, mergePatch } from './merge-patch.ts'

/** A JSON value as it comes from outside: `__proto__` is a name like any other there. */
const parse = (text: string) => JSON.parse(text) as Json
const anyJson = fc.jsonValue({ maxDepth: 3 }).map((value) => parse(JSON.stringify(value)))
const anyObject = fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString'), anyJson)

describe('mergePatch', () => {
  // The table of RFC 7396, appendix A.
  it.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('of %s and %s is %s', (target, patch, expected) => {
    expect(mergePatch(parse(target), parse(patch))).toEqual(parse(expected))
  })

  it.each([
    ['{}', '{"__proto__":{"admin":true}}', '{"__proto__":{"admin":true}}'],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"b":2}}', '{"__proto__":{"a":1,"b":2}}'],
    ['{"__proto__":{"a":1}}', '{"__proto__":null}', '{}'],
    ['{}', '{"constructor":{"prototype":{"a":1}}}', '{"constructor":{"prototype":{"a":1}}}'],
    ['{}', '{"toString":{"a":1}}', '{"toString":{"a":1}}'],
  ])('of %s and %s is %s, and the prototype of nothing changes', (target, patch, expected) => {
    const merged = mergePatch(parse(target), parse(patch))
    expect(JSON.stringify(merged)).toBe(expected)
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('changes neither of the two, the same patch again changes nothing more, and no null of a patch stays', () => {
    const nullsIn = (value: Json): boolean =>
      value === null || (isObject(value) && Object.keys(value).some((name) => nullsIn(value[name] ?? null)))
    fc.assert(
      fc.property(anyObject, anyObject, (target, patch) => {
        const before = JSON.stringify([target, patch])
        const merged = mergePatch(target, patch)
        expect(JSON.stringify([target, patch])).toBe(before)
        expect(mergePatch(merged, patch)).toEqual(merged)
        expect(nullsIn(mergePatch({}, patch))).toBe(false)
      }),
    )
  })
})
