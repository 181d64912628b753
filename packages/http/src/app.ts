import cors from 'cors'
import express, { type Express, type RequestHandler } from 'express'
import { mountAuditViewer } from './audit-viewer-page.ts'
import { type AuthConfig, createAuthenticator } from './auth/index.ts'
import { assertLocal } from './auth/local-only.ts'
import { mountDocs } from './docs-page.ts'
import { type HostOptions, mount, mountRest } from './mount.ts'
import { openApiDocument } from './openapi.ts'
import { createLimit, type RateLimit } from './rate-limit.ts'
import { mountRetraced } from './retraced/mount.ts'
import type { WireOptions } from './retraced/wire-route.ts'
import { routes } from './routes/index.ts'

/** What an app hands to the host. */
export interface AppOptions extends Omit<HostOptions, 'authenticate' | 'limit' | 'limitAddress'> {
  readonly auth: Omit<AuthConfig, 'identifyKey'>
  /**
   * Whose word about the caller's address is taken: the number of proxies in front of us, or their addresses and
   * networks. Nobody's unless told: the audit log keeps the address for ever.
   */
  readonly trustProxy?: number | readonly string[]
  /** How much each caller may ask for, of each process; without limit unless told. */
  readonly rateLimit?: RateLimit | undefined
  /** How Retraced's wire behaves. */
  readonly retraced?: WireOptions | undefined
}

/** How much an address may ask for where nobody says who it is: once a second, and never more than others may. */
const addressLimit = ({ requests, seconds }: RateLimit = { requests: 60, seconds: 60 }): RateLimit => ({
  requests: Math.min(60, requests),
  seconds: Math.max(60, seconds),
})

/**
 * The whole HTTP API as an Express app.
 * @throws {Error} when the configuration of the authentication or of the proxies makes no sense
 */
export function createApp(options: AppOptions): Express {
  const host: HostOptions = {
    ...options,
    authenticate: createAuthenticator({
      ...options.auth,
      identifyKey: (key, clientIp, left) =>
        options.services.apiKeys.identify(key, clientIp, { caller: clientIp ?? '', left }),
    }),
    limit: options.rateLimit && createLimit(options.rateLimit),
    limitAddress: createLimit(addressLimit(options.rateLimit)),
  }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.set('query parser', false)
  app.set('trust proxy', options.trustProxy ?? false)
  // Without authentication nothing at all is answered to anybody else, be it a page or a 404.
  if (options.auth.mode === 'off') app.use(localOnly)
  // Before what answers everything else under /audit.
  mountAuditViewer(app, host)
  // Before the origins of our own pages are let in anywhere: this wire has its own rule.
  mountRetraced(app, host, options.retraced)
  if (options.corsOrigins?.length) app.use(corsOf(options.corsOrigins))
  mount(app, routes, host)
  mountDocs(app, openApiDocument(routes), host)
  mountRest(app, host)
  return app
}

/** Lets the pages of these origins read our answers. What they may do there their token says, as everywhere. */
function corsOf(origins: readonly string[]): RequestHandler {
  return cors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'If-Match',
      'If-None-Match',
      'Idempotency-Key',
      'X-Request-Id',
      'traceparent',
    ],
    exposedHeaders: [
      'ETag',
      'Content-Disposition',
      'Location',
      'Content-Location',
      'Idempotency-Replayed',
      'X-Request-Id',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
    ],
    maxAge: 600,
  })
}

const localOnly: RequestHandler = (request, _response, next) => {
  assertLocal(request)
  next()
}
