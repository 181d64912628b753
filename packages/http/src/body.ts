import { RegistryError } from '@breakpilot/tenant-core'
import express, { type Request, type Response } from 'express'
import { parseJson } from './json.ts'

/** The most bytes a body may have, after decompression. */
const bodyBytesMax = 256 * 1024

/**
 * The most bytes that are read of a body that is too large, before it is refused in the middle. Up to here its sender is
 * heard out: who is cut off while sending seldom reads the answer.
 */
const patienceBytes = 4 * bodyBytesMax

const readBytes = express.raw({ limit: bodyBytesMax, type: () => true })

// Without `fatal` there would be U+FFFD where bytes make no sense, and we would store something that nobody sent.
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads the JSON body of a request.
 * @throws {RegistryError} `request.body_missing`, `request.content_type_unsupported`,
 *   `request.content_encoding_unsupported`, `request.body_too_large`, `request.json_malformed`
 */
export async function readBody(request: Request, response: Response): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': transfer } = request.headers
  if (transfer === undefined && (length === undefined || length === '0'))
    throw new RegistryError('request.body_missing')
  if (!request.is('application/json')) {
    throw new RegistryError('request.content_type_unsupported', { detail: 'Send application/json.' })
  }
  // RFC 8259 leaves one encoding.
  if (/;\s*charset\s*=(?!\s*"?utf-8"?\s*(?:;|$))/i.test(request.headers['content-type'] ?? '')) {
    throw new RegistryError('request.content_type_unsupported', { detail: 'Send UTF-8.' })
  }
  await new Promise<void>((resolve, reject) => {
    let received = 0
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received > patienceBytes) reject(tooLarge())
    })
    readBytes(request, response, (error?: unknown) =>
      error === undefined ? resolve() : reject(asRegistryError(error)),
    )
  })
  const bytes: unknown = request.body
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw new RegistryError('request.body_missing')
  request.body = parseJson(decode(bytes))
  return request.body
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new RegistryError('request.json_malformed', { detail: 'The body is not UTF-8.', cause })
  }
}

function tooLarge(cause?: unknown): RegistryError {
  return new RegistryError('request.body_too_large', { detail: `At most ${bodyBytesMax} bytes.`, cause })
}

/** What the parser's `type` means: https://github.com/expressjs/body-parser#errors */
function asRegistryError(error: unknown): Error {
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
