/**
 * A product whose API takes keys of the tenant registry. What it needs is in the three lines below; the rest is any
 * Express app. In a project of your own: `pnpm add express @breakpilot/tenant-client`. Here, beside `make dev`:
 *
 *     TENANT_REGISTRY_URL=http://localhost:8090 pnpm --filter ./examples/product-app start
 */
import { TenantClient } from '@breakpilot/tenant-client'
import { requireApiKey } from '@breakpilot/tenant-client/express'
import { createKeyVerifier } from '@breakpilot/tenant-client/verify'
import express from 'express'

const { TENANT_REGISTRY_URL = 'http://localhost:8090', TENANT_REGISTRY_TOKEN, STALE_IF_ERROR_MS, PORT } = process.env

const app = express()

const client = new TenantClient({ baseUrl: TENANT_REGISTRY_URL, token: TENANT_REGISTRY_TOKEN })
const verifier = createKeyVerifier({ client, staleIfErrorMs: Number(STALE_IF_ERROR_MS ?? 60_000) })
app.use('/reports', requireApiKey({ verifier, scopes: ['certifai:read'] }))

app.get('/reports', (req, res) => {
  const { tenant_id, stale } = req.apiKey ?? {}
  res.json({ reports: [], tenant_id, stale })
})

const server = app.listen(Number(PORT ?? 3000), '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify(server.address())}\n`)
})
process.once('SIGTERM', () => {
  verifier.close()
  server.close()
})
