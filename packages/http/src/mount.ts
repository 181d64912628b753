import { isIP } from 'node:net'
import {
  type Actor,
  getTenant,
  type ProjectId,
  RegistryError,
  type Sight,
  type TenantId,
} from '@breakpilot/tenant-core'
import type { Express, NextFunction, Request, Response } from 'express'
import {
  aboutRequest,
  type Answered,
  type HeaderList,
  privateHeaders,
  publicHeaders,
  send,
  sendProblem,
} from './answer.ts'
import type { Authenticate } from './auth/index.ts'
import type { Principal } from './auth/principal.ts'
import { asksForMore, authorize, roleOf, sightOf } from './authorize.ts'
import { bodyReader } from './body.ts'
import { answerOnce, idempotencyKeyOf } from './idempotency.ts'
import { declaredCodes } from './openapi.ts'
import { expectationOf, isKnown } from './preconditions.ts'
import type { Counted, Limit } from './rate-limit.ts'
import { headerOf, type Reply, replyOf } from './reply.ts'
import { requestId } from './request-id.ts'
import { previewOf, type Route, type Services } from './route.ts'
import { isStreamed, type Outcome, sendStream, type StreamedResult } from './stream.ts'
import { traceId } from './trace.ts'
import { parseQuery, validate } from './validate.ts'

/** How the host behaves. */
export interface HostOptions {
  readonly services: Services
  readonly authenticate: Authenticate
  /** Whether an answer that does not fit its description is reported and sent, instead of failing. */
  readonly production: boolean
  /** The origins whose pages may read answers; none unless told. */
  readonly corsOrigins?: readonly string[] | undefined
  /** Counts the requests of each caller, if anything does. */
  readonly limit?: Limit | undefined
  /** Counts the requests of each address, where nobody says who it is. */
  readonly limitAddress: Limit
  /** Hears of every answer. */
  readonly onAnswered: (answered: Answered) => void
  /** Aborted when the process is about to end: answers without an end of their own end then. */
  readonly stopping?: AbortSignal | undefined
  /** Hears of answers and errors that do not fit their description: a fault of ours that the caller need not suffer from. */
  readonly onMisfit: (error: Error) => void
}

/** Puts routes on an Express app: the file that sees requests and responses, so that handlers need not. */
export function mount(app: Express, routes: readonly Route[], options: HostOptions): void {
  const byPath = Map.groupBy(routes, ({ path }) => path)
  for (const [path, its] of byPath) {
    // One layer for each path: the router tries them one after the other.
    const at = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'))
    const words = wordsBeside(path, [...byPath.keys()])
    if (words.length > 0) at.all(passWords(words))
    for (const route of its) at[route.method](answerWith(route, options))
    const methods = its.map(({ method }) => method.toUpperCase())
    at.all(refuseMethod(methods, options))
  }
}

/** What stands in other paths where a path has a parameter: it is no value of that parameter. */
type Words = readonly (readonly [parameter: string, words: ReadonlySet<string>])[]

function wordsBeside(path: string, paths: readonly string[]): Words {
  const segments = path.split('/')
  return segments.flatMap((segment, at) => {
    if (!segment.startsWith('{')) return []
    const before = segments.slice(0, at).join('/')
    const others = paths.map((each) => each.split('/')).filter((each) => each.slice(0, at).join('/') === before)
    const words = others.map((each) => each[at]).filter((each) => each !== undefined && !each.startsWith('{'))
    return words.length > 0 ? [[segment.slice(1, -1), new Set(words as string[])] as const] : []
  })
}

/** Leaves `/v1/tenants/import` to the path of that name, or to nobody: it is not about a tenant of that id. */
function passWords(words: Words) {
  return ({ params }: Request, _response: Response, next: NextFunction) => {
    next(words.some(([parameter, taken]) => taken.has(String(params[parameter]))) ? 'route' : undefined)
  }
}

/** Answers what no route does, and what Express itself refuses. Comes last. */
export function mountRest(app: Express, { onAnswered, corsOrigins }: HostOptions): void {
  const headers = privateHeaders(corsOrigins)
  app.use((request: Request, response: Response) => {
    const failed = sendProblem(request, response, new RegistryError('route.not_found'), headers)
    onAnswered({ ...aboutRequest(request, null, performance.now()), ...failed })
  })
  // Express knows error handlers by their four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const malformed = error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)
    const known = malformed ? new RegistryError('request.path_malformed', { cause: error }) : error
    const failed = sendProblem(request, response, known, headers)
    onAnswered({ ...aboutRequest(request, null, performance.now()), ...failed })
  })
}

/** What the log says of an answer that nobody waited for: nginx's word for it. */
const callerGone = 499

/** What the log says of an answer that was sent while it was made. */
const statusOfOutcome = ({ status }: Route, outcome: Outcome): number =>
  outcome === 'sent' ? status : outcome === 'left' ? callerGone : 503

function answerWith(route: Route, options: HostOptions) {
  const { authenticate, production, services, onAnswered, onMisfit: report, limit, limitAddress } = options
  const declared: ReadonlySet<string> = new Set(declaredCodes(route))
  const failing = privateHeaders(options.corsOrigins)
  const caching = route.scope === 'public' ? publicHeaders : failing
  const preview = previewOf(route)
  const changes = route.method !== 'get' && (route.method !== 'post' || route.idempotent === true)
  const read = bodyReader(route)
  const HttpCall = callClassOf(services)
  const onMisfit = production
    ? (cause: unknown) => report(new Error(`an answer of ${route.operation} does not fit its schema`, { cause }))
    : 'throw'

  /** What is told of an error: one that the route does not declare is a fault of ours. */
  function told(error: unknown): unknown {
    if (!(error instanceof RegistryError) || declared.has(error.code)) return error
    const undeclared = new Error(`${route.operation} does not declare ${error.code}`, { cause: error })
    if (!production) return undeclared
    report(undeclared)
    return error
  }

  return async (request: Request, response: Response): Promise<void> => {
    const startedAt = performance.now()
    let principal: Principal | undefined
    let counted: Counted | undefined
    try {
      if (route.scope !== 'public') {
        const judged = authenticate(request, () => signalOf(response))
        principal = judged instanceof Promise ? await judged : judged
        if (route.countedBy !== 'nobody') counted = limit && (await limit(principal.actor.id))
      } else if (route.countedBy === 'address') counted = await limitAddress(request.ip ?? '')
      if (counted?.refusal) throw counted.refusal
      const params = route.params && validate(route.params, request.params, '/path')
      if (principal && asksForMore(route.scope)) authorize(principal, route.scope, tenantIn(params), projectIn(params))
      const call = await callOf(HttpCall, route, request, response, principal, params, read)
      const asked = preview && call.query?.['dry_run'] === 'true' ? preview : route
      const reduced = principal !== undefined && principal.kind !== 'operator'
      const prepared = await asked.prepare?.(call as never)
      if (prepared) Object.assign(call, prepared)
      if (isStreamed(asked.response)) {
        const result = (await asked.handle(call as never)) as StreamedResult
        const headers = counted ? [...caching, ...counted.headers] : caching
        const heard = { left: signalOf(response), stopping: options.stopping }
        const outcome = await sendStream(request, response, asked.status, result, headers, heard)
        const status = statusOfOutcome(asked, outcome)
        onAnswered({ ...aboutRequest(request, route.path, startedAt), status, ...who(principal) })
        return
      }
      const answer = async (made: AnyCall): Promise<Reply> =>
        replyOf(asked, await asked.handle(made as never), { reduced, onMisfit, call: made })
      const key = route.idempotent === true && asked === route ? idempotencyKeyOf(request) : undefined
      let reply: Reply
      if (key === undefined || !principal) reply = await answer(call)
      else {
        if (reduced) await assertStillSeen(services, call.sight, tenantIn(params))
        const once = { ...services, request, principal: principal.actor.id, key }
        reply = await answerOnce(once, (db) => answer(Object.create(call, { db: { value: db } }) as AnyCall))
      }
      // On this process nothing is answered any more by what was before.
      if (changes && asked === route) await services.apiKeys.settle()
      const isGone = response.destroyed
      const status = sendFresh(request, response, reply, counted ? [...caching, ...counted.headers] : caching)
      onAnswered({
        ...aboutRequest(request, route.path, startedAt),
        status: isGone ? callerGone : status,
        ...who(principal),
      })
    } catch (error) {
      // What was given up because nobody waits for it is nobody's fault.
      if (signals.get(response)?.aborted && error === signals.get(response)?.reason) {
        onAnswered({ ...aboutRequest(request, route.path, startedAt), status: callerGone, ...who(principal) })
        return
      }
      const isGone = response.destroyed
      const failed = sendProblem(request, response, told(error), counted ? [...failing, ...counted.headers] : failing)
      onAnswered({
        ...aboutRequest(request, route.path, startedAt),
        ...failed,
        // A fault of ours is one for whomever.
        ...(isGone && failed.status < 500 && { status: callerGone }),
        ...who(principal),
      })
    }
  }
}

const who = (principal: Principal | undefined) => principal && { principal: principal.actor.id }

/**
 * What was answered once is answered again only to who could still ask: meanwhile the tenant may be archived or gone.
 * @throws {RegistryError} `tenant.not_found`
 */
async function assertStillSeen({ db }: Services, sight: Sight, id: TenantId | undefined): Promise<void> {
  if (id !== undefined) await getTenant(db, sight, id)
}

/** The tenant that a path is about. */
function tenantIn(params: Record<string, unknown> | undefined): TenantId | undefined {
  return params?.['tenant_id'] as TenantId | undefined
}

/** The project that a path is about. */
function projectIn(params: Record<string, unknown> | undefined): ProjectId | undefined {
  return params?.['project_id'] as ProjectId | undefined
}

/** Sends an answer, or 304 when the caller says that it has it already. */
function sendFresh(request: Request, response: Response, reply: Reply, caching: HeaderList): number {
  const etag = headerOf(reply, 'ETag')
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (isRead && etag !== undefined && isKnown(request.headers['if-none-match'], etag)) {
    send(request, response, { status: 304, headers: ['ETag', etag], body: null }, caching)
    return 304
  }
  send(request, response, reply, caching)
  return reply.status
}

interface AnyCall extends Services {
  readonly query: Record<string, unknown> | undefined
  readonly body: unknown
  readonly sight: Sight
  readonly expected: ReturnType<typeof expectationOf>
  readonly expectedVersion: number | undefined
  readonly idempotencyKey: string | undefined
}

/** What handlers are called with: the services, what came with the request, and what is made when somebody asks for it. */
interface HttpCall extends AnyCall {
  readonly request: Request
  readonly response: Response
  readonly principal: Principal | undefined
  readonly params: Record<string, unknown> | undefined
}
type CallFields = Omit<HttpCall, keyof Services>
type HttpCallClass = new (fields: CallFields) => HttpCall

/** Calls of one host. Its services are their prototype's: copying them for each request would cost more than a look-up. */
function callClassOf(services: Services): HttpCallClass {
  class OneCall implements CallFields {
    readonly request
    readonly response
    readonly principal
    readonly params
    readonly query
    readonly body
    readonly sight
    readonly expected
    readonly expectedVersion
    readonly idempotencyKey

    constructor(fields: CallFields) {
      this.request = fields.request
      this.response = fields.response
      this.principal = fields.principal
      this.params = fields.params
      this.query = fields.query
      this.body = fields.body
      this.sight = fields.sight
      this.expected = fields.expected
      this.expectedVersion = fields.expectedVersion
      this.idempotencyKey = fields.idempotencyKey
    }

    get actor(): Actor {
      return actorOf(this.request, this.principal, this.sight, tenantIn(this.params))
    }

    get signal(): AbortSignal {
      return signalOf(this.response)
    }
  }
  Object.setPrototypeOf(OneCall.prototype, services)
  return OneCall as unknown as HttpCallClass
}

async function callOf(
  HttpCall: HttpCallClass,
  route: Route,
  request: Request,
  response: Response,
  principal: Principal | undefined,
  params: Record<string, unknown> | undefined,
  read: ReturnType<typeof bodyReader>,
): Promise<AnyCall> {
  const queryAt = request.url.indexOf('?')
  const query = queryAt === -1 ? {} : parseQuery(request.url.slice(queryAt + 1), route.query)
  const sight = principal && asksForMore(route.scope) ? sightOf(principal, route.scope) : nothing
  const expected = expectationOf(route, request.headers)
  return new HttpCall({
    request,
    response,
    params,
    query: route.query && validate(route.query, query, '/query'),
    expected,
    expectedVersion: typeof expected === 'number' ? expected : undefined,
    idempotencyKey: route.idempotent === 'handler' ? idempotencyKeyOf(request) : undefined,
    body: read && (await read(request, response)),
    sight,
    principal,
  })
}

const signals = new WeakMap<Response, AbortSignal>()

/** Aborted when the connection closes before the answer is complete. */
export function signalOf(response: Response): AbortSignal {
  const known = signals.get(response)
  if (known) return known
  const controller = new AbortController()
  if (response.destroyed) controller.abort()
  else response.once('close', () => controller.abort())
  signals.set(response, controller.signal)
  return controller.signal
}

/** Answers methods that a path does not have. */
export function refuseMethod(methods: readonly string[], { onAnswered, corsOrigins }: HostOptions) {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ')
  const headers = [...privateHeaders(corsOrigins), 'Allow', allow]
  return (request: Request, response: Response) => {
    const error = new RegistryError('route.method_not_allowed', { detail: `There are ${allow}.` })
    const failed = sendProblem(request, response, error, headers)
    onAnswered({ ...aboutRequest(request, null, performance.now()), ...failed })
  }
}

function actorOf(
  request: Request,
  principal: Principal | undefined,
  sight: Sight,
  tenantId: TenantId | undefined,
): Actor {
  const agent = request.headers['user-agent']
  const address = addressOf(request.ip)
  const trace = traceId(request.headers['traceparent'])
  return {
    id: principal?.actor.id ?? 'anonymous',
    ...(principal && { name: principal.actor.name }),
    role: principal ? roleOf(principal, tenantId) : 'none',
    sight,
    ...(principal?.kind === 'api-key' && { key: principal.key }),
    request_id: requestId(request),
    ...(trace !== undefined && { trace_id: trace }),
    ...(address !== undefined && { source_ip: address }),
    ...(agent !== undefined && { user_agent: agent.slice(0, 512) }),
  }
}

/**
 * The address that is recorded; what a proxy claims is any text. A socket that listens on `::` knows IPv4 callers as
 * `::ffff:192.0.2.1`: whoever looks for an address in the log looks for it in one spelling.
 */
export function addressOf(ip: string | undefined): string | undefined {
  const address = ip?.replace(/^::ffff:(?=[\d.]+$)/i, '')
  return address !== undefined && isIP(address) !== 0 ? address : undefined
}

/** What nobody in particular sees. */
const nothing: Sight = { kind: 'tenants', tenantIds: [] }
