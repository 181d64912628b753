import { RegistryError } from '@breakpilot/tenant-core'
import type { Request } from 'express'
import type { z } from 'zod'
import { validate } from './validate.ts'

/** The media type of JSON documents, one in each line. */
export const ndjson = 'application/x-ndjson'

/** A body of JSON documents, one in each line. What is wrong with a line is wrong with that line alone. */
export interface Lines<Row extends z.ZodType = z.ZodType> {
  readonly kind: 'lines'
  readonly row: Row
  readonly linesMax: number
  readonly bytesMax: number
}

/** A line of a body: what it holds, or what is wrong with it. Numbers begin at 1. */
export type Line<Row> = { readonly line: number } & ({ readonly row: Row } | { readonly error: RegistryError })

/** Writes down a body of lines. */
export function lines<Row extends z.ZodType>(row: Row, bounds: { linesMax: number; bytesMax: number }): Lines<Row> {
  return { kind: 'lines', row, ...bounds }
}

/** A response of JSON documents, one in each line. */
export interface Rows<Row extends z.ZodType = z.ZodType> {
  readonly kind: 'rows'
  readonly row: Row
}

/** Writes down a response of lines. */
export function rows<Row extends z.ZodType>(row: Row): Rows<Row> {
  return { kind: 'rows', row }
}

export const isLines = (body: z.ZodType | Lines): body is Lines => 'kind' in body && body.kind === 'lines'
export const isRows = (response: z.ZodType | Rows): response is Rows => 'kind' in response && response.kind === 'rows'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a body of lines. Blank lines count as lines and say nothing.
 * @throws {RegistryError} `request.body_missing`, `request.content_type_unsupported`,
 *   `request.content_encoding_unsupported`, `request.body_too_large`, `request.json_malformed` for bytes that are no
 *   text
 */
export async function readLines<Row extends z.ZodType>(
  request: Request,
  { row, linesMax, bytesMax }: Lines<Row>,
): Promise<Line<z.output<Row>>[]> {
  const whole = await readText(request, bytesMax)
  // What an Idempotency-Key compares.
  request.body = whole
  const texts = whole.split('\n')
  if (texts.at(-1) === '') texts.pop()
  if (texts.length > linesMax) throw tooLarge(`It has ${texts.length} lines; ${linesMax} are the most.`)
  return texts.flatMap((text, index): Line<z.output<Row>>[] => {
    const line = index + 1
    if (text.trim() === '') return []
    try {
      return [{ line, row: validate(row, JSON.parse(text), '') }]
    } catch (error) {
      if (error instanceof RegistryError) return [{ line, error }]
      return [{ line, error: new RegistryError('request.json_malformed', { cause: error }) }]
    }
  })
}

async function readText(request: Request, bytesMax: number): Promise<string> {
  const {
    'content-length': length,
    'content-encoding': encoding = 'identity',
    'transfer-encoding': transfer,
  } = request.headers
  if (transfer === undefined && (length === undefined || length === '0'))
    throw new RegistryError('request.body_missing')
  if (!request.is(ndjson)) {
    throw new RegistryError('request.content_type_unsupported', { detail: `Send ${ndjson}.` })
  }
  if (encoding !== 'identity') {
    throw new RegistryError('request.content_encoding_unsupported', { detail: 'Send it as it is.' })
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw tooLarge(`${bytesMax} bytes are the most.`)
    chunks.push(chunk)
  }
  if (bytes === 0) throw new RegistryError('request.body_missing')
  try {
    return utf8.decode(Buffer.concat(chunks))
  } catch (cause) {
    throw new RegistryError('request.json_malformed', { detail: 'The body is not UTF-8.', cause })
  }
}

const tooLarge = (detail: string) => new RegistryError('request.body_too_large', { detail })

/** JSON documents as lines. */
export const toLines = (documents: readonly unknown[]) => documents.map((each) => `${JSON.stringify(each)}\n`).join('')
