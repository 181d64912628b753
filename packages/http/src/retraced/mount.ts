import { RegistryError, withoutKeys } from '@breakpilot/tenant-core'
import cors from 'cors'
import type { Express, NextFunction, Request, Response } from 'express'
import { aboutRequest, type Answered, type HeaderList } from '../answer.ts'
import { largeBodyBounds, parseJson } from '../json.ts'
import { type HostOptions, signalOf } from '../mount.ts'
import type { Counted } from '../rate-limit.ts'
import { requestId } from '../request-id.ts'
import { securityHeaders } from '../security-headers.ts'
import { sendStream } from '../stream.ts'
import { textReader } from '../text-body.ts'
import { proverOf } from './credentials.ts'
import { delegationRoutes } from './delegation.ts'
import { enterpriseRoutes } from './enterprise.ts'
import { publisherRoutes } from './publisher.ts'
import { viewerRoutes } from './viewer.ts'
import { wireErrorOf } from './wire-error.ts'
import type { WireOptions, WireReply, WireRoute, WireServices } from './wire-route.ts'

/** Where this wire begins. */
const base = '/audit'

const routes: readonly WireRoute[] = [...publisherRoutes, ...delegationRoutes, ...viewerRoutes, ...enterpriseRoutes]

/** Bytes that a body may have where a route says nothing else: the longest query is less. */
const bodyBytesMax = 1024 * 1024

const json = 'application/json; charset=utf-8'

/** What the log says of an answer that nobody waited for. */
const callerGone = 499

/** Puts Retraced's wire on an Express app: docs/retraced.md. */
export function mountRetraced(
  app: Express,
  host: HostOptions,
  { enterpriseTokens = 'readable' }: WireOptions = {},
): void {
  const services: WireServices = Object.assign(Object.create(host.services) as HostOptions['services'], {
    wire: { enterpriseTokens },
    prove: proverOf(host.services, signalOf),
    limit: host.limit,
  })
  // Its pages are at home wherever a product shows them, and no cookie goes with their requests.
  app.use(`${base}/viewer/v1`, namePreflight, viewerCors)
  app.use(base, withoutLastSlash)
  for (const route of routes) app.route(base + route.path)[route.method](answerWith(route, services, host))
  app.get([base, `${base}/`, `${base}/healthz`], (request, response) => {
    const startedAt = performance.now()
    write(request, response, { status: 200, headers: [] })
    host.onAnswered({ ...about(request, null, startedAt), status: 200 })
  })
  app.use(base, (request: Request, response: Response) => {
    const startedAt = performance.now()
    write(request, response, { status: 404, headers: ['Content-Type', 'text/plain; charset=utf-8'], text: 'Not Found' })
    host.onAnswered({ ...about(request, null, startedAt), status: 404 })
  })
  // What is refused before any route has it: a path that is not well-formed. Express knows error handlers by their four
  // parameters.
  app.use(base, (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const startedAt = performance.now()
    const malformed = error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)
    const known = malformed ? new RegistryError('request.path_malformed', { cause: error }) : error
    void send(request, response, errorReply(known))
    host.onAnswered({ ...about(request, null, startedAt), status: wireErrorOf(known).status, error: known })
  })
}

/** A slash at the end of an operation's path says nothing to Retraced. */
function withoutLastSlash(request: Request, _response: Response, next: NextFunction): void {
  request.url = request.url.replace(/^(\/(?:(?:publisher|viewer|enterprise)\/)?v1\/[^?]*[^?/])\/(?=\?|$)/, '$1')
  next()
}

/** What answers the question of a browser beforehand is a library that names no request. */
function namePreflight(request: Request, response: Response, next: NextFunction): void {
  if (request.method === 'OPTIONS') response.setHeader('X-Retraced-RequestId', requestId(request))
  next()
}

const viewerCors = cors({
  origin: '*',
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
  allowedHeaders: ['Accept', 'Authorization', 'Content-Type'],
  exposedHeaders: ['Content-Disposition', 'X-Retraced-RequestId'],
  maxAge: 600,
})

function answerWith(route: WireRoute, services: WireServices, { onAnswered, stopping }: HostOptions) {
  const readText = textReader({ types: ['application/json'], bytesMax: route.bodyBytesMax ?? bodyBytesMax })
  return async (request: Request, response: Response): Promise<void> => {
    const startedAt = performance.now()
    let principal: string | undefined
    let counted: Counted | undefined
    const told = (status: number, error?: unknown) =>
      onAnswered({
        ...about(request, base + route.path, startedAt),
        status: response.destroyed && status < 500 ? callerGone : status,
        ...(principal !== undefined && { principal }),
        ...(error !== undefined && { error }),
      })
    const count = async (caller: string) => {
      counted = services.limit && (await services.limit(caller))
      if (counted?.refusal) throw counted.refusal
    }
    try {
      const reply = await route.answer({
        services,
        request,
        response,
        params: request.params as Record<string, string>,
        query: queryOf(request),
        body: async (maps) => parseJson(await readText(request, response), maps, largeBodyBounds),
        async admit(who) {
          principal = who
          await count(who)
        },
        count,
      })
      await send(request, response, reply, { counted, stopping })
      told(reply.status, reply.error)
    } catch (error) {
      const body = wireErrorOf(error)
      if (!response.headersSent) await send(request, response, errorReply(error, route), { counted })
      // What was given up because nobody waits for it is nobody's fault.
      if (isGivenUp(error, response)) told(callerGone)
      else told(body.status, error)
    }
  }
}

/** An error as an answer. */
function errorReply(error: unknown, { isGraphql = false }: Pick<WireRoute, 'isGraphql'> = {}): WireReply {
  const body = wireErrorOf(error)
  const retryAfter = error instanceof RegistryError ? error.retryAfterSeconds : undefined
  // What has neither events nor errors of GraphQL in it Retraced's viewer takes for a session that is over: it would ask
  // for a new one, and search again, without end.
  const isToldAsGraphql = isGraphql && body.status !== 401
  return {
    status: body.status,
    json: isToldAsGraphql ? { ...body, errors: [{ message: body.error }] } : body,
    headers: [
      ...(body.status === 401 ? ['WWW-Authenticate', 'Token realm="tenant-registry"'] : []),
      ...(retryAfter === undefined ? [] : ['Retry-After', String(retryAfter)]),
    ],
  }
}

const isGivenUp = (error: unknown, response: Response) => response.destroyed && error === signalOf(response).reason

const queryOf = ({ url }: Request) => new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')

/** What is sent of an answer, beside its headers. */
interface Writing {
  readonly status: number
  readonly headers: HeaderList
  readonly text?: string
}

/** What is sent beside a reply, and what ends it. */
interface Sending {
  readonly counted?: Counted | undefined
  readonly stopping?: AbortSignal | undefined
}

/** @throws what a stream throws */
async function send(
  request: Request,
  response: Response,
  reply: WireReply,
  { counted, stopping }: Sending = {},
): Promise<void> {
  const { status, json: body, stream } = reply
  const headers = [
    ...(reply.headers ?? []),
    ...(counted?.headers ?? []),
    'Cache-Control',
    'private, no-store',
    // What is left of the body is not worth reading, and the next request would start in the middle of it.
    ...(status === 413 ? ['Connection', 'close'] : []),
  ]
  if (stream) {
    const more = [...headers, 'X-Retraced-RequestId', requestId(request)]
    await sendStream(request, response, status, stream, more, { left: signalOf(response), stopping })
    return
  }
  if (body === undefined) write(request, response, { status, headers })
  else write(request, response, { status, headers: ['Content-Type', json, ...headers], text: JSON.stringify(body) })
}

function write(request: Request, response: Response, { status, headers, text }: Writing): void {
  const length = status === 204 ? [] : ['Content-Length', String(Buffer.byteLength(text ?? ''))]
  response.writeHead(status, [...headers, ...length, ...common(request)])
  response.end(text)
}

const common = (request: Request): HeaderList => [
  'X-Retraced-RequestId',
  requestId(request),
  'X-Request-Id',
  requestId(request),
  ...securityHeaders,
]

/** The path is told whole, as far as it is no secret: `app.use` takes its beginning off. */
const about = (request: Request, route: string | null, startedAt: number): Omit<Answered, 'status'> => ({
  ...aboutRequest(request, route, startedAt),
  path: withoutKeys(request.originalUrl.split('?', 1)[0] ?? ''),
})
