import { describe, expect, it } from 'vitest'
import { Config, configBounds } from './config.ts'

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })

describe('Config', () => {
  it.each([
    ['nothing', {}],
    ['every kind of JSON', { a: [1, -2.5e3, null, true, 'x', { b: [] }] }],
    ['names of every kind', { constructor: 1, 'a/b~': 2, '': 3, ü: 4 }],
    ['as deep as it may be', nested(configBounds.depth)],
  ])('takes %s', (_, value) => {
    expect(Config.parse(value)).toEqual(value)
  })

  it.each<[string, unknown, (string | number)[]]>([
    ['what is no object', [1], []],
    ['null', null, []],
    ['a text with U+0000', { a: ['x', 'y\0'] }, ['a', 1]],
    ['a name with U+0000', { a: { 'b\0': 1 } }, ['a']],
    ['half of a surrogate pair', { a: '\ud800' }, ['a']],
    ['a number that JSON has and nobody else', JSON.parse('{"a":1e999}'), ['a']],
    ['a name that would be lost', JSON.parse('{"a":{"__proto__":1}}'), ['a', '__proto__']],
    ['a name without end', { ['x'.repeat(201)]: 1 }, ['x'.repeat(201)]],
    ['more than is kept', { a: 'x'.repeat(configBounds.bytes) }, []],
  ])('refuses %s, and says where', (_, value, path) => {
    const { error } = Config.safeParse(value)
    expect(error?.issues.map((issue) => issue.path)).toEqual([path])
  })

  it('refuses nesting however deep, without falling over it', () => {
    const deep: unknown = JSON.parse(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
    expect(Config.safeParse(deep).success).toBe(false)
  })
})
