import { randomUUID } from 'node:crypto'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { type ErrorCode, RegistryError } from '@breakpilot/tenant-core'
import type { Express } from 'express'
import type { Answered } from './answer.ts'
import { messageClassesOf } from './message-classes.ts'
import { type Problem, toProblem } from './problem.ts'
import { securityHeaders } from './security-headers.ts'

/** How the server behaves below the level of requests. */
export interface ServerOptions {
  /** Milliseconds for a whole request to arrive. 30 000 unless told. */
  readonly requestTimeoutMs?: number
  /** Milliseconds for its headers. 10 000 unless told. */
  readonly headersTimeoutMs?: number
  /** Whether the server is about to end: then every answer asks the caller to come back on another connection. */
  readonly isDraining?: () => boolean
  /** Hears of what was refused before it was a request. */
  readonly onAnswered?: (answered: Answered) => void
}

/**
 * The HTTP server around an app: bounds what a slow caller can hold, and answers what is hardly HTTP with a problem
 * instead of an empty answer or a closed connection. Replaces `app.request` and `app.response` with prototypes that are the
 * same: call it before anybody holds or extends them.
 */
export function createServer(app: Express, options: ServerOptions = {}): Server {
  const server = createHttpServer(
    {
      ...messageClassesOf(app),
      requestTimeout: options.requestTimeoutMs ?? 30_000,
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      // How exactly these two are kept.
      connectionsCheckingInterval: 2_000,
      // Longer than a load balancer keeps its side open, so that it is never us who closes under a new request.
      keepAliveTimeout: 75_000,
      maxHeaderSize: 16 * 1024,
      // Ours to refuse, with a problem.
      requireHostHeader: false,
    },
    (request, response) => {
      if (options.isDraining?.()) response.shouldKeepAlive = false
      if (request.headers.host === undefined && request.httpVersion === '1.1')
        refuse(request, response, 'Host is missing.')
      else app(request, response)
    },
  )

  function refuse(request: IncomingMessage, response: ServerResponse, detail: string): void {
    const problem = problemOf('request.header_invalid', request.url?.split('?')[0] ?? '/', detail)
    const body = JSON.stringify(problem)
    response.writeHead(problem.status, [...headersOf(problem, body), 'Connection', 'close']).end(body)
    report(problem, request.method ?? '')
  }

  function report({ request_id, instance, status, code }: Problem, method: string): void {
    options.onAnswered?.({ request_id, method, route: null, path: instance, status, duration_ms: 0, code })
  }

  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    refuse(request, response, 'Nothing but 100-continue can be expected.')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // With an answer under way, whatever is written now would be taken for that answer.
    const answering: unknown = Reflect.get(socket, '_httpMessage')
    if (error.code === 'ECONNRESET' || !socket.writable || answering) {
      socket.destroy()
      return
    }
    const problem = problemOf(codeOf(error), '/')
    const body = JSON.stringify(problem)
    const head = [...headersOf(problem, body), 'Connection', 'close']
    const lines = head.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
    socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${lines}\r\n${body}`)
    report(problem, '')
  })
  return server
}

function codeOf({ code }: NodeJS.ErrnoException): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'request.headers_too_large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request.timeout' : 'request.header_invalid'
}

function problemOf(code: ErrorCode, instance: string, detail?: string): Problem {
  const error = new RegistryError(code, detail === undefined ? {} : { detail })
  return toProblem(error, { request_id: randomUUID(), instance })
}

function headersOf({ request_id }: Problem, body: string): string[] {
  return [
    'Content-Type',
    'application/problem+json; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'X-Request-Id',
    request_id,
    ...securityHeaders,
  ]
}
