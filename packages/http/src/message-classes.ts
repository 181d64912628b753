import { IncomingMessage, ServerResponse } from 'node:http'
import type { Express } from 'express'

/** What a server makes of what comes in, and of what goes out. */
export interface MessageClasses {
  readonly IncomingMessage: typeof IncomingMessage
  readonly ServerResponse: typeof ServerResponse
}

const classes = new WeakMap<Express, MessageClasses>()

/**
 * The classes of the requests and responses of an app: what they make has the prototypes already that Express gives each
 * of them otherwise. An object whose prototype was changed is no garbage for V8 (13.6) until the old generation is
 * collected, with all that hangs on it: of each request 12 KB outlived a collection of the young one, which took three
 * times as long for that.
 * Source: https://github.com/expressjs/express/issues/5998
 */
export function messageClassesOf(app: Express): MessageClasses {
  const known = classes.get(app)
  if (known) return known
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  adopt(AppRequest.prototype, app.request)
  adopt(AppResponse.prototype, app.response)
  app.request = AppRequest.prototype as Express['request']
  app.response = AppResponse.prototype as Express['response']
  const made = { IncomingMessage: AppRequest, ServerResponse: AppResponse } as MessageClasses
  classes.set(app, made)
  return made
}

/** Makes a prototype all that another one is. */
function adopt(prototype: object, other: object): void {
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(other))
  Object.setPrototypeOf(prototype, Object.getPrototypeOf(other) as object)
}
