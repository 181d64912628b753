import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto'
import { inspect } from 'node:util'

/** A key that cannot be used: says what is wrong with it and nothing of what is in it. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
}

/** The name of a public key: the first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo. */
const keyIdOf = (publicKey: KeyObject): string =>
  hash('sha256', publicKey.export({ format: 'der', type: 'spki' }), 'hex').slice(0, 16)

/** The public half of a signing key: enough to verify. */
export class VerificationKey {
  readonly id: string
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    if (key.asymmetricKeyType !== 'ed25519') throw new SigningKeyError('is not an Ed25519 key')
    this.id = keyIdOf(key)
    this.#key = key
  }

  /** As PEM, which is how it is handed on. */
  get pem(): string {
    return this.#key.export({ format: 'pem', type: 'spki' }).toString()
  }

  verifies(message: Buffer, signature: Buffer): boolean {
    return verify(null, message, this.#key, signature)
  }
}

/** The key that checkpoints of the log are signed with: Ed25519. It is never in the database, and never printed. */
export class SigningKey {
  readonly publicKey: VerificationKey
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    this.publicKey = new VerificationKey(createPublicKey(key))
    this.#key = key
  }

  sign(message: Buffer): Buffer {
    return sign(null, message, this.#key)
  }

  toJSON(): string {
    return '[signing key]'
  }

  [inspect.custom](): string {
    return '[signing key]'
  }
}

/**
 * Reads a private key: PEM, PKCS #8, Ed25519.
 * @throws {SigningKeyError} saying what is wrong, never what is there
 */
export function parseSigningKey(pem: string): SigningKey {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    // Without its cause: OpenSSL's words are about bytes of the key.
    throw new SigningKeyError('is not a private key in PEM (PKCS #8) without a passphrase')
  }
  return new SigningKey(key)
}

/** The text of a new private key. */
export const newSigningKeyText = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

const pemBlocks = /-----BEGIN ([A-Z ]+)-----[^-]*-----END \1-----/g

/**
 * Reads the public keys of a text, one PEM block each: the present key and those before it.
 * @throws {SigningKeyError} when there is none, one cannot be read, or one is private: that belongs elsewhere
 */
export function parseVerificationKeys(text: string): VerificationKey[] {
  const blocks = [...text.matchAll(pemBlocks)]
  if (blocks.length === 0) throw new SigningKeyError('has no public key in PEM')
  return blocks.map(([pem, label]) => {
    if (label !== 'PUBLIC KEY') throw new SigningKeyError(`has a ${label}, and should have public keys alone`)
    try {
      return new VerificationKey(createPublicKey(pem))
    } catch (error) {
      throw error instanceof SigningKeyError ? error : new SigningKeyError('has a public key that cannot be read')
    }
  })
}
