import { RegistryError } from '@breakpilot/tenant-core'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

/** How many requests a caller may make in how many seconds. */
export interface RateLimit {
  readonly requests: number
  readonly seconds: number
}

/** What the limiter says of a request. */
export interface Counted {
  /** The headers of the IETF draft (draft-ietf-httpapi-ratelimit-headers-10), for every answer: names and values. */
  readonly headers: readonly string[]
  /** Why the request is one too many: `request.rate_limited`. */
  readonly refusal: RegistryError | undefined
}

/** Counts a request of a caller. */
export type Limit = (caller: string) => Promise<Counted>

/**
 * Makes the limiter of a process: every replica counts for itself. Its headers are written with all others, since Node.js
 * takes several times as long for headers that are set one by one.
 */
export function createLimit({ requests, seconds }: RateLimit): Limit {
  const limiter = new RateLimiterMemory({ points: requests, duration: seconds })
  const policy = `"principal";q=${requests};w=${seconds}`
  return async (caller) => {
    const counted = await limiter.consume(caller).catch((over: unknown) => {
      if (over instanceof RateLimiterRes) return over
      throw over
    })
    const wait = Math.ceil(counted.msBeforeNext / 1000)
    return {
      headers: ['RateLimit', `"principal";r=${counted.remainingPoints};t=${wait}`, 'RateLimit-Policy', policy],
      refusal: counted.consumedPoints > requests ? refusal(Math.max(1, wait)) : undefined,
    }
  }

  function refusal(retryAfterSeconds: number): RegistryError {
    const detail = `${requests} requests in ${seconds} seconds are the most.`
    return new RegistryError('request.rate_limited', { detail, retryAfterSeconds })
  }
}
