import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Timestamp } from './timestamp.ts'

describe('Timestamp', () => {
  it('understands any offset and answers in UTC with milliseconds', () => {
    const at = Timestamp.parse('2026-01-01T00:30:00+01:00')
    expect(at).toEqual(new Date('2025-12-31T23:30:00.000Z'))
    expect(z.encode(Timestamp, at)).toBe('2025-12-31T23:30:00.000Z')
  })

  it.each([
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01 00:00:00Z',
    'Thu, 01 Jan 2026 00:00:00 GMT',
    '+010000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-23:59',
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:00:00+00:01',
    '1767225600',
    1767225600,
    null,
  ])('refuses %j, and says what a time looks like', (value) => {
    expect(Timestamp.safeParse(value).error?.issues.map(({ message }) => message)).toEqual([
      'must be a time as in RFC 3339, with its offset and in the years 0001 to 9999: 2026-03-01T12:00:00Z',
    ])
  })

  it('never takes what it could not give back', () => {
    const part = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'))
    const wire = fc
      .tuple(
        fc.oneof(
          fc.constantFrom('0000', '0001', '9999'),
          fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0')),
        ),
        part(13),
        part(32),
        part(24),
        part(60),
        part(60),
        fc.constantFrom('', '.1', '.999', '.9999999'),
        fc.oneof(
          fc.constant('Z'),
          fc.tuple(fc.constantFrom('+', '-'), part(24), part(60)).map(([sign, h, m]) => `${sign}${h}:${m}`),
        ),
      )
      .map(([y, mo, d, h, mi, s, f, o]) => `${y}-${mo}-${d}T${h}:${mi}:${s}${f}${o}`)
    fc.assert(
      fc.property(wire, (value) => {
        const parsed = Timestamp.safeParse(value)
        if (!parsed.success) return
        const given = z.encode(Timestamp, parsed.data)
        expect(given).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        expect(Timestamp.parse(given)).toEqual(parsed.data)
      }),
      { numRuns: 2000 },
    )
  })
})
