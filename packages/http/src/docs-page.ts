import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Express, Request, Response } from 'express'
import { aboutRequest } from './answer.ts'
import { type HostOptions, refuseMethod } from './mount.ts'
import { requestId } from './request-id.ts'
import { pageHelmet } from './security-headers.ts'

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>tenant-registry API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null })
`

/** Serves the page that renders the OpenAPI document, from files that come with us: nothing is fetched from elsewhere. */
export function mountDocs(app: Express, document: object, options: HostOptions): void {
  const refuse = refuseMethod(['GET'], options)
  const page = (paths: string | string[], type: string, content: string, cacheControl = 'no-cache') => {
    const answer = (request: Request, response: Response) => {
      const startedAt = performance.now()
      response
        .set({ 'Cache-Control': cacheControl, 'X-Request-Id': requestId(request) })
        .type(type)
        .send(content)
      options.onAnswered({ ...aboutRequest(request, null, startedAt), status: 200 })
    }
    app.route(paths).get(pageHelmet, answer).all(refuse)
  }
  const asset = (url: string) => readFileSync(fileURLToPath(url), 'utf8')
  page('/openapi.json', 'application/json', JSON.stringify(document))
  page(['/docs', '/docs/'], 'html', html)
  page('/docs/start.js', 'js', start)
  page('/docs/swagger-ui.css', 'css', asset(import.meta.resolve('swagger-ui-dist/swagger-ui.css')), 'max-age=3600')
  page(
    '/docs/swagger-ui-bundle.js',
    'js',
    asset(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')),
    'max-age=3600',
  )
}
