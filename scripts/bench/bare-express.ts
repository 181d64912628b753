/**
 * What the registry is compared with: Express 5 as it comes, one prepared query, the row as JSON. No validation, no
 * log, no request id, no security headers. Express's own defaults are on: it computes an ETag for every answer and
 * says X-Powered-By.
 */
/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 catches what they reject with */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { checkout } from '../postgres/installation.ts'
import { holdingsOf, insertTenant, newestTenants, tenantBySlug } from './bare-queries.ts'

interface Request {
  readonly params: { readonly slug: string; readonly id: string }
  readonly body: { readonly slug: string; readonly name: string }
}
interface Response {
  status(code: number): Response
  json(body: unknown): Response
}
type Handler = (request: Request, response: Response) => Promise<void>
interface App {
  get(path: string, handler: Handler): void
  post(path: string, parseBody: unknown, handler: Handler): void
  listen(port: number, host: string): void
}

// The very Express that the registry runs on, which only its own package may import by name.
const requireFromHttp = createRequire(join(checkout, 'packages/http/package.json'))
const express = requireFromHttp('express') as { (): App; json(): unknown }

const app = express()

app.get('/v1/tenants/by-slug/:slug', async (request, response) => {
  const tenant = await tenantBySlug(request.params.slug)
  if (tenant) response.json(tenant)
  else response.status(404).json({ error: 'not found' })
})

// What is stored, put under the tenant and not judged: no plan, no state, no time goes into it.
app.get('/v1/tenants/:id/entitlements', async (request, response) => {
  const rows = await holdingsOf(request.params.id)
  const [first] = rows
  if (!first) {
    response.status(404).json({ error: 'not found' })
    return
  }
  const { tenant_id, status } = first
  const data = rows.map(({ product, enabled, config, limits, valid_from, valid_until, version }) => {
    return { product, enabled, config, limits, valid_from, valid_until, version }
  })
  response.json({ tenant_id, status, data })
})

app.get('/v1/tenants', async (_request, response) => {
  const tenants = await newestTenants(50)
  response.json({ data: tenants.slice(0, 50), has_more: tenants.length > 50 })
})

app.post('/v1/tenants', express.json(), async (request, response) => {
  response.status(201).json(await insertTenant(randomUUID(), request.body.slug, request.body.name))
})

// The least that an answer to a question in JSON costs: the question is parsed and nothing is done about it.
for (const path of ['/v1/api-keys/verify', '/v1/api-keys/verify-batch']) {
  app.post(path, express.json(), async (_request, response) => {
    response.json({})
  })
}

app.listen(Number(process.env['PORT']), '127.0.0.1')
