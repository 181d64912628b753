import { createHmac, type KeyObject, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Keyring } from '../secrets/keyring.ts'
import { fromBase62, toBase62 } from './base62.ts'

/** What a key may be used for: real work, or trying things out. */
export const keyEnvironments = ['live', 'test'] as const
export type KeyEnvironment = (typeof keyEnvironments)[number]

/**
 * `bpk_{live|test}_{id12}_{secret43}{mac8}{crc6}`: where its parts end. The digits are base62, so one double-click
 * selects all of it. docs/adr/0012-api-keys.md says why each part is there.
 */
const ends = { prefix: 21, secret: 65, mac: 73, crc: 79 } as const
const tokenLength = ends.crc

const shape = /^bpk_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{57}$/
/** The public part of a token: what is stored, shown, logged and looked up. */
export const prefixShape = /^bpk_(?:live|test)_[0-9A-Za-z]{12}$/

/** Whatever stands between its parts: an address may have its underscores as %5F. What follows a key goes with it. */
const keyInText = /(bpk(?:_|%5f)(?:live|test)(?:_|%5f)[0-9a-z]{12})(?:_|%5f)[0-9a-z_%]+/gi

/** A text without the keys that may stand in it, for what is logged or told back: of each the public part stays. */
export function withoutKeys(text: string): string {
  return text.includes('bpk') ? text.replaceAll(keyInText, '$1_…') : text
}

/** How many bits of the MAC a token holds: as many as eight digits have room for. */
const macRange = 2 ** 47

/** A token that we issued, as far as can be told without asking the database. */
export interface Token {
  readonly text: string
  readonly prefix: string
  readonly environment: KeyEnvironment
  /** What is hashed at rest: the prefix and the secret. */
  readonly secret: string
}

/** A fresh token under the current key of the ring. Its text is shown once and kept nowhere. */
export function mintToken(keyring: Keyring, environment: KeyEnvironment): Token & { readonly kid: string } {
  return tokenOf(keyring, environment, bits(randomBytes(9), idBits), bits(randomBytes(32), secretBits))
}

/** How many bits an id and a secret have: as many as their digits have room for. */
const [idBits, secretBits] = [71, 256]

/** The first so many bits of some bytes, as a number. */
function bits(bytes: Buffer, count: number): bigint {
  return BigInt(`0x${bytes.toString('hex')}`) >> BigInt(bytes.length * 8 - count)
}

/**
 * The token that every server with this keyring makes for a purpose of its own: nobody has to be given it, and who does
 * not have the keyring cannot make it.
 */
export function derivedToken(keyring: Keyring, purpose: string): Token & { readonly kid: string } {
  const derive = (part: string) => keyring.mac('api-key-mac', Buffer.from(`derived ${part}: ${purpose}`))
  return tokenOf(keyring, 'live', bits(derive('id'), idBits), bits(derive('secret'), secretBits))
}

function tokenOf(keyring: Keyring, environment: KeyEnvironment, idNumber: bigint, secretNumber: bigint) {
  const prefix = `bpk_${environment}_${toBase62(idNumber, 12)}`
  const secret = `${prefix}_${toBase62(secretNumber, 43)}`
  const marked = secret + toBase62(macOf(keyring.key('api-key-mac'), secret), 8)
  return { text: marked + toBase62(crc32(marked), 6), prefix, environment, secret, kid: keyring.current }
}

function macOf(key: KeyObject, secret: string): number {
  return createHmac('sha256', key).update(secret).digest().readUIntBE(0, 6) % macRange
}

/** The token that a text may be: it has the shape of one. */
export function tokenIn(text: string): Token | undefined {
  if (text.length !== tokenLength || !shape.test(text)) return undefined
  return {
    text,
    prefix: text.slice(0, ends.prefix),
    environment: text.charCodeAt(4) === live ? 'live' : 'test',
    secret: text.slice(0, ends.secret),
  }
}

const live = 'l'.charCodeAt(0)

/** Stands in for what is no token at all, so that judging it takes the same steps. */
export const standIn = tokenIn(`bpk_live_${'0'.repeat(12)}_${'0'.repeat(57)}`) ?? neverToken()

function neverToken(): never {
  throw new Error('the stand-in has no shape')
}

/** Tells tokens that were issued here from all others, in some microseconds and without asking anybody. */
export class TokenReader {
  readonly #keys: readonly (readonly [kid: string, key: KeyObject])[]

  constructor(keyring: Keyring) {
    this.#keys = keyring.kids.map((kid) => [kid, keyring.key('api-key-mac', kid)] as const)
  }

  /**
   * Judges a token by what stands in it. Whatever is no token of ours takes the same steps, so that the time they take
   * tells a stranger nothing: one CRC, and one MAC for each key of the ring.
   * @returns the key of the ring that its MAC was made with, `unknown` for none of them, `broken` for a wrong CRC
   */
  judge({ text, secret }: Token): { readonly kid: string } | 'unknown' | 'broken' {
    const isWhole = crc32(text.slice(0, ends.mac)) === fromBase62(text, ends.mac, ends.crc)
    const mac = fromBase62(text, ends.secret, ends.mac)
    const found = this.#keys.find(([, key]) => macOf(key, secret) === mac)
    if (!isWhole) return 'broken'
    return found ? { kid: found[0] } : 'unknown'
  }
}
