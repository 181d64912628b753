import { expect, test } from 'vitest'
import type { KeySet } from './provider-keys.ts'
import { createTokenCache } from './token-cache.ts'
import type { AccessToken } from './token-claims.ts'

const keySet: KeySet = { fingerprint: 'one', find: () => Promise.reject(new Error('not asked for')) }
const anotherKeySet: KeySet = { ...keySet, fingerprint: 'two' }
const seconds = 1_800_000_000

function aToken(changes: Partial<AccessToken> = {}): AccessToken {
  return { subject: 'alice', name: 'alice', expiresAt: seconds + 3600, claims: {}, ...changes }
}

function aCache() {
  const clock = { now: seconds * 1000 }
  return { clock, cache: createTokenCache(() => clock.now) }
}

test('a token is remembered for 60 seconds', () => {
  const { clock, cache } = aCache()
  const token = aToken()
  expect(cache.recall('jwt', keySet)).toBeUndefined()
  cache.remember('jwt', token, keySet)
  expect(cache.recall('jwt', keySet)).toBe(token)
  expect(cache.recall('another', keySet)).toBeUndefined()
  clock.now += 59_999
  expect(cache.recall('jwt', keySet)).toBe(token)
  clock.now += 1
  expect(cache.recall('jwt', keySet)).toBeUndefined()
})

test('a token is not remembered beyond its own end', () => {
  const { clock, cache } = aCache()
  cache.remember('ends', aToken({ expiresAt: seconds + 10 }), keySet)
  cache.remember('has ended', aToken({ expiresAt: seconds }), keySet)
  expect(cache.recall('has ended', keySet)).toBeUndefined()
  clock.now += 9_999
  expect(cache.recall('ends', keySet)).toBeDefined()
  clock.now += 1
  expect(cache.recall('ends', keySet)).toBeUndefined()
})

test('other keys mean another start', () => {
  const { cache } = aCache()
  cache.remember('old', aToken(), keySet)
  expect(cache.recall('old', anotherKeySet)).toBeUndefined()
  cache.remember('new', aToken(), anotherKeySet)
  expect(cache.recall('new', anotherKeySet)).toBeDefined()
  // Also when the former keys come back: what was found good in between was found with others.
  expect(cache.recall('old', anotherKeySet)).toBeUndefined()
  expect(cache.recall('new', keySet)).toBeUndefined()
})

test('at most 10 000 tokens are remembered, and the oldest goes first', () => {
  const { cache } = aCache()
  const token = aToken()
  for (let index = 0; index <= 10_000; index += 1) cache.remember(`jwt ${index}`, token, keySet)
  expect(cache.recall('jwt 0', keySet)).toBeUndefined()
  for (let index = 1; index <= 10_000; index += 1) expect(cache.recall(`jwt ${index}`, keySet)).toBe(token)
})

test('a clock that is set back makes nothing live longer', () => {
  const { clock, cache } = aCache()
  cache.remember('jwt', aToken(), keySet)
  clock.now -= 1000
  expect(cache.recall('jwt', keySet)).toBeUndefined()
})
