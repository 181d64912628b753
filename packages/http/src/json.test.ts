import { EventMap } from '@breakpilot/tenant-core'
import { describe, expect, it } from 'vitest'
import { parseJson } from './json.ts'

describe('parseJson', () => {
  it.each([
    '{}',
    '[]',
    '"a:b"',
    '{"a":{"a":[{"a":1},{"a":2}]},"b":"\\":\\\\","c:":":"}',
    '{"\\":":{"":null}}',
    '{"prototype":{"a":1},"constructor":2,"a":"__proto__"}',
    ' [ 1e308 , -0 , "\\u003a" ] ',
    '"\u2028"',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['a name twice', '{"a":1,"b":2,"a":1}'],
    ['a name twice, spelt in two ways', '{"a":1,"\\u0061":2}'],
    ['a name twice, deep inside', '[{"a":[{"b":{"c":1,"c":{}}}]}]'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
    ['a number that is none', '{"a":[1e400]}'],
    ['half of it', '{"a":'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'request.json_malformed' }))
  })

  it.each([
    ['{"__proto__":1}', '/__proto__'],
    ['{"a":{"b/c":[0,{"\\u005f_proto__":null}]}}', '/a/b~1c/1/__proto__'],
  ])('refuses the name in %s, and says where it is', (text, pointer) => {
    const violations = [expect.objectContaining({ pointer })]
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'request.invalid', violations }))
  })

  it('reads what is as deep or as long as a body can be', () => {
    expect(parseJson(`${'['.repeat(120_000)}${']'.repeat(120_000)}`)).toBeInstanceOf(Array)
    expect(parseJson(JSON.stringify('\\"'.repeat(60_000)))).toHaveLength(120_000)
    expect(() => parseJson(`${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`)).not.toThrow()
    expect(() => parseJson(`${'{"a":'.repeat(40_000)}{"__proto__":1}${'}'.repeat(40_000)}`)).toThrow(/request.invalid/)
  })

  describe('with bounds', () => {
    const bounds = { depth: 3, values: 5 }
    it.each([
      ['{"a":[{"b":"[[[[[,,,,,"}],"c":"\\"[[[{{{"}'],
      ['[1,2,3,4,5]'],
      ['["\\\\",{"a":"\\\\\\"[[["}]'],
      ['"[[[[[[,,,,,,,"'],
    ])('reads %s', (text) => {
      expect(parseJson(text, new Set(), bounds)).toEqual(JSON.parse(text))
    })

    it.each([['[[[[]]]]'], ['{"a":{"b":[{}]}}'], ['[1,2,3,4,5,6]'], ['{"a":[[],[],[],[],[]]}']])(
      'refuses %s as too large',
      (text) => {
        expect(() => parseJson(text, new Set(), bounds)).toThrow(
          expect.objectContaining({ code: 'request.body_too_large' }),
        )
      },
    )

    it.each([['"'], ['{"a'], ['"\\"'], [']]]'], ['{'], ['']])('says of %s that it is no JSON', (text) => {
      expect(() => parseJson(text, new Set(), bounds)).toThrow(
        expect.objectContaining({ code: 'request.json_malformed' }),
      )
    })
  })

  describe('with maps', () => {
    const maps = new Set(['fields'])
    it.each([
      ['names that look like numbers', '{"b":"1","10":"2","2":"3","a":"4","0":"5"}', ['b', '10', '2', 'a', '0']],
      ['names that nearly do', '{"9":"","01":"","1.5":"","-1":"","8":""}', ['9', '01', '1.5', '-1', '8']],
      ['names in escapes', '{"\\u0039":"x","a\\":":"\\"y","1" \n : "z"}', ['9', 'a":', '1']],
      [
        '__proto__ and its like',
        '{"7":"","__proto__":"x","constructor":"","6":""}',
        ['7', '__proto__', 'constructor', '6'],
      ],
    ])('keeps %s where they were sent', (_, map, names) => {
      const value = parseJson(`{"events":[{"x":[{"fields":${map}}]}],"7":{"fields":{"3":"","2":""}}}`, maps) as never
      const [{ x }] = (value as { events: [{ x: [{ fields: never }] }] }).events
      expect(EventMap.parse(x[0].fields).map(([name]) => name)).toEqual(names)
      expect(EventMap.parse((value as { 7: { fields: never } })[7].fields).map(([name]) => name)).toEqual(['3', '2'])
    })

    it('takes __proto__ in maps alone', () => {
      for (const text of ['{"fields":{"a":{"__proto__":"x"}}}', '{"__proto__":{"fields":{}}}', '[{"__proto__":1}]']) {
        expect(() => parseJson(text, maps)).toThrow(/request.invalid/)
      }
    })

    it('reads what is as long as a body of events can be', () => {
      const long = `{"fields":{"2":${JSON.stringify('\\"'.repeat(2_500_000))},"1":"x"}}`
      expect(parseJson(long, maps)).toHaveProperty('fields.1', 'x')
      const many = `{"fields":{${Array.from({ length: 500_000 }, (_, n) => `"${500_000 - n}":"x"`).join()}}}`
      const { fields } = parseJson(many, maps) as { fields: never }
      expect(EventMap.parse(fields)[0]).toEqual(['500000', 'x'])
    }, 20_000)
  })
})
