import { type Actor, RegistryError } from '@breakpilot/tenant-core'
import type { Express, NextFunction, Request, Response } from 'express'
import type { Authenticate } from './auth/index.ts'
import { challengeFor } from './auth/index.ts'
import type { Principal } from './auth/principal.ts'
import { authorize } from './authorize.ts'
import { readBody } from './body.ts'
import { encode } from './encode.ts'
import { declaredCodes } from './openapi.ts'
import { toProblem } from './problem.ts'
import { requestId } from './request-id.ts'
import type { Call, Route, Services } from './route.ts'
import { securityHeaders } from './security-headers.ts'
import { parseQuery, validate } from './validate.ts'

/** What the log says of every answer. */
export interface Answered {
  readonly request_id: string
  readonly method: string
  /** The route's path as it is written, or null when there is none. */
  readonly route: string | null
  readonly path: string
  readonly status: number
  readonly duration_ms: number
  readonly principal?: string
  /** What went wrong. For us, not for the caller. */
  readonly error?: unknown
}

/** How the host behaves. */
export interface HostOptions {
  readonly services: Services
  readonly authenticate: Authenticate
  /** Refuses requests that may not be answered at all, whoever makes them. */
  readonly guard: (request: Request) => void
  /** Whether a misfit between code and description is reported instead of thrown. */
  readonly production: boolean
  readonly onAnswered: (answered: Answered) => void
}

/** Puts routes on an Express app. The only file that sees requests and responses. */
export function mount(app: Express, routes: readonly Route[], options: HostOptions): void {
  const paths = new Map<string, string[]>()
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
    app[route.method](path, answerWith(route, options))
    paths.set(path, [...(paths.get(path) ?? []), route.method.toUpperCase()])
  }
  for (const [path, methods] of paths) app.all(path, refuseMethod(methods, options))
}

/** Answers what no route does, and what Express itself refuses. Comes last. */
export function mountRest(app: Express, options: HostOptions): void {
  app.use((request: Request, response: Response) => {
    fail(request, response, new RegistryError('route.not_found'), undefined, performance.now(), options)
  })
  // Express knows error handlers by their four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const malformed = error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)
    const known = malformed ? new RegistryError('request.path_malformed', { cause: error }) : error
    fail(request, response, known, undefined, performance.now(), options)
  })
}

function answerWith(route: Route, options: HostOptions) {
  const { services, authenticate, guard, production, onAnswered } = options
  const declared: ReadonlySet<string> = new Set(declaredCodes(route))
  const noStore = route.scope === 'public' ? publicHeaders : privateHeaders

  return async (request: Request, response: Response): Promise<void> => {
    const startedAt = performance.now()
    try {
      let principal: Principal | undefined
      if (route.scope === 'public') {
        guard(request)
      } else {
        const judged = authenticate(request)
        principal = judged instanceof Promise ? await judged : judged
        authorize(principal, route.scope)
      }
      const queryAt = request.url.indexOf('?')
      const query = queryAt === -1 ? {} : parseQuery(request.url.slice(queryAt + 1), route.query)
      const call: Call<undefined, undefined, undefined> = {
        ...services,
        params: route.params && validate(route.params, request.params, '/path'),
        query: route.query && validate(route.query, query, '/query'),
        body: route.body && validate(route.body, await readBody(request, response), ''),
        actor: actorOf(request, principal),
      } as Call<undefined, undefined, undefined>
      const result = await route.handle(call as never)
      const body = encode(route.response, result, production ? (error) => report(error, route) : 'throw')
      const id = requestId(request)
      send(response, route.status, id, body, 'application/json; charset=utf-8', [
        ...noStore,
        ...(route.location ? ['Location', route.location(result as never)] : []),
      ])
      onAnswered({
        request_id: id,
        method: request.method,
        route: route.path,
        path: request.path,
        status: route.status,
        duration_ms: millisecondsSince(startedAt),
        ...(principal && { principal: principal.actor.id }),
      })
    } catch (error) {
      const undeclared = error instanceof RegistryError && !declared.has(error.code)
      fail(
        request,
        response,
        undeclared && !production
          ? new Error(`${route.operation} does not declare ${error.code}`, { cause: error })
          : error,
        route,
        startedAt,
        options,
      )
    }
  }

  function report(error: unknown, { operation }: Route): void {
    onAnswered({
      request_id: '',
      method: '',
      route: operation,
      path: '',
      status: 0,
      duration_ms: 0,
      error: new Error(`an answer of ${operation} does not fit its schema`, { cause: error }),
    })
  }
}

function refuseMethod(methods: readonly string[], options: HostOptions) {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  return (request: Request, response: Response) => {
    const error = new RegistryError('route.method_not_allowed', { detail: `There are ${allow}.` })
    fail(request, response, error, undefined, performance.now(), options, ['Allow', allow])
  }
}

const privateHeaders = ['Cache-Control', 'private, no-cache', 'Vary', 'Authorization'] as const
const publicHeaders = ['Cache-Control', 'no-cache'] as const

/** Answers with a problem. Once an answer has begun there is nothing left to say, save to the log. */
function fail(
  request: Request,
  response: Response,
  error: unknown,
  route: Route | undefined,
  startedAt: number,
  { onAnswered }: HostOptions,
  headers: readonly string[] = [],
): void {
  const id = requestId(request)
  const problem = toProblem(error, { request_id: id, instance: request.path })
  const known = error instanceof RegistryError ? error : undefined
  const challenge = known && challengeFor(known)
  if (!response.headersSent) {
    send(response, problem.status, id, problem, 'application/problem+json; charset=utf-8', [
      ...headers,
      ...privateHeaders,
      ...(challenge === undefined ? [] : ['WWW-Authenticate', challenge]),
      ...(known?.retryAfterSeconds === undefined ? [] : ['Retry-After', String(known.retryAfterSeconds)]),
      // What is left of the body is not worth reading, and the next request would start in the middle of it.
      ...(problem.status === 413 ? ['Connection', 'close'] : []),
    ])
  }
  onAnswered({
    request_id: id,
    method: request.method,
    route: route?.path ?? null,
    path: request.path,
    status: problem.status,
    duration_ms: millisecondsSince(startedAt),
    error,
  })
}

function send(
  response: Response,
  status: number,
  id: string,
  body: unknown,
  contentType: string,
  headers: readonly string[],
): void {
  // Node joins a string to the head and writes them as one; with a buffer beside the head a request costs 5 % more.
  const text = JSON.stringify(body)
  response.writeHead(status, [
    'Content-Type',
    contentType,
    'Content-Length',
    String(Buffer.byteLength(text)),
    'X-Request-Id',
    id,
    ...headers,
    ...securityHeaders,
  ])
  response.end(text)
}

/** To the microsecond: the digits behind it mean nothing, but writing them takes time and room in the log. */
function millisecondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1000) / 1000
}

function actorOf(request: Request, principal: Principal | undefined): Actor {
  const agent = request.headers['user-agent']
  return {
    id: principal?.actor.id ?? 'anonymous',
    ...(principal && { name: principal.actor.name }),
    role: principal?.kind === 'operator' ? principal.role : 'none',
    request_id: requestId(request),
    ...(request.ip !== undefined && { source_ip: request.ip }),
    ...(agent !== undefined && { user_agent: agent.slice(0, 512) }),
  }
}
