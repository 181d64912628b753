import express, { type Express } from 'express'
import type { AuthConfig } from './auth/index.ts'
import { createAuthenticator } from './auth/index.ts'
import { assertLocal } from './auth/local-only.ts'
import { mountDocs } from './docs-page.ts'
import { type Answered, type HostOptions, mount, mountRest } from './mount.ts'
import { openApiDocument } from './openapi.ts'
import type { Services } from './route.ts'
import { routes } from './routes/index.ts'

/** What an app hands to the host. */
export interface AppOptions {
  readonly services: Services
  readonly auth: AuthConfig
  readonly production: boolean
  readonly onAnswered: (answered: Answered) => void
}

/**
 * The whole HTTP API as an Express app.
 * @throws {Error} when the configuration of the authentication makes no sense
 */
export function createApp(options: AppOptions): Express {
  const guard = options.auth.mode === 'off' ? assertLocal : () => undefined
  const host: HostOptions = { ...options, guard, authenticate: createAuthenticator(options.auth) }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.set('query parser', false)
  mount(app, routes, host)
  mountDocs(app, openApiDocument(routes), guard)
  mountRest(app, host)
  return app
}
