import { RegistryError } from '@breakpilot/tenant-core'
import express, { type Request, type Response } from 'express'

/** What a body has to be, and how much of it is read. */
export interface TextBody {
  /** The media types that it may have, the one to be told of first. */
  readonly types: readonly [string, ...string[]]
  /** The most bytes that it may have, after decompression. */
  readonly bytesMax: number
}

// Without `fatal` there would be U+FFFD where bytes make no sense, and we would store something that nobody sent.
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Makes the function that reads the body of a request as text.
 * @throws {RegistryError} (the function made) `request.body_missing`, `request.content_type_unsupported`,
 *   `request.content_encoding_unsupported`, `request.body_too_large`, `request.json_malformed` for bytes that are no text
 */
export function textReader({ types, bytesMax }: TextBody): (request: Request, response: Response) => Promise<string> {
  const readBytes = express.raw({ limit: bytesMax, type: () => true })
  // The most bytes that are read of a body that is too large, before it is refused in the middle. Up to here its sender
  // is heard out: who is cut off while sending seldom reads the answer.
  const patienceBytes = 4 * bytesMax
  const tooLarge = (cause?: unknown) =>
    new RegistryError('request.body_too_large', { detail: `At most ${bytesMax} bytes.`, cause })

  return async (request, response) => {
    const { 'content-length': length, 'transfer-encoding': transfer, 'content-type': type = '' } = request.headers
    if (transfer === undefined && (length === undefined || length === '0')) {
      throw new RegistryError('request.body_missing')
    }
    if (!types.includes(type) && !request.is([...types])) {
      throw new RegistryError('request.content_type_unsupported', { detail: `Send ${types[0]}.` })
    }
    // RFC 8259 leaves one encoding.
    if (/;\s*charset\s*=(?!\s*"?utf-8"?\s*(?:;|$))/i.test(type)) {
      throw new RegistryError('request.content_type_unsupported', { detail: 'Send UTF-8.' })
    }
    await new Promise<void>((resolve, reject) => {
      let received = 0
      request.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received > patienceBytes) reject(tooLarge())
      })
      readBytes(request, response, (error?: unknown) =>
        error === undefined ? resolve() : reject(asRegistryError(error, tooLarge)),
      )
    })
    const bytes: unknown = request.body
    if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw new RegistryError('request.body_missing')
    return decode(bytes)
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new RegistryError('request.json_malformed', { detail: 'The body is not UTF-8.', cause })
  }
}

/** What the parser's `type` means: https://github.com/expressjs/body-parser#errors */
function asRegistryError(error: unknown, tooLarge: (cause: unknown) => RegistryError): Error {
  if (error instanceof RegistryError || !(error instanceof Error)) return error as Error
  switch ('type' in error ? error.type : undefined) {
    case 'entity.too.large':
      return tooLarge(error)
    case 'encoding.unsupported':
      return new RegistryError('request.content_encoding_unsupported', { cause: error })
    case 'request.aborted':
    case 'request.size.invalid':
      return new RegistryError('request.json_malformed', { cause: error })
    default:
      // What calls itself gzip, deflate or br and is not.
      return 'status' in error && error.status === 400
        ? new RegistryError('request.json_malformed', { detail: 'The body does not decompress.', cause: error })
        : error
  }
}
