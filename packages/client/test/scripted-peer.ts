import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it arrived. */
export interface Arrival {
  readonly method: string
  /** The request target, byte for byte. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** When it arrived, in milliseconds since some moment. */
  readonly at: number
  /** Ends when the client has gone away, or the answer has. */
  readonly closed: Promise<unknown>
}

/** What the peer does about one request. */
export type Step = (response: ServerResponse, request: IncomingMessage) => void

/** An HTTP server that answers as the test tells it: with one step after the other, the last one over and over. */
export interface ScriptedPeer extends AsyncDisposable {
  readonly url: string
  readonly arrivals: readonly Arrival[]
}

/** Starts a peer on the loopback interface. */
export async function startPeer(...steps: Step[]): Promise<ScriptedPeer> {
  const arrivals: Arrival[] = []
  const server = createServer((request, response) => {
    const closed = once(response, 'close')
    const at = performance.now()
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      const step = steps[Math.min(arrivals.length, steps.length - 1)]
      const { method = '', url: path = '', headers } = request
      arrivals.push({ method, path, headers, body, at, closed })
      step?.(response, request)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Answers with JSON. */
export function json(body: unknown, { status = 200, ...headers }: { status?: number; [header: string]: unknown } = {}) {
  return text(JSON.stringify(body), { status, 'content-type': 'application/json', ...headers })
}

/** Answers with a problem, as the registry does. */
export function problem(status: number, code: string, headers: Record<string, unknown> = {}): Step {
  const body = { type: `urn:x:${code}`, title: 'A title', status, instance: '/', code, request_id: 'req-of-problem' }
  return json(body, { status, 'content-type': 'application/problem+json', ...headers })
}

/** Answers with a text. */
export function text(body: string, { status = 200, ...headers }: { status?: number; [header: string]: unknown } = {}) {
  return ((response) => response.writeHead(status, headers as Record<string, string>).end(body)) satisfies Step
}

/** Never answers. */
export const silence: Step = () => {}

/** Breaks the connection instead of answering. */
export const breakConnection: Step = (response) => void response.destroy()

/** Begins an answer and breaks the connection in the middle of it. */
export const breakInTheMiddle: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"status":', () => response.destroy())
}

/** Begins an answer that does not end. */
export const neverEnding: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write('{"status":')
}

/** An address where nobody listens. */
export async function deadUrl(): Promise<string> {
  const peer = await startPeer()
  await peer[Symbol.asyncDispose]()
  return peer.url
}
