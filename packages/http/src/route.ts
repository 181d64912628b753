import type { Actor, Catalogue, Db, ErrorCode } from '@breakpilot/tenant-core'
import type { z } from 'zod'
import type { Scope } from './authorize.ts'

/** What the routes work with: made once by the app. */
export interface Services {
  readonly db: Db
  readonly catalogue: Catalogue
  /** What keeps the service from being ready, by the name of the part; empty when it is ready. */
  readonly readiness: () => Promise<readonly Impediment[]>
}

/** Something that keeps the service from being ready. */
export interface Impediment {
  readonly part: 'database' | 'migrations' | 'role' | 'shutdown'
  readonly message: string
}

type Shape = z.ZodObject
type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

/** One request, parsed and permitted, as a handler sees it. */
export interface Call<Params, Query, Body> extends Services {
  readonly params: Output<Params>
  readonly query: Output<Query>
  readonly body: Output<Body>
  /** Who does it. On public routes nobody in particular. */
  readonly actor: Actor
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
  readonly body?: z.ZodType | undefined
  readonly status: 200 | 201 | 202 | 204
  readonly response: z.ZodType
  /** The codes of its own, beside those that any route of its shape can answer with. */
  readonly errors: readonly ErrorCode[]
  /** Where the thing is that was made. */
  readonly location?: ((result: never) => string) | undefined
  readonly handle: (call: never) => Promise<unknown>
}

/** A route as it is written: the types of its handler follow from its schemas. */
interface RouteDefinition<
  Params extends Shape | undefined,
  Query extends Shape | undefined,
  Body extends z.ZodType | undefined,
  Response extends z.ZodType,
> extends Route {
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly response: Response
  readonly location?: (result: z.output<Response>) => string
  readonly handle: (call: Call<Params, Query, Body>) => Promise<z.output<Response>>
}

/**
 * Writes down a route.
 * @example
 *   route({ method: 'get', path: '/v1/tenants/{tenant_id}', params: z.object({ tenant_id: TenantId }), …,
 *     handle: ({ db, params }) => getTenant(db, params.tenant_id) })
 */
export function route<
  Response extends z.ZodType,
  Params extends Shape | undefined = undefined,
  Query extends Shape | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(definition: RouteDefinition<Params, Query, Body, Response>): Route {
  return definition
}
