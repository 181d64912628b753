import { describe, expect, it } from 'vitest'
import { isReserved, Slug } from './slug.ts'

describe('Slug', () => {
  it.each(['abc', 'acme', 'a1b', '1ab', 'a-b-c', `${'a'.repeat(62)}b`])('takes %j', (slug) => {
    expect(Slug.parse(slug)).toBe(slug)
  })

  it.each([
    ['', 'empty'],
    ['ab', 'too short'],
    ['a'.repeat(64), 'too long'],
    ['-abc', 'a leading dash'],
    ['abc-', 'a trailing dash'],
    ['a--b', 'a double dash'],
    ['Abc', 'an upper-case letter'],
    ['a_b', 'an underscore'],
    ['123', 'no letter'],
    ['1-2-3', 'no letter'],
    ['abc\n', 'a line feed'],
    ['äbc', 'a letter that is not ASCII'],
    ['00000000-0000-0000-0000-00000000000a', 'the shape of an id'],
  ])('refuses %j: %s', (slug) => {
    expect(Slug.safeParse(slug).success).toBe(false)
  })
})

describe('isReserved', () => {
  const products = new Set(['certifai'])

  it("holds the platform's own words and the products' keys, and never acme", () => {
    expect(isReserved(Slug.parse('www'), products)).toBe(true)
    expect(isReserved(Slug.parse('platform'), products)).toBe(true)
    expect(isReserved(Slug.parse('certifai'), products)).toBe(true)
    expect(isReserved(Slug.parse('compliance'), products)).toBe(false)
    expect(isReserved(Slug.parse('acme'), products)).toBe(false)
  })
})
