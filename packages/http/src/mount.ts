import { isIP } from 'node:net'
import { type Actor, RegistryError, type Sight, type TenantId } from '@breakpilot/tenant-core'
import type { Express, NextFunction, Request, Response } from 'express'
import type { z } from 'zod'
import { aboutRequest, type Answered, privateHeaders, publicHeaders, send, sendProblem } from './answer.ts'
import type { Authenticate } from './auth/index.ts'
import type { Principal } from './auth/principal.ts'
import { authorize, roleOf, type Scope, sightOf } from './authorize.ts'
import { readBody } from './body.ts'
import { answerOnce, idempotencyKeyOf } from './idempotency.ts'
import { isLines, type Lines, readLines } from './ndjson.ts'
import { declaredCodes } from './openapi.ts'
import { expectedVersion, isKnown } from './preconditions.ts'
import type { Limit } from './rate-limit.ts'
import { headerOf, type Reply, replyOf } from './reply.ts'
import { requestId } from './request-id.ts'
import type { Route, Services } from './route.ts'
import { traceId } from './trace.ts'
import { parseQuery, validate } from './validate.ts'

/** How the host behaves. */
export interface HostOptions {
  readonly services: Services
  readonly authenticate: Authenticate
  /** Whether an answer that does not fit its description is reported and sent, instead of failing. */
  readonly production: boolean
  /** Counts the requests of each caller, if anything does. */
  readonly limit?: Limit | undefined
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
  const { authenticate, production, onAnswered, onMisfit: report, limit } = options
  const declared: ReadonlySet<string> = new Set(declaredCodes(route))
  const caching = route.scope === 'public' ? publicHeaders : privateHeaders
  const onMisfit = production
    ? (cause: unknown) => report(new Error(`an answer of ${route.operation} does not fit its schema`, { cause }))
    : 'throw'

  return async (request: Request, response: Response): Promise<void> => {
    const startedAt = performance.now()
    let principal: Principal | undefined
    try {
      if (route.scope !== 'public') {
        const judged = authenticate(request)
        principal = judged instanceof Promise ? await judged : judged
        if (limit) await limit(request, response, principal.actor.id)
      }
      const params = route.params && validate(route.params, request.params, '/path')
      if (principal && route.scope !== 'public') authorize(principal, route.scope, tenantIn(params))
      const call = await callOf(route, options.services, request, response, principal, params)
      const preview = route.preview !== undefined && call.query?.['dry_run'] === 'true'
      const handle = preview ? route.preview.handle : route.handle
      const reduced = principal !== undefined && principal.kind !== 'operator'
      const answer = async (made: AnyCall): Promise<Reply> =>
        replyOf(route, await handle(made as never), { preview, reduced, onMisfit, call: made })
      const key = route.idempotent && !preview ? idempotencyKeyOf(request) : undefined
      const reply =
        key === undefined || !principal
          ? await answer(call)
          : await answerOnce({ ...options.services, request, principal: principal.actor.id, key }, (db) =>
              answer(Object.create(call, { db: { value: db } }) as AnyCall),
            )
      const status = sendFresh(request, response, reply, caching)
      onAnswered({ ...aboutRequest(request, route.path, startedAt), status, ...who(principal) })
    } catch (error) {
      const undeclared = !production && error instanceof RegistryError && !declared.has(error.code)
      const told = undeclared ? new Error(`${route.operation} does not declare ${error.code}`, { cause: error }) : error
      const failed = sendProblem(request, response, told)
      onAnswered({ ...aboutRequest(request, route.path, startedAt), ...failed, ...who(principal) })
    }
  }
}

const who = (principal: Principal | undefined) => principal && { principal: principal.actor.id }

/** The tenant that a path is about. */
function tenantIn(params: Record<string, unknown> | undefined): TenantId | undefined {
  return params?.['tenant_id'] as TenantId | undefined
}

/** Sends an answer, or 304 when the caller says that it has it already. */
function sendFresh(request: Request, response: Response, reply: Reply, caching: readonly string[]): number {
  const etag = headerOf(reply, 'ETag')
  if (request.method === 'GET' && etag !== undefined && isKnown(request.headers['if-none-match'], etag)) {
    send(request, response, { status: 304, headers: ['ETag', etag], body: null }, caching)
    return 304
  }
  send(request, response, reply, caching)
  return reply.status
}

interface AnyCall extends Services {
  readonly query: Record<string, unknown> | undefined
  readonly body: unknown
}

async function callOf(
  route: Route,
  services: Services,
  request: Request,
  response: Response,
  principal: Principal | undefined,
  params: Record<string, unknown> | undefined,
): Promise<AnyCall> {
  const queryAt = request.url.indexOf('?')
  const query = queryAt === -1 ? {} : parseQuery(request.url.slice(queryAt + 1), route.query)
  const actor = actorOf(request, principal, route.scope, tenantIn(params))
  return {
    ...services,
    params,
    query: route.query && validate(route.query, query, '/query'),
    expectedVersion: route.preconditions ? expectedVersion(request.headers['if-match']) : undefined,
    body: route.body && (await bodyOf(route.body, request, response)),
    actor,
    sight: actor.sight,
    principal,
    // Made when somebody asks for it: most requests never do.
    get signal() {
      return signalOf(response)
    },
  } as AnyCall
}

async function bodyOf(body: z.ZodType | Lines, request: Request, response: Response): Promise<unknown> {
  if (isLines(body)) return await readLines(request, body)
  return validate(body, await readBody(request, response), '')
}

const signals = new WeakMap<Response, AbortSignal>()

/** Aborted when the connection closes before the answer is complete. */
function signalOf(response: Response): AbortSignal {
  const known = signals.get(response)
  if (known) return known
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  signals.set(response, controller.signal)
  return controller.signal
}

function refuseMethod(methods: readonly string[], { onAnswered }: HostOptions) {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ')
  return (request: Request, response: Response) => {
    const error = new RegistryError('route.method_not_allowed', { detail: `There are ${allow}.` })
    const failed = sendProblem(request, response, error, ['Allow', allow])
    onAnswered({ ...aboutRequest(request, null, performance.now()), ...failed })
  }
}

function actorOf(
  request: Request,
  principal: Principal | undefined,
  scope: Scope,
  tenantId: TenantId | undefined,
): Actor {
  const agent = request.headers['user-agent']
  const trace = traceId(request.headers['traceparent'])
  return {
    id: principal?.actor.id ?? 'anonymous',
    ...(principal && { name: principal.actor.name }),
    role: principal ? roleOf(principal, tenantId) : 'none',
    sight: principal && scope !== 'public' ? sightOf(principal, scope) : nothing,
    request_id: requestId(request),
    ...(trace !== undefined && { trace_id: trace }),
    // What a proxy claims is any text; what is recorded is an address.
    ...(isIP(request.ip ?? '') !== 0 && request.ip !== undefined && { source_ip: request.ip }),
    ...(agent !== undefined && { user_agent: agent.slice(0, 512) }),
  }
}

/** What nobody in particular sees. */
const nothing: Sight = { kind: 'tenants', tenantIds: [] }
