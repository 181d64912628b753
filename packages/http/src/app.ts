import express, { type Express, type RequestHandler } from 'express'
import { type AuthConfig, createAuthenticator } from './auth/index.ts'
import { assertLocal } from './auth/local-only.ts'
import { mountDocs } from './docs-page.ts'
import { type HostOptions, mount, mountRest } from './mount.ts'
import { openApiDocument } from './openapi.ts'
import { routes } from './routes/index.ts'

/** What an app hands to the host. */
export interface AppOptions extends Omit<HostOptions, 'authenticate'> {
  readonly auth: AuthConfig
  /**
   * Whose word about the caller's address is taken: the number of proxies in front of us, or their addresses and
   * networks. Nobody's unless told: the audit log keeps the address for ever.
   */
  readonly trustProxy?: number | readonly string[]
}

/**
 * The whole HTTP API as an Express app.
 * @throws {Error} when the configuration of the authentication or of the proxies makes no sense
 */
export function createApp(options: AppOptions): Express {
  const host: HostOptions = { ...options, authenticate: createAuthenticator(options.auth) }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.set('query parser', false)
  app.set('trust proxy', options.trustProxy ?? false)
  // Without authentication nothing at all is answered to anybody else, be it a page or a 404.
  if (options.auth.mode === 'off') app.use(localOnly)
  mount(app, routes, host)
  mountDocs(app, openApiDocument(routes), host)
  mountRest(app, host)
  return app
}

const localOnly: RequestHandler = (request, _response, next) => {
  assertLocal(request)
  next()
}
