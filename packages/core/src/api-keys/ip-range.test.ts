import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IpRange, isWithin, rangesOf, rangesWithin } from './ip-range.ts'

const parse = (text: string) => IpRange.safeParse(text).data
const within = (ranges: readonly string[], address: string | undefined) => {
  const list = rangesOf(ranges.map((each) => IpRange.parse(each)))
  return list !== undefined && isWithin(list, address)
}

describe('a range', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1/128'],
    ['::/0', '::/0'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
  ])('%s is %s', (text, spelled) => {
    expect(parse(text)).toBe(spelled)
  })

  it.each([
    '',
    'localhost',
    '203.0.113.7/24',
    '203.0.113.0/33',
    '203.0.113.0/-1',
    '203.0.113.0/08',
    '203.0.113.0/24/24',
    '203.0.113',
    '2001:db8::1/32',
    '2001:db8::/129',
    '::ffff:203.0.113.0/120',
    '::ffff:cb00:7107/128',
    'fe80::1%eth0',
    '203.0.113.0/ 24',
    '203.0.113.0/24\0',
  ])('%j is none', (text) => {
    expect(parse(text)).toBeUndefined()
  })
})

describe('an address', () => {
  it('is in the ranges that have its first bits', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, other, bits) => {
        const number = (text: string) => text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n)
        const first = (text: string) => number(text) >> BigInt(32 - bits)
        const start = first(address) << BigInt(32 - bits)
        const spelled = [24n, 16n, 8n, 0n].map((shift) => (start >> shift) & 255n).join('.')
        const ranges = [`${spelled}/${bits}`]
        expect(within(ranges, address)).toBe(true)
        expect(within(ranges, `::ffff:${address}`)).toBe(true)
        expect(within(ranges, other)).toBe(first(other) === first(address))
      }),
    )
  })

  it('of the other family, or that is none, is in none', () => {
    expect(within(['0.0.0.0/0'], '2001:db8::1')).toBe(false)
    expect(within(['::/0'], '203.0.113.7')).toBe(false)
    for (const address of [undefined, '', 'unknown', '203.0.113', '203.0.113.7, 10.0.0.1']) {
      expect(within(['0.0.0.0/0', '::/0'], address)).toBe(false)
    }
  })
})

it.each<[readonly string[], readonly string[], boolean]>([
  [['203.0.113.0/25'], ['203.0.113.0/24'], true],
  [['203.0.113.0/24'], ['203.0.113.0/25'], false],
  [['203.0.113.0/25', '10.0.0.1/32'], ['203.0.113.0/24'], false],
  [[], ['203.0.113.0/24'], false],
  [['203.0.113.0/24'], [], true],
  [[], [], true],
  [['2001:db8:1::/48'], ['2001:db8::/32'], true],
  [['203.0.113.0/24'], ['::/0'], false],
])('%j within %j: %s', (inner, outer, expected) => {
  expect(rangesWithin(inner, outer)).toBe(expected)
})
