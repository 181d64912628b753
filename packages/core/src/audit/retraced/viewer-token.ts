import { createHash, randomBytes } from 'node:crypto'

/** Makes a viewer token: 32 hexadecimal digits, of which the digest is kept. */
export function newViewerToken(): { readonly token: string; readonly digest: Buffer } {
  const token = randomBytes(16).toString('hex')
  return { token, digest: digestOf(token) }
}

/** What is kept of a token: it has 128 random bits, so there is nothing to be guessed. */
export const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()
