import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'
import { aKey, verified } from '../test/api-key.ts'
import { json, startPeer } from '../test/scripted-peer.ts'
import { aTenant } from '../test/tenant.ts'

const gzippedBytesMax = { client: 8 * 1024, everything: 15 * 1024 }

/** Bundles a program, as whoever ships it to a browser does. */
async function bundle(program: string, format: 'esm' | 'iife' = 'esm') {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const source = { name: 'program', resolveId: (id: string) => (id === 'program' ? id : undefined), load: loadProgram }
  function loadProgram(id: string): string | undefined {
    return id === 'program' ? program.replaceAll("'./", `'${folder}`) : undefined
  }
  const bundle = await rolldown({ input: 'program', platform: 'browser', plugins: [source] })
  const { output } = await bundle.generate({ format, name: 'tenantClient', minify: true })
  return output[0]
}

const sizeOf = ({ code }: { readonly code: string }) => gzipSync(code, { level: 9 }).length
const client = "export * from './index.ts'"
const verify = "export * from './key-verifier/index.ts'"
const publisher = "export * from './audit-publisher/index.ts'"
const entitlements = "export * from './entitlement-cache/index.ts'"

// Starting the bundler takes its time on a busy machine.
const timeout = 30_000

it('everything together is small, and imports nothing', { timeout }, async () => {
  const everything = await bundle(`${client}\n${entitlements}\n${verify}\n${publisher}`)
  expect(sizeOf(await bundle(client))).toBeLessThanOrEqual(gzippedBytesMax.client)
  expect(everything.exports).toEqual(expect.arrayContaining(['TenantClient', 'createEntitlements']))
  expect([everything.imports, everything.dynamicImports]).toEqual([[], []])
  expect(sizeOf(everything)).toBeLessThanOrEqual(gzippedBytesMax.everything)
  // Less would mean that the measurement is broken.
  expect(sizeOf(everything)).toBeGreaterThan(1024)
})

it('nobody pays for what is not used', { timeout }, async () => {
  const [alone, both, cache] = await Promise.all([
    bundle(client),
    bundle(`${client}\n${entitlements}`),
    bundle(entitlements),
  ])
  expect(alone.code).not.toContain('the entitlements were closed')
  expect(alone.code).not.toContain('the fake registry')
  expect(both.code).not.toContain('the fake registry')
  expect(sizeOf(alone)).toBeLessThan(sizeOf(both))
  // Without the client it needs no more of it than its errors.
  expect(cache.code).not.toContain('/v1/tenants')
  expect(sizeOf(cache)).toBeLessThanOrEqual(5 * 1024)
  expect((await bundle("import './index.ts'\nimport './entitlement-cache/index.ts'")).code.trim()).toBe('')
})

it('verifying keys costs little, and nobody else pays for it', { timeout }, async () => {
  const [alone, guard, verifier] = await Promise.all([
    bundle(client),
    bundle("export * from './express/index.ts'"),
    bundle(verify),
  ])
  expect([verifier.imports, guard.imports]).toEqual([[], []])
  expect(verifier.exports).toEqual(expect.arrayContaining(['createKeyVerifier', 'isWellFormedKey', 'hasScopes']))
  expect(verifier.code).not.toContain('/v1/')
  expect(alone.code).not.toContain('SHA-256')
  expect(sizeOf(verifier)).toBeLessThanOrEqual(4 * 1024)
  expect(sizeOf(guard)).toBeLessThanOrEqual(5 * 1024)
  expect((await bundle("import './key-verifier/index.ts'\nimport './express/index.ts'")).code.trim()).toBe('')
})

it('publishing events costs little, and nobody else pays for it', { timeout }, async () => {
  const [alone, delivering] = await Promise.all([bundle(client), bundle(publisher)])
  expect(delivering.imports).toEqual([])
  expect(delivering.code).not.toContain('/v1/')
  expect(alone.code).not.toContain('the publisher is closed')
  expect(sizeOf(delivering)).toBeLessThanOrEqual(3 * 1024)
  expect((await bundle("import './audit-publisher/index.ts'")).code.trim()).toBe('')
})

it('it runs where there is nothing but what browsers and edge runtimes have', { timeout }, async () => {
  await using peer = await startPeer(json(aTenant()))
  const { code } = await bundle(client, 'iife')
  const web = { fetch, URL, URLSearchParams, Headers, AbortController, crypto, performance, setTimeout, clearTimeout }
  const act = `
    ${code}
    const client = new tenantClient.TenantClient({ baseUrl: '${peer.url}' })
    client.tenants.create({ slug: 'acme', name: 'Acme Inc.' }).then(({ name }) => name)
  `
  expect(await runInNewContext(act, web)).toBe('Acme Inc.')
})

it('so does what verifies keys', { timeout }, async () => {
  await using peer = await startPeer(json(verified()))
  const { code } = await bundle(`${client}\n${verify}`, 'iife')
  const web = { fetch, URL, URLSearchParams, Headers, AbortController, crypto, performance, setTimeout, clearTimeout }
  const act = `
    ${code}
    const client = new tenantClient.TenantClient({ baseUrl: '${peer.url}' })
    const verifier = tenantClient.createKeyVerifier({ client, follow: false })
    const request = new Request('https://product.test', { headers: { 'X-API-Key': '${aKey()}' } })
    verifier.verifyRequest(request, { scopes: ['reports:read'] }).then(({ code }) => code)
  `
  expect(await runInNewContext(act, { ...web, Request, TextEncoder })).toBe('VALID')
})
