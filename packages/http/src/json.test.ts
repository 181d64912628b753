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
})
