import type { Entitlement, Entitlements } from '../generated/schemas.gen.ts'

/** How much of a product may be used. What a later release may add counts as `none`. */
export type Access = 'full' | 'read_only' | 'none'

/** What may be used of one product. */
export interface Verdict extends Pick<Entitlement, 'product' | 'config' | 'limits' | 'features' | 'valid_until'> {
  readonly access: Access
  /** The registry's reason; or that there is no such tenant or project; or that the registry cannot be asked. */
  readonly reason: Entitlement['reason'] | 'tenant_not_found' | 'project_not_found' | 'unavailable'
  /** The days that are left of the tenant's trial. */
  readonly trial_days_left: number | null
}

/** A verdict, and what it is worth. */
export interface Decision extends Verdict {
  /** Whether all of the product may be used. With `read_only` access, what is there may still be looked at. */
  readonly allowed: boolean
  /**
   * Where it comes from: the registry was asked just now (`live`; also of an id that can be nobody's, for which it need
   * not be asked), or not long ago (`cache`); it cannot be asked, and this is what it said last (`last_known`), or what
   * you began with (`bootstrap`), or there is nothing to go by (`unavailable`).
   */
  readonly source: 'live' | 'cache' | 'last_known' | 'bootstrap' | 'unavailable'
  /** How many milliseconds ago the registry said so; null when it did not. */
  readonly stale_ms: number | null
}

/** What the registry said: what may be used, or which thing there is not. */
export type Answer = Entitlements | 'tenant_not_found' | 'project_not_found'

/** What an answer means for one product. */
export function verdictOf(answer: Answer, product: string): Verdict {
  if (typeof answer === 'string') return nothing(product, answer)
  const { trial_days_left, valid_until, data } = answer
  const found = data.find((each) => each.product === product)
  if (!found) return { ...nothing(product, 'not_assigned'), valid_until, trial_days_left }
  const { access, reason, config, limits, features } = found
  return {
    product,
    access: accessOf(access),
    reason,
    config,
    limits,
    features,
    valid_until: found.valid_until,
    trial_days_left,
  }
}

/** Access as this release knows it: what it does not know opens nothing. */
export function accessOf(access: string): Access {
  return access === 'full' || access === 'read_only' ? access : 'none'
}

/** No access at all. */
export function nothing(product: string, reason: Verdict['reason']): Verdict {
  return {
    product,
    access: 'none',
    reason,
    config: {},
    limits: {},
    features: [],
    valid_until: null,
    trial_days_left: null,
  }
}

/** What a verdict is worth. */
export function decision(verdict: Verdict, source: Decision['source'], staleMs: number | null): Decision {
  return { ...verdict, allowed: verdict.access === 'full', source, stale_ms: staleMs && Math.round(staleMs) }
}

/** Whether something may have changed by time alone. What is no time holds no longer. */
export function isOver(said: Answer | Verdict, now: number): boolean {
  return typeof said === 'object' && said.valid_until !== null && !(Date.parse(said.valid_until) > now)
}

/** Whether it is what the registry answers; whatever else is JSON may come from a proxy, or out of a file. */
export function isEntitlements(value: unknown): value is Entitlements {
  return typeof value === 'object' && value !== null && 'data' in value && Array.isArray(value.data)
}

/** Makes something unchangeable: whoever is answered from memory must not change what the next one is answered. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

/** Whether two verdicts mean the same to whoever uses the product. */
export function isSame(one: Verdict, other: Verdict): boolean {
  return spell(one) === spell(other)
}

function spell({ access, reason, config, limits, features }: Verdict): string {
  return JSON.stringify([access, reason, config, limits, features])
}
