import { hasScopes, isWellFormedKey } from '@breakpilot/tenant-client/verify'
import { keyEnvironments, mintToken, newKeyringText, parseKeyring, satisfies } from '@breakpilot/tenant-core'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const keyring = parseKeyring(newKeyringText())
/** A fresh one for each run. */
const aToken = fc.constantFrom(...keyEnvironments).map((environment) => mintToken(keyring, environment).text)
const place = fc.nat({ max: 78 })
const letter = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })
const digit = fc.constantFrom(...Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_'))

it('every key that the registry makes is well-formed', () => {
  fc.assert(fc.property(aToken, isWellFormedKey), { numRuns: 2_000 })
})

it('no key is in which one character is another one', () => {
  const changed = fc.tuple(aToken, place, fc.oneof(digit, letter)).filter(([token, at, to]) => token[at] !== to)
  fc.assert(
    fc.property(changed, ([token, at, to]) => !isWellFormedKey(token.slice(0, at) + to + token.slice(at + 1))),
    { numRuns: 5_000 },
  )
})

it('no key is in which one character is missing or too many, or two have changed places', () => {
  fc.assert(
    fc.property(aToken, place, digit, (token, at, more) => {
      const [before, after] = [token.slice(0, at), token.slice(at)]
      const [one = '', other = ''] = after
      expect(isWellFormedKey(before + after.slice(1))).toBe(false)
      expect(isWellFormedKey(before + more + after)).toBe(false)
      if (one !== other && other !== '') expect(isWellFormedKey(before + other + one + after.slice(2))).toBe(false)
    }),
    { numRuns: 1_000 },
  )
})

it('what is drawn at random is none', () => {
  fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => !isWellFormedKey(text)))
})

it('what scopes give is what they give to the registry', () => {
  const word = fc.constantFrom('a', 'b', 'ab')
  const scope = fc.tuple(fc.array(word, { minLength: 1, maxLength: 3 }), fc.oneof(word, fc.constant('*')))
  const scopes = fc.array(
    scope.map(([area, verb]) => [...area, verb].join(':')),
    { maxLength: 4 },
  )
  const query = fc.oneof(scopes, fc.record({ all: scopes, any: scopes }, { requiredKeys: [] }))
  fc.assert(
    fc.property(scopes, query, (granted, asked) => hasScopes(granted, asked) === satisfies(granted, asked)),
    { numRuns: 5_000 },
  )
})
