import type {
  Actor,
  ApiKeyVerifier,
  Catalogue,
  ChangeListener,
  Db,
  ErrorCode,
  Expectation,
  Ingest,
  KeyIssuer,
  Keyring,
  Sight,
} from '@breakpilot/tenant-core'
import { z } from 'zod'
import type { Principal } from './auth/index.ts'
import type { Scope } from './authorize.ts'
import type { Line, Lines, Rows } from './ndjson.ts'
import { isStreamed, type Streamed, type StreamedResult } from './stream.ts'
import type { Written } from './written.ts'

/** What the routes work with: made once by the app. */
export interface Services {
  readonly db: Db
  readonly catalogue: Catalogue
  readonly keyring: Keyring
  /** Says whether API keys are good. */
  readonly apiKeys: ApiKeyVerifier
  /** Records the events of products. */
  readonly ingest: Ingest
  /** Mints API keys. */
  readonly issuer: KeyIssuer
  /** Knows when the feed of changes has moved. */
  readonly changes: ChangeListener
  /** Days that an archived tenant is kept before it may be purged. */
  readonly purgeAfterDays: number
  /** Seconds that somebody may look with a viewer token, and with every session made with it. */
  readonly viewerTtlSeconds: number
  /** How ready the service is. */
  readonly readiness: () => Promise<ReadinessReport>
}

/** How ready the service is: not at all with any impediment, and what is worth a look although it is. */
export interface ReadinessReport {
  readonly impediments: readonly Impediment[]
  readonly notes: readonly Note[]
  /** How many months the audit log is prepared for, this one not counted; undefined when that cannot be asked. */
  readonly auditPartitionsAhead?: number | undefined
}

/** Something that keeps the service from being ready. */
export interface Impediment {
  readonly part: 'database' | 'keyring' | 'migrations' | 'role' | 'shutdown'
  readonly message: string
}

/** Something that does not keep the service from its work and should not stay as it is. */
export interface Note {
  readonly code: 'audit_partitions_low' | 'keyring_kid_lost' | 'listener_lost' | 'product_retired'
  readonly message: string
}

type Shape = z.ZodObject
type Body = z.ZodType | Lines
type Answer = z.ZodType | Rows | Streamed | Written
type Input<Schema> =
  Schema extends Lines<infer Row>
    ? readonly Line<z.output<Row>>[]
    : Schema extends z.ZodType
      ? z.output<Schema>
      : undefined
type Result<Schema> =
  Schema extends Rows<infer Row>
    ? readonly z.output<Row>[]
    : Schema extends Streamed
      ? StreamedResult
      : Schema extends Written
        ? string
        : Schema extends z.ZodType
          ? z.output<Schema>
          : undefined

/** What stands on the wire. */
type Wire<Schema> =
  Schema extends Lines<infer Row> ? readonly z.input<Row>[] : Schema extends z.ZodType ? z.input<Schema> : never

/** One request, parsed and permitted, as a handler sees it. */
export interface Call<Params, Query, Body> extends Services {
  readonly params: Input<Params>
  readonly query: Input<Query>
  readonly body: Input<Body>
  /** Who does it. On public routes nobody in particular. */
  readonly actor: Actor
  /** Which tenants the caller sees: `actor.sight`. */
  readonly sight: Sight
  /** Who makes the request; undefined on public routes. */
  readonly principal: Principal | undefined
  /** The version that `If-Match` asks for. What is not there is not found, so `*` asks for nothing more. */
  readonly expectedVersion: number | undefined
  /** The same for what may also be made: `any` for `If-Match: *`, `none` for `If-None-Match: *`. */
  readonly expected: Expectation | undefined
  /** The caller's `Idempotency-Key`, where the handler sees to it. */
  readonly idempotencyKey: string | undefined
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal
}

/** An operation, as data: everything that is derived from it is derived from here. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** With `{name}` for each of `params`, as in OpenAPI. */
  readonly path: `/${string}`
  /** The `operationId`: the name of the client's method. */
  readonly operation: string
  readonly tag: string
  readonly summary: string
  readonly description: string
  /** What a caller has to be allowed to do, or `public`. */
  readonly scope: Scope
  readonly params?: Shape | undefined
  readonly query?: Shape | undefined
  readonly body?: Body | undefined
  /** The most bytes that a body of JSON may have, after decompression; 256 KB unless told. */
  readonly bodyBytesMax?: number | undefined
  /** The names of its members that are maps of events. */
  readonly bodyMaps?: ReadonlySet<string> | undefined
  readonly status: 200 | 201 | 202 | 204
  readonly response: Answer
  /** What leaves to those who are not of the platform, where that is less. */
  readonly reduced?: z.ZodType | undefined
  /** What `?dry_run=true` answers with 200, changing nothing. The query gains that parameter. */
  readonly preview?: Preview | undefined
  /** The codes of its own, beside those that any route of its shape can answer with. */
  readonly errors: readonly ErrorCode[]
  /**
   * Whether an `Idempotency-Key` is honoured: on every POST that changes something. With `handler` it is the handler
   * that does, and tells by `replayed` that it has answered before.
   */
  readonly idempotent?: boolean | 'handler' | undefined
  readonly replayed?: ((result: never) => boolean) | undefined
  /** Whether `If-Match` is honoured: where something that has a version is changed. */
  readonly preconditions?: boolean | undefined
  /**
   * Slow work that has to be done before anything is changed: what it gives is there for `handle`. A replay of an
   * `Idempotency-Key` does it in vain.
   */
  readonly prepare?: ((call: never) => Promise<object>) | undefined
  /**
   * Who is counted: the address where nobody says who it is, `nobody` where the work is bounded otherwise and a product
   * asks on behalf of all of its callers.
   */
  readonly countedBy?: 'address' | 'nobody' | undefined
  /** The version of what is answered, for its `ETag`; null where the answer has no version of its own. */
  readonly etag?: ((result: never) => number | null) | undefined
  /** The id of what was made, when the answer shows a secret: then it is not stored and an `Idempotency-Key` keeps it sealed. */
  readonly secretOf?: ((result: never) => string) | undefined
  /** Where the thing is that was made. */
  readonly location?: ((result: never) => string) | undefined
  /** Where the thing that is answered is at home, when that is not where it was asked for. */
  readonly contentLocation?: ((result: never, call: never) => string | undefined) | undefined
  /** Whether the result is as it stands on the wire: then production does not look at it again. */
  readonly wire?: boolean | undefined
  /** Examples for the document, where its schemas do not give good ones: a whole body, and some fields of the answer. */
  readonly examples?: { readonly body?: unknown; readonly response?: object } | undefined
  readonly handle: (call: never) => Promise<unknown>
}

interface Preview {
  readonly response: Answer
  readonly handle: (call: never) => Promise<unknown>
}

/** A route as it is written: the types of its handler follow from its schemas. */
interface RouteDefinition<
  Params extends Shape | undefined,
  Query extends Shape | undefined,
  RequestBody extends Body | undefined,
  Response extends Answer,
  PreviewResponse extends Answer,
  Prepared extends object,
> extends Route {
  readonly params?: Params
  readonly query?: Query
  readonly body?: RequestBody
  readonly response: Response
  readonly preview?: {
    readonly response: PreviewResponse
    readonly handle: (call: Call<Params, Query, RequestBody>) => Promise<Result<PreviewResponse>>
  }
  readonly etag?: (result: Result<Response>) => number | null
  readonly replayed?: (result: Result<Response>) => boolean
  readonly location?: (result: Result<Response>) => string
  readonly contentLocation?: (result: Result<Response>, call: Call<Params, Query, RequestBody>) => string | undefined
  readonly examples?: {
    readonly body?: Wire<NoInfer<RequestBody>>
    readonly response?: Partial<Wire<NoInfer<Response>>>
  }
  readonly prepare?: (call: Call<Params, Query, RequestBody>) => Promise<Prepared>
  readonly handle: (call: Call<Params, Query, RequestBody> & NoInfer<Prepared>) => Promise<Result<Response>>
}

const dryRun = {
  dry_run: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'With `true` nothing is changed: the answer says what would follow.', examples: ['true'] }),
}

/** The route as its dry run is answered: what would follow has neither a version nor a place. */
export function previewOf(route: Route): Route | undefined {
  const { preview, reduced: _, etag, location, contentLocation, secretOf, prepare, examples, ...rest } = route
  return preview && { ...rest, ...preview, status: 200 }
}

/** The response of a route that answers 204: nothing. */
export const noContent = z.void()

/**
 * Writes down a route.
 * @example
 *   route({ method: 'get', path: '/v1/tenants/{tenant_id}', params: z.object({ tenant_id: TenantId }), …,
 *     handle: ({ db, sight, params }) => getTenant(db, sight, params.tenant_id) })
 */
export function route<
  Response extends Answer,
  Params extends Shape | undefined = undefined,
  Query extends Shape | undefined = undefined,
  RequestBody extends Body | undefined = undefined,
  PreviewResponse extends Answer = z.ZodNever,
  Prepared extends object = object,
>(definition: RouteDefinition<Params, Query, RequestBody, Response, PreviewResponse, Prepared>): Route {
  // Nothing of it is kept, so there is nothing to send again, and no digest of what is not there yet.
  if (isStreamed(definition.response) && (definition.method !== 'get' || definition.etag)) {
    throw new Error(`${definition.operation}: what is sent while it is made is only read, and has no ETag`)
  }
  if (!definition.preview) return definition
  return { ...definition, query: (definition.query ?? z.object({})).extend(dryRun) }
}
