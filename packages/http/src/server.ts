import { createServer as createHttpServer, type Server, STATUS_CODES } from 'node:http'
import type { Express } from 'express'
import { problemType } from './problem.ts'

/** How long a caller may take, in milliseconds. */
export interface ServerOptions {
  /** For the whole request. 30 000 unless told. */
  readonly requestTimeoutMs?: number
  /** For its headers. 10 000 unless told. */
  readonly headersTimeoutMs?: number
  /** Whether the server is about to end: then every answer asks the caller to come back on another connection. */
  readonly isDraining?: () => boolean
}

/**
 * The HTTP server around an app: bounds what a slow caller can hold, and answers what is not HTTP with a problem
 * instead of a closed connection.
 */
export function createServer(app: Express, options: ServerOptions = {}): Server {
  const server = createHttpServer(
    {
      requestTimeout: options.requestTimeoutMs ?? 30_000,
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      // Longer than a load balancer keeps its side open, so that it is never us who closes under a new request.
      keepAliveTimeout: 75_000,
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      if (options.isDraining?.()) response.shouldKeepAlive = false
      app(request, response)
    },
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    const code = 'request.header_invalid'
    const body = JSON.stringify({
      type: problemType(code),
      title: 'A header is not valid',
      status,
      instance: '/',
      code,
    })
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
  })
  return server
}
