import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoTime } from './iso-time.ts'

const furthestMs = 8_640_000_000_000_000
const dayMs = 86_400_000

describe('isoTime', () => {
  it('spells every time as JavaScript does, whichever it spelled before', () => {
    const anyTime = fc.integer({ min: -furthestMs, max: furthestMs })
    const near = fc.record({ of: anyTime, by: fc.array(fc.integer({ min: -dayMs, max: dayMs }), { maxLength: 5 }) })
    fc.assert(
      fc.property(near, ({ of, by }) => {
        for (const ms of [of, ...by.map((each) => of + each)]) {
          const time = new Date(ms)
          if (Number.isNaN(time.getTime())) return
          expect(isoTime(time)).toBe(time.toISOString())
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    0,
    -1,
    dayMs - 1,
    dayMs,
    -dayMs,
    -furthestMs,
    furthestMs,
    Date.UTC(1969, 11, 31, 23, 59, 59, 999),
    Date.parse('0001-01-01T00:00:00.000Z'),
    Date.parse('9999-12-31T23:59:59.999Z'),
    Date.parse('+010000-01-01T00:00:00.000Z'),
    Date.parse('-000001-12-31T23:59:59.999Z'),
  ])('spells %i milliseconds', (ms) => {
    expect(isoTime(new Date(ms))).toBe(new Date(ms).toISOString())
  })

  it('throws for what is no time', () => {
    expect(() => isoTime(new Date(Number.NaN))).toThrow(RangeError)
    expect(isoTime(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
  })
})
