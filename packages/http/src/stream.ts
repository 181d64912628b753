import { once } from 'node:events'
import type { Request, Response } from 'express'
import type { HeaderList } from './answer.ts'
import { requestId } from './request-id.ts'
import { securityHeaders } from './security-headers.ts'

/** A response that is sent while it is made, of any length, in one of some forms. */
export interface Streamed {
  readonly kind: 'stream'
  readonly forms: readonly StreamedForm[]
}

/** A form in which a streamed response comes, for the document. */
export interface StreamedForm {
  /** Without a charset: what is streamed is UTF-8. */
  readonly mediaType: string
  readonly description: string
  readonly example: string
}

/** Writes down a streamed response. */
export function streamed(...forms: readonly StreamedForm[]): Streamed {
  return { kind: 'stream', forms }
}

export const isStreamed = (response: object): response is Streamed => 'kind' in response && response.kind === 'stream'

/** What the handler of a streamed response returns. */
export interface StreamedResult {
  /** With its charset, where it has one: what is sent is UTF-8. */
  readonly mediaType: string
  /** The name under which a browser saves it, of `[A-Za-z0-9._-]`. */
  readonly fileName: string
  /** Asked for one after the other, as fast as the caller takes them; told to return when nobody takes any more. */
  readonly chunks: AsyncIterable<string>
}

/** Milliseconds without anything sent or taken after which a caller who does not read is given up. */
const stalledMs = 60_000

const safeName = /^[A-Za-z0-9._-]{1,100}$/

/** What became of a streamed answer: nobody may have waited for all of it, or the process had to end. */
export type Outcome = 'sent' | 'left' | 'stopped'

/** Whom to hear while sending. */
export interface Heard {
  /** Aborted when the caller is gone. */
  readonly left: AbortSignal
  /** Aborted when the process is to end. */
  readonly stopping?: AbortSignal | undefined
}

/**
 * Sends a response as it is made, and no faster than the caller takes it. The first chunk is made before anything is
 * sent, so what is wrong with the request is still answered with a problem. What goes wrong later resets the
 * connection: half of it must not pass for the whole, and an end without the last chunk is something that not every
 * proxy notices, and no client of HTTP/1.0.
 * @throws what the chunks throw
 */
export async function sendStream(
  request: Request,
  response: Response,
  status: number,
  { mediaType, fileName, chunks }: StreamedResult,
  more: HeaderList,
  heard: Heard,
): Promise<Outcome> {
  if (!safeName.test(fileName)) throw new Error(`${fileName} is no name of a file that is sent`)
  const iterator = chunks[Symbol.asyncIterator]()
  try {
    const first = await iterator.next()
    if (heard.left.aborted) return 'left'
    response.writeHead(status, [
      'Content-Type',
      mediaType,
      'Content-Disposition',
      `attachment; filename="${fileName}"`,
      'X-Request-Id',
      requestId(request),
      ...more,
      ...securityHeaders,
    ])
    const outcome = request.method === 'HEAD' ? 'sent' : await sendChunks(response, first, iterator, heard)
    if (outcome === 'sent') response.end()
    else reset(response)
    return outcome
  } catch (error) {
    if (response.headersSent) reset(response)
    throw error
  } finally {
    await iterator.return?.()
  }
}

async function sendChunks(
  response: Response,
  first: IteratorResult<string, unknown>,
  iterator: AsyncIterator<string>,
  { left, stopping }: Heard,
): Promise<Outcome> {
  const signal = stopping ? AbortSignal.any([left, stopping]) : left
  response.setTimeout(stalledMs, () => reset(response))
  for (let next = first; !next.done; next = await iterator.next()) {
    if (left.aborted) return 'left'
    if (stopping?.aborted) return 'stopped'
    // An abort rejects, and says the same as the two lines above.
    if (!response.write(next.value)) await once(response, 'drain', { signal }).catch(() => undefined)
  }
  return left.aborted ? 'left' : 'sent'
}

/** Ends a connection so that whoever reads from it gets an error, and not an end. */
function reset(response: Response): void {
  response.socket?.resetAndDestroy()
  response.destroy()
}
