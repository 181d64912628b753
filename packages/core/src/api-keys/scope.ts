import { z } from 'zod'
import type { Catalogue } from '../products/catalogue.ts'

/** The audience of keys that open this registry itself. No product can have this key. */
export const registryAudience = 'tenant-registry'

/** What a tenant's key may be allowed to do here. */
export const registryScopes = [
  'tenant:read',
  'projects:read',
  'projects:write',
  'api_keys:read',
  'api_keys:write',
  'api_keys:revoke',
  'audit:read',
] as const

/** What a key of the platform's own may be allowed to do for one product. */
export const platformScopes = [
  'audit:publish',
  'audit:read',
  'audit:delegate',
  'api_keys:verify',
  'entitlements:read',
] as const

/** What an enterprise token's key has: it reads the log of the group that it was made for, and nobody is given it. */
export const enterpriseTokenScope = 'audit:group'

/** A scope, or all that begin with it: `reports:read`, `reports:*`. */
export const Scope = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_-]*(?::[a-z][a-z0-9_-]*)*:(?:[a-z][a-z0-9_-]*|\*)$/, {
    error: 'must look like area:verb, or area:* for all of an area',
  })
  .meta({ examples: ['certifai:read'] })

/** Whether one scope gives another: it is the same, or everything below. */
export function covers(granted: string, wanted: string): boolean {
  return granted === wanted || (granted.endsWith(':*') && wanted.startsWith(granted.slice(0, -1)))
}

/** Whether scopes give a scope. */
export function coveredBy(granted: readonly string[], wanted: string): boolean {
  return granted.some((each) => covers(each, wanted))
}

/** Which scopes are asked for: all of a list, or all of one and any of another. */
export const ScopeQuery = z.union([
  z.array(Scope).max(100),
  z.strictObject({ all: z.array(Scope).max(100).optional(), any: z.array(Scope).max(100).optional() }),
])
export type ScopeQuery = z.output<typeof ScopeQuery>

/** Whether scopes give what is asked for. An empty list asks for nothing; none of an empty `any` is no one at all. */
export function satisfies(granted: readonly string[], query: ScopeQuery): boolean {
  const { all = [], any } = isList(query) ? { all: query } : query
  return (
    all.every((wanted) => coveredBy(granted, wanted)) &&
    (any === undefined || any.some((wanted) => coveredBy(granted, wanted)))
  )
}

const isList = (query: ScopeQuery): query is string[] => Array.isArray(query)

/** Whom a scope may open: every audience that knows a scope which it gives. */
export function audiencesOf({ products }: Catalogue, scope: string): string[] {
  const known: [string, readonly string[]][] = [
    [registryAudience, registryScopes],
    ...[...products.values()].map(({ key, scopes = [] }): [string, readonly string[]] => [key, scopes]),
  ]
  return known.filter(([, scopes]) => scopes.some((each) => covers(scope, each))).map(([audience]) => audience)
}
