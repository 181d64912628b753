import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Express, Request, Response } from 'express'
import { aboutRequest } from './answer.ts'
import { type HostOptions, refuseMethod } from './mount.ts'
import { requestId } from './request-id.ts'
import { viewerHelmet } from './security-headers.ts'

const at = '/audit/viewer'

const html = (content: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Audit log</title>
    ${content}
  </body>
</html>
`
const page = html(`<link rel="stylesheet" href="${at}/viewer.css" />
    <script defer src="${at}/viewer.js"></script>
  </head>
  <body>
    <div id="page"></div>
    <noscript>The audit log is shown by a script.</noscript>`)
const unbuilt = html(`</head>
  <body>
    <p>This server came without the audit viewer: <code>pnpm build</code> makes it.</p>`)

/** What apps/audit-viewer is made into: in `dist`, for who runs what was compiled and for who runs the sources. */
const files = new URL('../dist/audit-viewer/', import.meta.url)

interface File {
  readonly type: string
  readonly text: string
  readonly cacheControl: string
  readonly status?: number
}

/**
 * Serves the page that shows the log of a group to who has a viewer token: from files that come with us, read when
 * somebody asks for the first time. The token is in the page's fragment, which nobody sends us.
 */
export function mountAuditViewer(app: Express, options: HostOptions): void {
  const refuse = refuseMethod(['GET'], options)
  const serve = (paths: string | string[], read: () => File) => {
    const answer = (request: Request, response: Response) => {
      const startedAt = performance.now()
      const { type, text, cacheControl, status = 200 } = read()
      response
        .set({ 'Cache-Control': cacheControl, 'X-Request-Id': requestId(request) })
        .status(status)
        .type(type)
        .send(text)
      options.onAnswered({ ...aboutRequest(request, null, startedAt), status })
    }
    app.route(paths).get(viewerHelmet, answer).all(refuse)
  }
  serve([at, `${at}/`], () =>
    isBuilt()
      ? { type: 'html', text: page, cacheControl: 'no-cache' }
      : { type: 'html', text: unbuilt, cacheControl: 'no-store', status: 503 },
  )
  serve(`${at}/viewer.js`, asset('viewer.js', 'js'))
  serve(`${at}/viewer.css`, asset('viewer.css', 'css'))
}

const isBuilt = () => existsSync(new URL('viewer.js', files))

function asset(name: string, type: string): () => File {
  let text: string | undefined
  return () => {
    if (!isBuilt()) return { type: 'text', text: 'Not built', cacheControl: 'no-store', status: 503 }
    text ??= readFileSync(fileURLToPath(new URL(name, files)), 'utf8')
    return { type, text, cacheControl: 'max-age=3600' }
  }
}
