import { RegistryError } from '@breakpilot/tenant-core'
import type { Request, Response } from 'express'
import { rateLimit } from 'express-rate-limit'

/** How many requests a caller may make in how many seconds. */
export interface RateLimit {
  readonly requests: number
  readonly seconds: number
}

/** Counts a request of `caller`, and refuses it when it is one too many. */
export type Limit = (request: Request, response: Response, caller: string) => Promise<void>

/**
 * Makes the limiter of a process: every replica counts for itself. It sets the `RateLimit` headers of the IETF draft.
 * @throws {RegistryError} (the function made) `request.rate_limited`
 */
export function createLimit({ requests, seconds }: RateLimit): Limit {
  const callers = new WeakMap<Request, string>()
  const limiter = rateLimit({
    windowMs: seconds * 1000,
    limit: requests,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'principal',
    keyGenerator: (request) => callers.get(request) ?? '',
    handler: (_request, response, next) => {
      const wait = Number(response.getHeader('Retry-After'))
      response.removeHeader('Retry-After')
      next(
        new RegistryError('request.rate_limited', {
          detail: `${requests} requests in ${seconds} seconds are the most.`,
          retryAfterSeconds: Number.isFinite(wait) && wait > 0 ? wait : seconds,
        }),
      )
    },
    // Its checks are about addresses, and ours are not its keys.
    validate: false,
  })
  return async (request, response, caller) => {
    callers.set(request, caller)
    await new Promise<void>((resolve, reject) => {
      void limiter(request, response, (error?: unknown) => {
        if (error === undefined) resolve()
        else reject(error instanceof Error ? error : new Error('the rate limiter failed', { cause: error }))
      })
    })
  }
}
