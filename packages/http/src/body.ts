import type { Request, Response } from 'express'
import { largeBodyBounds, parseJson } from './json.ts'
import { isLines, ndjson, parseLines } from './ndjson.ts'
import type { Route } from './route.ts'
import { textReader } from './text-body.ts'
import { validate } from './validate.ts'

/** The most bytes a JSON body may have, after decompression. */
const bodyBytesMax = 256 * 1024

const json = 'application/json'

/** The media types that the body of a route may have. */
export function mediaTypesOf({ body, method }: Pick<Route, 'body' | 'method'>): readonly [string, ...string[]] {
  if (body && isLines(body)) return [ndjson]
  // RFC 7396 gave merge patches a name of their own; most clients send them as what they look like.
  return method === 'patch' ? [json, 'application/merge-patch+json'] : [json]
}

/**
 * Makes the function that reads the body of a request as its route describes it; undefined for a route without one.
 * @throws {RegistryError} (the function made) `request.invalid`, `request.body_missing`,
 *   `request.content_type_unsupported`, `request.content_encoding_unsupported`, `request.body_too_large`,
 *   `request.json_malformed`
 */
export function bodyReader(
  route: Pick<Route, 'body' | 'bodyBytesMax' | 'bodyMaps' | 'method'>,
): ((request: Request, response: Response) => Promise<unknown>) | undefined {
  const { body, bodyMaps } = route
  if (!body) return undefined
  const types = mediaTypesOf(route)
  // `request.body` is what an Idempotency-Key compares.
  if (isLines(body)) {
    const read = textReader({ types, bytesMax: body.bytesMax })
    return async (request, response) => {
      const text = await read(request, response)
      request.body = text
      return parseLines(text, body)
    }
  }
  const read = textReader({ types, bytesMax: route.bodyBytesMax ?? bodyBytesMax })
  const bounds = route.bodyBytesMax === undefined ? undefined : largeBodyBounds
  return async (request, response) => {
    const value = parseJson(await read(request, response), bodyMaps, bounds)
    request.body = value
    return validate(body, value, '')
  }
}
