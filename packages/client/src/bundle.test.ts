import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'
import { json, startPeer } from '../test/scripted-peer.ts'
import { aTenant } from '../test/tenant.ts'

const gzippedBytesMax = 12 * 1024

async function bundle(format: 'esm' | 'iife') {
  const input = fileURLToPath(new URL('index.ts', import.meta.url))
  const bundle = await rolldown({ input, platform: 'browser' })
  const { output } = await bundle.generate({ format, name: 'tenantClient', minify: true })
  return output[0]
}

// Starting the bundler takes its time on a busy machine.
const timeout = 30_000

it('everything together is small, and imports nothing', { timeout }, async () => {
  const { code, imports, dynamicImports, exports } = await bundle('esm')
  expect(exports).toContain('TenantClient')
  expect([imports, dynamicImports]).toEqual([[], []])
  const size = gzipSync(code, { level: 9 }).length
  expect(size).toBeLessThanOrEqual(gzippedBytesMax)
  // Less would mean that the measurement is broken.
  expect(size).toBeGreaterThan(1024)
})

it('it runs where there is nothing but what browsers and edge runtimes have', { timeout }, async () => {
  await using peer = await startPeer(json(aTenant()))
  const { code } = await bundle('iife')
  const web = { fetch, URL, URLSearchParams, Headers, AbortController, crypto, performance, setTimeout, clearTimeout }
  const act = `
    ${code}
    const client = new tenantClient.TenantClient({ baseUrl: '${peer.url}' })
    client.tenants.create({ slug: 'acme', name: 'Acme Inc.' }).then(({ name }) => name)
  `
  expect(await runInNewContext(act, web)).toBe('Acme Inc.')
})
