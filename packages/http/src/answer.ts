import { RegistryError, withoutKeys } from '@breakpilot/tenant-core'
import type { Request, Response } from 'express'
import { challengeFor } from './auth/index.ts'
import { toProblem } from './problem.ts'
import type { Reply } from './reply.ts'
import { requestId } from './request-id.ts'
import { securityHeaders } from './security-headers.ts'
import { traceId } from './trace.ts'

/** What the log says of every answer. */
export interface Answered {
  readonly request_id: string
  readonly method: string
  /** The route's path as it is written, or null when there is none. */
  readonly route: string | null
  readonly path: string
  /** 499 when the caller was gone before the answer was there: it was answered nothing. */
  readonly status: number
  readonly duration_ms: number
  readonly principal?: string
  /** The trace that the request belongs to. */
  readonly trace_id?: string
  /** The code of the problem, when it was one. */
  readonly code?: string
  /** What went wrong. For us, not for the caller. */
  readonly error?: unknown
}

/** Headers, a name and its value after it, as they are written. */
export type HeaderList = readonly string[]

/** For what is meant for this caller alone. Where pages of other origins may read it, it also says which one may. */
export const privateHeaders = (corsOrigins: readonly string[] = []): HeaderList => [
  'Cache-Control',
  'private, no-cache',
  'Vary',
  corsOrigins.length > 0 ? 'Authorization, Origin' : 'Authorization',
]

/** For what everybody may see. */
export const publicHeaders: HeaderList = ['Cache-Control', 'no-cache']

/** Answers with a body, or with none. */
export function send(request: Request, response: Response, { status, headers, body }: Reply, more: HeaderList): void {
  response.writeHead(status, [
    ...headers,
    // Neither has a body, and the length that it would have had is nobody's business.
    ...(body === null ? [] : ['Content-Length', String(Buffer.byteLength(body))]),
    'X-Request-Id',
    requestId(request),
    ...more,
    ...securityHeaders,
  ])
  // Node joins a string to the head and writes them as one; with a buffer beside the head a request costs 5 % more.
  if (body === null) response.end()
  else response.end(body)
}

const problemHeaders: HeaderList = ['Content-Type', 'application/problem+json; charset=utf-8']

/**
 * Answers with the problem that an error is, and says what the log should hear of it.
 * @param headers what the answer has beside the headers of a problem: `privateHeaders`, and more
 */
export function sendProblem(
  request: Request,
  response: Response,
  error: unknown,
  headers: HeaderList,
): Pick<Answered, 'status' | 'code' | 'error'> {
  const problem = toProblem(error, { request_id: requestId(request), instance: withoutKeys(request.path) })
  const known = error instanceof RegistryError ? error : undefined
  const challenge = known && challengeFor(known)
  // Once an answer has begun there is nothing left to say to the caller.
  if (!response.headersSent) {
    const all = [
      ...headers,
      ...(challenge === undefined ? [] : ['WWW-Authenticate', challenge]),
      ...(known?.retryAfterSeconds === undefined ? [] : ['Retry-After', String(known.retryAfterSeconds)]),
      // What is left of the body is not worth reading, and the next request would start in the middle of it.
      ...(problem.status === 413 ? ['Connection', 'close'] : []),
    ]
    const reply = { status: problem.status, headers: problemHeaders, body: JSON.stringify(problem) }
    send(request, response, reply, all)
  }
  return { status: problem.status, code: problem.code, error }
}

/** What the log says of every answer alike. Durations to the microsecond: what is behind it means nothing. */
export function aboutRequest(request: Request, route: string | null, startedAt: number) {
  const trace_id = traceId(request.headers['traceparent'])
  return {
    request_id: requestId(request),
    ...(trace_id !== undefined && { trace_id }),
    method: request.method,
    route,
    path: withoutKeys(request.path),
    duration_ms: Math.round((performance.now() - startedAt) * 1000) / 1000,
  }
}
