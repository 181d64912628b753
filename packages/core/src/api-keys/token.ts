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
export const tokenLength = ends.crc

const shape = /^bpk_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{57}$/
/** The public part of a token: what is stored, shown, logged and looked up. */
export const prefixShape = /^bpk_(?:live|test)_[0-9A-Za-z]{12}$/

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
  const id = toBase62(bits(71), 12)
  const prefix = `bpk_${environment}_${id}`
  const secret = `${prefix}_${toBase62(bits(256), 43)}`
  const marked = secret + toBase62(macOf(keyring.key('api-key-mac'), secret), 8)
  return { text: marked + toBase62(crc32(marked), 6), prefix, environment, secret, kid: keyring.current }
}

/** A random number of so many bits: every one is equally likely. */
function bits(count: number): bigint {
  const bytes = randomBytes(Math.ceil(count / 8))
  return BigInt(`0x${bytes.toString('hex')}`) >> BigInt(bytes.length * 8 - count)
}

function macOf(key: KeyObject, secret: string): number {
  return createHmac('sha256', key).update(secret).digest().readUIntBE(0, 6) % macRange
}

/** Stands in for what is no token at all, so that judging it takes the same steps. */
const standIn = `bpk_live_${'0'.repeat(12)}_${'0'.repeat(57)}`

/** What of a token could be judged without its row: by its MAC it is ours, or its kid may be one that was lost. */
export interface ReadToken {
  readonly token: Token
  /** The key of the ring that its MAC was made with; undefined when it was none of them. */
  readonly kid: string | undefined
}

/** Tells tokens that were issued here from all others, in some microseconds and without asking anybody. */
export class TokenReader {
  readonly #keys: readonly (readonly [kid: string, key: KeyObject])[]

  constructor(keyring: Keyring) {
    this.#keys = keyring.kids.map((kid) => [kid, keyring.key('api-key-mac', kid)] as const)
  }

  /**
   * Reads a token. Whatever is no token of ours takes the same steps, so that the time they take tells a stranger
   * nothing: one CRC, and one MAC for each key of the ring.
   * @returns undefined for another shape or a wrong CRC; without `kid` for a wrong MAC
   */
  read(text: string): ReadToken | undefined {
    const isShaped = text.length === tokenLength && shape.test(text)
    const judged = isShaped ? text : standIn
    const isWhole = crc32(judged.slice(0, ends.mac)) === fromBase62(judged, ends.mac, ends.crc)
    const secret = judged.slice(0, ends.secret)
    const mac = fromBase62(judged, ends.secret, ends.mac)
    const found = this.#keys.find(([, key]) => macOf(key, secret) === mac)
    if (!isShaped || !isWhole) return undefined
    const environment = text.startsWith('bpk_live') ? 'live' : 'test'
    return { token: { text, prefix: text.slice(0, ends.prefix), environment, secret }, kid: found?.[0] }
  }
}
