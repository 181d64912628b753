import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newKeyringText, parseKeyring } from '../secrets/keyring.ts'
import { fromBase62, toBase62 } from './base62.ts'
import { derivedToken, mintToken, tokenIn, TokenReader } from './token.ts'

const ring = (...kids: string[]) => {
  const keys = Object.fromEntries(kids.map((kid) => [kid, JSON.parse(newKeyringText(kid)).keys[kid] as string]))
  return { text: keys, keyring: parseKeyring(JSON.stringify({ current: kids[0], keys })) }
}
const { keyring } = ring('one')
const reader = new TokenReader(keyring)
const environment = fc.constantFrom('live' as const, 'test' as const)
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** What a text is to a reader. */
function verdict(text: string, by = reader): unknown {
  const token = tokenIn(text)
  return token ? by.judge(token) : 'no token'
}

describe('a token', () => {
  it('is known to who minted it, by its parts', () => {
    fc.assert(
      fc.property(environment, (env) => {
        const minted = mintToken(keyring, env)
        expect(minted.text).toMatch(/^bpk_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{57}$/)
        expect(minted.text).toHaveLength(79)
        const token = tokenIn(minted.text)
        expect(token).toEqual({ text: minted.text, prefix: minted.prefix, environment: env, secret: minted.secret })
        expect(minted.text.startsWith(minted.prefix)).toBe(true)
        expect(verdict(minted.text)).toEqual({ kid: 'one' })
      }),
    )
  })

  it('is another one, or none, with any one character changed', () => {
    const { text } = mintToken(keyring, 'live')
    for (let at = 0; at < text.length; at += 1) {
      for (const digit of `${digits}_-é`) {
        if (digit === text[at]) continue
        const changed = text.slice(0, at) + digit + text.slice(at + 1)
        expect(verdict(changed), changed).toMatch(/^(?:no token|broken|unknown)$/)
      }
    }
  })

  it('with its CRC put right is still not one that we issued', () => {
    const another = ring('one').keyring
    fc.assert(
      fc.property(environment, (env) => {
        expect(verdict(mintToken(another, env).text)).toBe('unknown')
      }),
    )
  })

  it('is known under every key of the ring that it may have been issued under', () => {
    const old = ring('old')
    const both = parseKeyring(JSON.stringify({ current: 'new', keys: { ...ring('new').text, ...old.text } }))
    const readsBoth = new TokenReader(both)
    expect(verdict(mintToken(old.keyring, 'live').text, readsBoth)).toEqual({ kid: 'old' })
    expect(verdict(mintToken(both, 'test').text, readsBoth)).toEqual({ kid: 'new' })
  })

  it('no text makes the reader fail or wait', () => {
    const nearly = fc.tuple(fc.nat(78), fc.string({ unit: 'binary', minLength: 1, maxLength: 3 })).map(([at, put]) => {
      const { text } = mintToken(keyring, 'live')
      return text.slice(0, at) + put + text.slice(at + put.length)
    })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), nearly), (text) => {
        expect(['string', 'object']).toContain(typeof verdict(text))
      }),
      { numRuns: 2_000 },
    )
    for (const text of ['', '\0', '\ud800', 'bpk_live_', 'b'.repeat(1_000_000), `bpk_live_${'0'.repeat(1_000_000)}`]) {
      expect(verdict(text)).toBe('no token')
    }
  })

  it('never comes twice, and each of its bits is as often set as not', () => {
    const count = 4_000
    const tokens = Array.from({ length: count }, () => mintToken(keyring, 'live'))
    expect(new Set(tokens.map(({ prefix }) => prefix)).size).toBe(count)
    const secrets = tokens.map(({ secret }) => numberOf(secret.slice(22)))
    for (let bit = 0n; bit < 256n; bit += 1n) {
      const set = secrets.filter((secret) => (secret >> bit) & 1n).length
      // Six standard deviations: once in half a billion for each bit.
      expect(Math.abs(set - count / 2)).toBeLessThan(6 * Math.sqrt(count / 4))
    }
  })
})

const numberOf = (text: string) =>
  text.split('').reduce((value, digit) => value * 62n + BigInt(digits.indexOf(digit)), 0n)

describe('a derived token', () => {
  it('is the same on every server with this keyring, and another one on any other', () => {
    expect(derivedToken(keyring, 'a').text).toBe(derivedToken(keyring, 'a').text)
    expect(derivedToken(keyring, 'a').prefix).not.toBe(derivedToken(keyring, 'b').prefix)
    expect(derivedToken(keyring, 'a').text).not.toBe(derivedToken(ring('one').keyring, 'a').text)
    expect(verdict(derivedToken(keyring, 'a').text)).toEqual({ kid: 'one' })
  })
})

describe('base62', () => {
  it('has the digits of every number, and every number of its digits', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 - 1 }), (number) => {
        const text = toBase62(number, 9)
        expect(fromBase62(text, 0, 9)).toBe(number)
        expect(numberOf(text)).toBe(BigInt(number))
      }),
    )
    expect(() => toBase62(62, 1)).toThrow('does not fit')
    // 256 bits fit into 43 digits, 71 into 12, and 47 into 8.
    expect(toBase62(2n ** 256n - 1n, 43)).toHaveLength(43)
    expect(toBase62(2n ** 71n - 1n, 12)).toHaveLength(12)
    expect(toBase62(2 ** 47 - 1, 8)).toHaveLength(8)
  })
})
