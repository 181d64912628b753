import { BlockList, isIP } from 'node:net'
import { z } from 'zod'

/** A network in CIDR notation, IPv4 or IPv6; an address stands for itself alone. Host bits have to be zero. */
export const IpRange = z
  .string()
  .max(64)
  .meta({ examples: ['203.0.113.0/24'] })
  .transform((text, context) => {
    const range = normalRange(text)
    if (range !== undefined) return range
    context.addIssue({
      code: 'custom',
      message: 'must be an address or a network in CIDR notation, such as 203.0.113.0/24',
    })
    return z.NEVER
  })

const mapped = /^::ffff:(?=\d+\.)/i

/** An address as the lists below know it: a socket on `::` knows IPv4 callers as `::ffff:192.0.2.1`. */
function normalAddress(address: string): string {
  return address.replace(mapped, '')
}

/** A range as PostgreSQL spells it, or nothing when it is none. */
function normalRange(text: string): string | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const plain = normalAddress(address)
  const version = isIP(plain)
  if (version === 0 || plain.includes('%') || rest.length > 0 || (plain !== address && bits !== undefined))
    return undefined
  const most = version === 4 ? 32 : 128
  if (bits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return undefined
  const length = bits === undefined ? most : Number(bits)
  if (length > most) return undefined
  const value = version === 4 ? valueOf4(plain) : valueOf6(plain)
  const host = BigInt(most - length)
  if ((value >> host) << host !== value) return undefined
  // IPv4 in the form of IPv6 would be a range that no IPv4 caller is in.
  if (version === 6 && value >> 32n === 0xffffn) return undefined
  return `${version === 4 ? plain : spell6(value)}/${length}`
}

const valueOf4 = (address: string) => address.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n)

/** WHATWG's URL parser has IPv6 in one spelling, and knows every other one. */
const canonical6 = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)

function valueOf6(address: string): bigint {
  const [left = '', right] = canonical6(address).split('::')
  const words = (text: string) => (text === '' ? [] : text.split(':'))
  const head = words(left)
  const tail = right === undefined ? [] : words(right)
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length
  const all = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail]
  return all.reduce((value, word) => value * 65536n + BigInt(`0x${word}`), 0n)
}

function spell6(value: bigint): string {
  // As PostgreSQL has them: what was once meant to lead to IPv4 ends like it.
  if (value >> 32n === 0n && value >> 16n > 0n)
    return `::${[24n, 16n, 8n, 0n].map((bits) => (value >> bits) & 255n).join('.')}`
  const words = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - at * 16)) & 0xffffn).toString(16))
  return canonical6(words.join(':'))
}

/** Ranges, ready to be asked: apart, since Node.js takes every IPv4 address for an IPv6 one as well. */
export interface IpRanges {
  readonly ipv4: BlockList
  readonly ipv6: BlockList
}

/** Makes ranges ready; undefined for none, which is no limit. */
export function rangesOf(ranges: readonly string[]): IpRanges | undefined {
  if (ranges.length === 0) return undefined
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = familyOf(address)
    if (family) lists[family].addSubnet(address, Number(bits), family)
  }
  return lists
}

function familyOf(address: string): keyof IpRanges | undefined {
  const version = isIP(address)
  if (version === 0) return undefined
  return version === 4 ? 'ipv4' : 'ipv6'
}

/** Whether it is an address at all. */
export const isAddress = (text: string): boolean => isIP(normalAddress(text)) !== 0 && !text.includes('%')

/** Whether an address is in one of the ranges. What is no address is in none. */
export function isWithin(ranges: IpRanges, address: string | undefined): boolean {
  if (address === undefined) return false
  const plain = normalAddress(address)
  const family = familyOf(plain)
  return family !== undefined && ranges[family].check(plain, family)
}

/** Whether every range lies within one of the others; an empty list of others allows all. */
export function rangesWithin(inner: readonly string[], outer: readonly string[]): boolean {
  if (outer.length === 0) return true
  if (inner.length === 0) return false
  return inner.every((range) => outer.some((each) => contains(each, range)))
}

function contains(outer: string, inner: string): boolean {
  const [, outerBits] = outer.split('/')
  const [address, innerBits] = inner.split('/')
  const ranges = rangesOf([outer])
  return ranges !== undefined && Number(innerBits) >= Number(outerBits) && isWithin(ranges, address)
}
