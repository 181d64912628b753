import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

const ours = 'https://console.breakpilot.com'
let server: ServerUnderTest
beforeAll(async () => {
  server = await startTestServer({ CORS_ORIGINS: ours })
  await aTenant(server.db, { slug: 'acme' })
})
afterAll(async () => {
  await server.stop()
})

describe('where pages of another origin may read answers', () => {
  it.each([
    ['/v1/tenants/by-slug/acme', 200, 'Authorization, Origin'],
    ['/v1/tenants/by-slug/nobody', 404, 'Authorization, Origin'],
    ['/v1/nowhere', 404, 'Authorization, Origin'],
    ['/healthz', 200, 'Origin'],
    ['/openapi.json', 200, 'Origin'],
  ])('what is kept of %s is kept for that origin alone', async (path, status, vary) => {
    for (const origin of [ours, 'https://elsewhere.example']) {
      const { headers, ...answer } = await server.call('GET', path, { headers: { origin } })
      expect(answer.status).toBe(status)
      expect(headers.get('vary')).toBe(vary)
      expect(headers.get('access-control-allow-origin')).toBe(origin === ours ? ours : null)
    }
  })
})
