import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet from 'helmet'

/** helmet's judgement for an API that answers no documents: nothing may be loaded by, or frame, what it says. */
const apiHelmet = helmet({
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  xFrameOptions: { action: 'deny' },
})

/** helmet for the pages under `/docs`, whose scripts and styles are our own files. */
export const pageHelmet = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      frameAncestors: ["'none'"],
    },
  },
})

/**
 * helmet for the page that shows the audit log, which holds what anybody wrote: it talks to nobody but us, so that no
 * picture in an event tells a stranger who looks at it, and not even a style comes from what is shown.
 */
export const viewerHelmet = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      formAction: ["'none'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
})

/**
 * The headers that helmet gives to every API answer, as a flat list of names and values. They are the same for all
 * requests, so they are asked for once.
 */
export const securityHeaders: readonly string[] = (() => {
  const headers: string[] = []
  const recorder = {
    setHeader: (name: string, value: string) => headers.push(name, value),
    removeHeader: () => undefined,
  }
  apiHelmet({} as IncomingMessage, recorder as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw new Error('helmet refused its options', { cause: error })
  })
  return headers
})()
