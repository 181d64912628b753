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

  it.each([
    '',
    '   ',
    '\u200b',
    '\u200d\ufeff\u00ad',
    ' \u3164 \u115f',
    '\u2800',
    '\u{e0020}',
    'Acme\nInc.',
    'Acme\u001b[31m',
    'Acme\u0085',
    'Acme\u007f',
  ])('is not %j: blank, invisible, or of more than one line', (value) => {
    expect(name(20).safeParse(value).error?.issues).toHaveLength(1)
  })

  it.each(['Ärzte ohne Grenzen', '株式会社', '👩‍👩‍👧‍👦', 'شركة', '.', '\u200fאקמי', 'क्ष'])('may be %s', (value) => {
    expect(name(20).parse(value)).toBe(value)
  })
})

describe('the length of a name', () => {
  it('holds for what is kept: some characters are longer in the composed form', () => {
    const note = '\u{1d160}'
    expect(Array.from(note.normalize('NFC'))).toHaveLength(3)
    expect(Array.from(name(9).parse(note.repeat(3)))).toHaveLength(9)
    expect(name(9).safeParse(note.repeat(4)).error?.issues).toMatchObject([{ code: 'too_big', maximum: 9 }])
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
