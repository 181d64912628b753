import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { inspect } from 'node:util'
import { z } from 'zod'

/** What a key is derived for. A key for one purpose says nothing about that of another. */
export const purposes = ['api-key-mac', 'idempotency', 'idp-secret', 'enterprise-token', 'viewer-session'] as const
export type Purpose = (typeof purposes)[number]

/** How many bytes a key of the ring has. */
const keyBytes = 32

const Kid = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,32}$/, { error: 'must be 1 to 32 letters, digits, dots, dashes or underscores' })
const Key = z.base64().refine((text) => Buffer.from(text, 'base64').length === keyBytes, {
  error: `must be ${keyBytes} bytes in Base64`,
})
const KeyringFile = z
  .strictObject({ current: Kid, keys: z.record(Kid, Key) })
  .refine(({ current, keys }) => Object.hasOwn(keys, current), { path: ['current'], error: 'must be one of keys' })

/** A keyring that cannot be used: says what is wrong with it and nothing of what is in it. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

/** Something that was sealed, and under which key. */
export interface Sealed {
  readonly kid: string
  /** Nonce, ciphertext and tag, one after the other. */
  readonly bytes: Buffer
}

/**
 * The secrets of the server: every other one is derived from these. Keys are made once for each purpose and never
 * printed.
 */
export class Keyring {
  /** The key that new things are made with. */
  readonly current: string
  readonly #keys: ReadonlyMap<string, Buffer>
  readonly #derived = new Map<string, KeyObject>()

  constructor(current: string, keys: ReadonlyMap<string, Buffer>) {
    this.current = current
    this.#keys = keys
  }

  /** Every key there is, the current one first. */
  get kids(): readonly string[] {
    return [this.current, ...[...this.#keys.keys()].filter((kid) => kid !== this.current).sort()]
  }

  /**
   * The key for a purpose: HKDF-SHA-256 of the ring's key, with the purpose as `info`.
   * @throws {KeyringError} when the ring has no such key
   */
  key(purpose: Purpose, kid: string = this.current): KeyObject {
    const name = `${kid} ${purpose}`
    const known = this.#derived.get(name)
    if (known) return known
    const made = this.#derive(purpose, kid, Buffer.alloc(0))
    this.#derived.set(name, made)
    return made
  }

  /** HMAC-SHA-256 under the key for a purpose. */
  mac(purpose: Purpose, data: Buffer, kid: string = this.current): Buffer {
    return createHmac('sha256', this.key(purpose, kid)).update(data).digest()
  }

  /**
   * Seals with AES-256-GCM under the current key.
   * @param salt what opening it also takes, beside the ring; empty when nothing does
   * @param context what it belongs to: what was sealed for one thing does not open as another's
   */
  seal(purpose: Purpose, plaintext: Buffer, { salt = '', context = '' } = {}): Sealed {
    const nonce = randomBytes(nonceBytes)
    const key = this.#derive(purpose, this.current, Buffer.from(salt))
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    return { kid: this.current, bytes: Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]) }
  }

  /** @throws {KeyringError} when it was not sealed so, was changed, or its key is no longer there */
  open(purpose: Purpose, { kid, bytes }: Sealed, { salt = '', context = '' } = {}): Buffer {
    const key = this.#derive(purpose, kid, Buffer.from(salt))
    const tagAt = bytes.length - tagBytes
    if (tagAt < nonceBytes) throw new KeyringError('what was sealed is too short')
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(tagAt))
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, tagAt)), decipher.final()])
    } catch (cause) {
      throw new KeyringError('what was sealed cannot be opened', { cause })
    }
  }

  /** A value that tells two keys of one name apart, and nothing else about them. */
  checkValue(kid: string = this.current): string {
    return createHmac('sha256', this.#derive('check', kid, Buffer.alloc(0)))
      .update('check value')
      .digest('hex')
      .slice(0, 16)
  }

  #derive(info: string, kid: string, salt: Buffer): KeyObject {
    const key = this.#keys.get(kid)
    if (!key) throw new KeyringError(`the keyring has no key ${kid}`)
    return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, `tenant-registry ${info}`, keyBytes)))
  }

  toJSON(): string {
    return '[keyring]'
  }

  [inspect.custom](): string {
    return '[keyring]'
  }
}

/** What GCM is made for: https://csrc.nist.gov/pubs/sp/800/38/d/final */
const nonceBytes = 12
const tagBytes = 16

/**
 * Reads a keyring: `{"current": "<kid>", "keys": {"<kid>": "<32 bytes in Base64>"}}`.
 * @throws {KeyringError} saying what is wrong, never what is there
 */
export function parseKeyring(text: string): Keyring {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's message quotes the text.
    throw new KeyringError('is not JSON')
  }
  const parsed = KeyringFile.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new KeyringError(
      `${issue?.path[0] === undefined ? '' : `${String(issue.path[0])} `}${issue?.message ?? 'is not valid'}`,
    )
  }
  const { current, keys } = parsed.data
  return new Keyring(current, new Map(Object.entries(keys).map(([kid, key]) => [kid, Buffer.from(key, 'base64')])))
}

/** The text of a new keyring with one key. */
export function newKeyringText(kid = 'k1'): string {
  return `${JSON.stringify({ current: kid, keys: { [kid]: randomBytes(keyBytes).toString('base64') } }, null, 2)}\n`
}
