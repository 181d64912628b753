import { isIP } from 'node:net'
import { type Actor, RegistryError } from '@breakpilot/tenant-core'
import type { Express, NextFunction, Request, Response } from 'express'
import { aboutRequest, type Answered, privateHeaders, publicHeaders, sendJson, sendProblem } from './answer.ts'
import type { Authenticate } from './auth/index.ts'
import type { Principal } from './auth/principal.ts'
import { authorize } from './authorize.ts'
import { readBody } from './body.ts'
import { encode } from './encode.ts'
import { declaredCodes } from './openapi.ts'
import { requestId } from './request-id.ts'
import type { Call, Route, Services } from './route.ts'
import { parseQuery, validate } from './validate.ts'

/** How the host behaves. */
export interface HostOptions {
  readonly services: Services
  readonly authenticate: Authenticate
  /** Whether an answer that does not fit its description is reported and sent, instead of failing. */
  readonly production: boolean
  /** Hears of every answer. */
  readonly onAnswered: (answered: Answered) => void
  /** Hears of answers that do not fit their description: a fault of ours that the caller need not suffer from. */
  readonly onMisfit: (error: Error) => void
}

/** Puts routes on an Express app: the file that sees requests and responses, so that handlers need not. */
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
export function mountRest(app: Express, { onAnswered }: HostOptions): void {
  app.use((request: Request, response: Response) => {
    const failed = sendProblem(request, response, new RegistryError('route.not_found'))
    onAnswered({ ...aboutRequest(request, null, performance.now()), ...failed })
  })
  // Express knows error handlers by their four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const malformed = error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)
    const known = malformed ? new RegistryError('request.path_malformed', { cause: error }) : error
    onAnswered({ ...aboutRequest(request, null, performance.now()), ...sendProblem(request, response, known) })
  })
}

function answerWith(route: Route, options: HostOptions) {
  const { services, authenticate, production, onAnswered, onMisfit } = options
  const declared: ReadonlySet<string> = new Set(declaredCodes(route))
  const caching = route.scope === 'public' ? publicHeaders : privateHeaders
  const misfit = production
    ? (cause: unknown) => onMisfit(new Error(`an answer of ${route.operation} does not fit its schema`, { cause }))
    : 'throw'

  return async (request: Request, response: Response): Promise<void> => {
    const startedAt = performance.now()
    try {
      let principal: Principal | undefined
      if (route.scope !== 'public') {
        const judged = authenticate(request)
        principal = judged instanceof Promise ? await judged : judged
        authorize(principal, route.scope)
      }
      const queryAt = request.url.indexOf('?')
      const query = queryAt === -1 ? {} : parseQuery(request.url.slice(queryAt + 1), route.query)
      const call = {
        ...services,
        params: route.params && validate(route.params, request.params, '/path'),
        query: route.query && validate(route.query, query, '/query'),
        body: route.body && validate(route.body, await readBody(request, response), ''),
        actor: actorOf(request, principal),
      } as Call<undefined, undefined, undefined>
      const result = await route.handle(call as never)
      const location = route.location ? ['Location', route.location(result as never)] : []
      sendJson(request, response, route.status, encode(route.response, result, misfit), [...caching, ...location])
      const who = principal && { principal: principal.actor.id }
      onAnswered({ ...aboutRequest(request, route.path, startedAt), status: route.status, ...who })
    } catch (error) {
      const undeclared = !production && error instanceof RegistryError && !declared.has(error.code)
      const told = undeclared ? new Error(`${route.operation} does not declare ${error.code}`, { cause: error }) : error
      onAnswered({ ...aboutRequest(request, route.path, startedAt), ...sendProblem(request, response, told) })
    }
  }
}

function refuseMethod(methods: readonly string[], { onAnswered }: HostOptions) {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ')
  return (request: Request, response: Response) => {
    const error = new RegistryError('route.method_not_allowed', { detail: `There are ${allow}.` })
    const failed = sendProblem(request, response, error, ['Allow', allow])
    onAnswered({ ...aboutRequest(request, null, performance.now()), ...failed })
  }
}

function actorOf(request: Request, principal: Principal | undefined): Actor {
  const agent = request.headers['user-agent']
  return {
    id: principal?.actor.id ?? 'anonymous',
    ...(principal && { name: principal.actor.name }),
    role: principal?.kind === 'operator' ? principal.role : 'none',
    request_id: requestId(request),
    // What a proxy claims is any text; what is recorded is an address.
    ...(isIP(request.ip ?? '') !== 0 && request.ip !== undefined && { source_ip: request.ip }),
    ...(agent !== undefined && { user_agent: agent.slice(0, 512) }),
  }
}
