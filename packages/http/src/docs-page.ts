import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Express, RequestHandler } from 'express'
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
export function mountDocs(app: Express, document: object): void {
  const json = JSON.stringify(document)
  const assets = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui.css')))
  const page = (path: string | string[], handler: RequestHandler) => app.get(path, pageHelmet, handler)
  page('/openapi.json', (_request, response) => {
    response.type('application/json').set('Cache-Control', 'no-cache').send(json)
  })
  page(['/docs', '/docs/'], (_request, response) => {
    response.type('html').set('Cache-Control', 'no-cache').send(html)
  })
  page('/docs/start.js', (_request, response) => {
    response.type('js').set('Cache-Control', 'no-cache').send(start)
  })
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
    page(`/docs/${file}`, (_request, response, next) => {
      response.sendFile(file, { root: assets, maxAge: '1h' }, (error) => {
        if (error !== undefined) next(error)
      })
    })
  }
}
