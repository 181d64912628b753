import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCatalogue } from '../products/catalogue.ts'
import { parseManifest } from '../products/manifest.ts'
import { audiencesOf, coveredBy, covers, satisfies, Scope } from './scope.ts'

const word = fc.constantFrom('a', 'b', 'read', 'write')
const scope = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 3 }), fc.oneof(word, fc.constant('*')))
  .map(([area, verb]) => [...area, verb].join(':'))

/** What a scope gives, spelled out: the set of all plain scopes of up to four words that it covers. */
const plain = (() => {
  const words = ['a', 'b', 'read', 'write']
  const longer = (texts: string[]) => texts.flatMap((text) => words.map((each) => `${text}:${each}`))
  const two = longer(words)
  const three = longer(two)
  return [...two, ...three, ...longer(three)]
})()
const given = (one: string) =>
  new Set(plain.filter((each) => (one.endsWith('*') ? each.startsWith(one.slice(0, -1)) : each === one)))

describe('covers', () => {
  it('is what the sets of what they give say', () => {
    fc.assert(
      fc.property(scope, scope, (one, other) => {
        const [all, some] = [given(one), given(other)]
        // A wildcard as deep as the sets go gives nothing in them.
        fc.pre(all.size > 0 && some.size > 0)
        expect(covers(one, other)).toBe([...some].every((each) => all.has(each)) && !isSoleWord(one, other))
      }),
    )
  })
  /** A plain scope never covers a wildcard: the wildcard also gives what is not there yet. */
  const isSoleWord = (one: string, other: string) => !one.endsWith('*') && other.endsWith('*')

  it.each([
    ['a:*', 'a:b', true],
    ['a:*', 'a:b:c', true],
    ['a:*', 'a:*', true],
    ['a:b:*', 'a:b:c', true],
    ['a:*', 'a', false],
    ['a:*', 'ab:c', false],
    ['a:b', 'a:*', false],
    ['a:b:*', 'a:b', false],
    ['a:b', 'a:b:c', false],
  ])('%s, %s: %s', (one, other, expected) => {
    expect(covers(one, other)).toBe(expected)
  })
})

describe('satisfies', () => {
  it('wants all of a list, and all and any of an object', () => {
    fc.assert(
      fc.property(fc.array(scope), fc.array(scope), fc.array(scope), (granted, all, any) => {
        const has = (wanted: string) => coveredBy(granted, wanted)
        expect(satisfies(granted, all)).toBe(all.every(has))
        expect(satisfies(granted, { all, any })).toBe(all.every(has) && any.some(has))
        expect(satisfies(granted, { any })).toBe(any.some(has))
        expect(satisfies(granted, {})).toBe(true)
      }),
    )
  })
})

it.each(['*', 'a', 'a:', ':a', 'a:*:b', 'a:**', 'A:b', 'a b:c', 'a:b*', `${'a'.repeat(99)}:b`])(
  '%s is no scope',
  (text) => {
    expect(Scope.safeParse(text).success).toBe(false)
  },
)

it('a scope opens every audience that knows something of it', () => {
  const manifest = (key: string, scopes: string) =>
    parseManifest(
      `{ key: ${key}, name: ${key}, status: active, owner: x, supports_projects: false, scopes: [${scopes}] }`,
      `${key}.yaml`,
    )
  const catalogue = createCatalogue([manifest('one', 'reports:read, one:a'), manifest('two', 'reports:write')])
  expect(audiencesOf(catalogue, 'reports:read')).toEqual(['one'])
  expect(audiencesOf(catalogue, 'reports:*')).toEqual(['one', 'two'])
  expect(audiencesOf(catalogue, 'one:*')).toEqual(['one'])
  expect(audiencesOf(catalogue, 'api_keys:*')).toEqual(['tenant-registry'])
  expect(audiencesOf(catalogue, 'api_keys:verify')).toEqual([])
  expect(audiencesOf(catalogue, 'nothing:*')).toEqual([])
})
