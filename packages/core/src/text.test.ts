import { describe, expect, it } from 'vitest'
import { foreignId, name, openEnum, text } from './text.ts'

describe('text', () => {
  it.each(['', 'plain', '😀', 'a'.repeat(10)])('takes %j', (value) => {
    expect(text(10).parse(value)).toBe(value)
  })

  it.each(['a\0b', '\uD83D', 'x\uDE00', '\uDE00\uD83D', 'a'.repeat(11)])('refuses %j', (value) => {
    expect(text(10).safeParse(value).success).toBe(false)
  })
})

describe('name', () => {
  it('is trimmed and composed, so that equal looks equal', () => {
    expect(name(20).parse('  Cafe\u0301 ')).toBe('Café')
  })

  it('is not blank', () => {
    expect(name(20).safeParse('   ').success).toBe(false)
  })
})

describe('foreignId', () => {
  it('is kept as it is', () => {
    expect(foreignId(20).parse('Cafe\u0301 1')).toBe('Cafe\u0301 1')
  })

  it.each(['', ' ', ' a', 'a '])('refuses %j', (value) => {
    expect(foreignId(20).safeParse(value).success).toBe(false)
  })
})

describe('openEnum', () => {
  it('takes a value of a later release', () => {
    expect(openEnum(['a', 'b']).parse('c')).toBe('c')
  })
})
