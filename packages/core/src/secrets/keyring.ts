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

const kidError = 'must be 1 to 32 letters, digits, dots, dashes or underscores'
/** Shorter than any key in any spelling, so that no secret passes for a name. */
const Kid = z.string().regex(/^[A-Za-z0-9._-]{1,32}$/, { error: kidError })
const keyError = `must be ${keyBytes} bytes in Base64`
const Key = z
  .base64({ error: keyError, abort: true })
  .refine((text) => Buffer.from(text, 'base64').length === keyBytes, { error: keyError })
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
    const made = this.#derive(purpose, kid)
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
    const key = this.#derive(`${purpose} seal`, this.current, salt)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    return { kid: this.current, bytes: Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]) }
  }

  /** @throws {KeyringError} when it was not sealed so, was changed, or its key is no longer there */
  open(purpose: Purpose, { kid, bytes }: Sealed, { salt = '', context = '' } = {}): Buffer {
    const key = this.#derive(`${purpose} seal`, kid, salt)
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
    return createHmac('sha256', this.#derive('check', kid)).update('check value').digest('hex').slice(0, 16)
  }

  /** Keys that authenticate and keys that seal are never the same ones: they have another `info`. */
  #derive(info: string, kid: string, salt = ''): KeyObject {
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
  if (!parsed.success) throw new KeyringError(wordsFor(parsed.error.issues[0]))
  const { current, keys } = parsed.data
  return new Keyring(current, new Map(Object.entries(keys).map(([kid, key]) => [kid, Buffer.from(key, 'base64')])))
}

/** Says what is wrong, and where. Of the text only names that can be no secret are repeated. */
function wordsFor(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is not valid'
  if (issue.code === 'unrecognized_keys') return 'has to have current and keys, and nothing else'
  const [field, kid] = issue.path.map(String)
  if (field === undefined) return 'has to be an object with current and keys'
  if (issue.code === 'invalid_key') return `${field}: a name ${kidError}`
  const named = kid !== undefined && Kid.safeParse(kid).success ? `${field}.${kid}` : field
  return `${named}: ${issue.code === 'invalid_type' ? 'is missing or of another type' : issue.message}`
}

/** The text of a new keyring with one key. */
export function newKeyringText(kid = 'k1'): string {
  return `${JSON.stringify({ current: kid, keys: { [kid]: randomBytes(keyBytes).toString('base64') } }, null, 2)}\n`
}
