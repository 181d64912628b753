import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterPrefix } from './action-pattern.ts'

/** As PostgreSQL compares with `collate "C"`. */
const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('what comes after a prefix', () => {
  it.each([
    ['report.', 'report/'],
    ['a', 'b'],
    ['\ud7ff', '\ue000'],
    ['a\u{10ffff}', 'b'],
    ['\u{10ffff}', undefined],
    ['', undefined],
  ])('%j: %j', (prefix, expected) => {
    expect(afterPrefix(prefix)).toBe(expected)
  })

  it('is the end of all texts that begin with it, byte by byte', () => {
    const character = fc.oneof(
      fc.constantFrom('a', 'b', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    const text = fc.array(character, { maxLength: 4 }).map((characters) => characters.join(''))
    fc.assert(
      fc.property(text, fc.oneof(text, fc.constant(undefined)), text, (prefix, other, rest) => {
        const tried = other ?? prefix + rest
        const end = afterPrefix(prefix)
        const isWithin = compare(tried, prefix) >= 0 && (end === undefined || compare(tried, end) < 0)
        expect(isWithin).toBe(tried.startsWith(prefix))
      }),
      { numRuns: 2_000 },
    )
  })
})
