import { z } from 'zod'
import { encode, type OnMisfit } from './encode.ts'
import { isRows, ndjson, toLines } from './ndjson.ts'
import { entityTag } from './preconditions.ts'
import type { Route } from './route.ts'
import { isStreamed } from './stream.ts'
import { isWritten } from './written.ts'

/** A whole answer, before it is sent: what an `Idempotency-Key` keeps, and what a replay sends again. */
export interface Reply {
  readonly status: number
  /** Names and values after them, as they are written. */
  readonly headers: readonly string[]
  /** Null for an answer without a body. */
  readonly body: string | null
  /** The id of what was made, when the body shows a secret. */
  readonly secretOf?: string | undefined
}

const json = 'application/json; charset=utf-8'

/** What decides the form of an answer, beside its route. */
export interface View {
  /** Whether the caller is not of the platform. */
  readonly reduced: boolean
  readonly onMisfit: OnMisfit
  /** What the handler was called with. */
  readonly call: unknown
}

/** Makes the answer of a route out of what its handler returned. */
export function replyOf(route: Route, result: unknown, { reduced, onMisfit, call }: View): Reply {
  if (route.status === 204) return { status: 204, headers: [], body: null }
  const { response } = route
  if (isRows(response)) {
    const documents = (result as readonly unknown[]).map((each) => encode(response.row, each, onMisfit))
    return { status: route.status, headers: ['Content-Type', ndjson], body: toLines(documents) }
  }
  if (isStreamed(response)) throw new Error(`${route.operation} has no whole answer: it is sent while it is made`)
  let body: string
  if (isWritten(response)) {
    body = result as string
    // What was written cannot be changed any more: where a misfit may be told of it is, and elsewhere nothing looks at it again.
    if (onMisfit === 'throw') z.decode(response.schema, JSON.parse(body))
  } else {
    const isPlain = route.wire && onMisfit !== 'throw'
    const schema = reduced ? (route.reduced ?? response) : response
    body = JSON.stringify(isPlain ? result : encode(schema, result, onMisfit))
  }
  const contentLocation = route.contentLocation?.(result as never, call as never)
  return {
    status: route.status,
    headers: [
      'Content-Type',
      json,
      ...(route.etag ? ['ETag', entityTag(route.etag(result as never), body)] : []),
      ...(route.replayed?.(result as never) ? ['Idempotency-Replayed', 'true'] : []),
      ...(route.location ? ['Location', route.location(result as never)] : []),
      ...(contentLocation === undefined ? [] : ['Content-Location', contentLocation]),
    ],
    body,
    ...(route.secretOf && { secretOf: route.secretOf(result as never) }),
  }
}

/** The value of a header of a reply. */
export function headerOf({ headers }: Reply, name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each === name)
  return at === -1 ? undefined : headers[at + 1]
}
