import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newKeyringText, newSigningKeyText } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { startProcess } from './process.ts'

let database: TestDatabase
let folder: string
let keyring: string
let signingKey: string
beforeAll(async () => {
  database = await migratedDatabase()
  folder = await mkdtemp(join(tmpdir(), 'boot-'))
  keyring = join(folder, 'keyring.json')
  await writeFile(keyring, newKeyringText())
  signingKey = join(folder, 'signing-key.pem')
  await writeFile(signingKey, newSigningKeyText())
})
afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

describe('the boot stops with one line that names what is wrong:', () => {
  it.each([
    ['no DATABASE_URL', { DATABASE_URL: '' }, /^tenant-registry: DATABASE_URL: is required$/],
    ['a DATABASE_URL that is none', { DATABASE_URL: 'hunter2' }, /^tenant-registry: DATABASE_URL: must be a URL/],
    ['an unknown APP_ENV', { APP_ENV: 'production' }, /^tenant-registry: APP_ENV: /],
    ['an ADDR without a port', { ADDR: 'localhost' }, /^tenant-registry: ADDR: .*localhost/],
    ['a pool of none', { DATABASE_POOL_SIZE: '0' }, /^tenant-registry: DATABASE_POOL_SIZE: /],
    [
      'less time to stop than it waits before',
      { SHUTDOWN_DELAY: '5', SHUTDOWN_TIMEOUT: '5' },
      /^tenant-registry: SHUTDOWN_TIMEOUT: must be more than SHUTDOWN_DELAY, which is 5$/,
    ],
    [
      'a proxy that is none',
      { TRUST_PROXY: '10.0.0.0/8, proxy.example.org' },
      /^tenant-registry: TRUST_PROXY: proxy\.example\.org is neither/,
    ],
    [
      'a network that is none',
      { TRUST_PROXY: '10.0.0.0/33' },
      /^tenant-registry: TRUST_PROXY: 10\.0\.0\.0\/33 is neither/,
    ],
    [
      'a certificate that is not there',
      { DATABASE_URL: 'postgres://app:hunter2@localhost/x?sslmode=verify-full&sslrootcert=/nowhere' },
      /^tenant-registry: DATABASE_URL: cannot be used: .*\/nowhere/,
    ],
    ['a time that is no number', { SHUTDOWN_TIMEOUT: '10s' }, /^tenant-registry: SHUTDOWN_TIMEOUT: /],
    [
      'no issuer in prod',
      { APP_ENV: 'prod', KEYCLOAK_ISSUER: '' },
      /^tenant-registry: KEYCLOAK_ISSUER: is required with APP_ENV=prod$/,
    ],
    [
      'no keyring in prod',
      { APP_ENV: 'prod', SECRETS_KEYRING_FILE: '' },
      /^tenant-registry: SECRETS_KEYRING_FILE: is required with APP_ENV=prod$/,
    ],
    [
      'no signing key in prod',
      { APP_ENV: 'prod', AUDIT_SIGNING_KEY_FILE: '' },
      /^tenant-registry: AUDIT_SIGNING_KEY_FILE: is required with APP_ENV=prod$/,
    ],
    [
      'no authentication in prod',
      { APP_ENV: 'prod', AUTH_MODE: 'off' },
      /^tenant-registry: AUTH_MODE=off is only accepted when APP_ENV=dev/,
    ],
    [
      'no authentication without saying dev',
      { APP_ENV: '', AUTH_MODE: 'off' },
      /^tenant-registry: AUTH_MODE=off is only accepted when APP_ENV=dev/,
    ],
    [
      'a manifest folder that is not there',
      { PRODUCT_MANIFEST_DIR: '/nowhere' },
      /^tenant-registry: \/nowhere: cannot be read$/,
    ],
    [
      'a secret file that is not there',
      { DATABASE_URL: '', DATABASE_URL_FILE: '/nowhere' },
      /^tenant-registry: DATABASE_URL_FILE: \/nowhere cannot be read$/,
    ],
  ])('%s', async (_, env, line) => {
    const server = startProcess({
      APP_ENV: 'dev',
      ADDR: '127.0.0.1:0',
      DATABASE_URL: database.runtimeUrl,
      KEYCLOAK_ISSUER: 'https://id.example.org/realms/x',
      SECRETS_KEYRING_FILE: keyring,
      AUDIT_SIGNING_KEY_FILE: signingKey,
      ...env,
    })
    expect(await server.ended).toBe(1)
    expect(server.stderr().trimEnd()).toMatch(line)
    expect(server.stderr()).not.toContain('hunter2')
    expect(server.stdout()).toBe('')
  })

  it('a malformed manifest, by file and path', async () => {
    const manifests = await mkdtemp(join(folder, 'manifests-'))
    const file = join(manifests, 'certifai.yaml')
    await writeFile(file, 'key: certifai\nname: C\nstatus: active\nowner: t\nsupports_projects: maybe\n')
    const server = startProcess({
      APP_ENV: 'dev',
      ADDR: '127.0.0.1:0',
      DATABASE_URL: database.runtimeUrl,
      PRODUCT_MANIFEST_DIR: manifests,
    })
    expect(await server.ended).toBe(1)
    expect(server.stderr()).toMatch(`tenant-registry: ${file}: supports_projects: `)
  })

  it('an address that is taken', async () => {
    const squatter = createServer()
    await new Promise<void>((done) => squatter.listen(0, '127.0.0.1', done))
    const { port } = squatter.address() as { port: number }
    const server = startProcess({ APP_ENV: 'dev', ADDR: `127.0.0.1:${port}`, DATABASE_URL: database.runtimeUrl })
    expect(await server.ended).toBe(1)
    expect(server.stderr()).toMatch(/^tenant-registry: .*EADDRINUSE.*\n$/)
    squatter.close()
  })
})

it('takes DATABASE_URL from a file, and listens before the database is there', async () => {
  const file = join(folder, 'url')
  await writeFile(file, `${database.runtimeUrl}\n`)
  const server = startProcess({ APP_ENV: 'dev', AUTH_MODE: 'off', ADDR: ':0', DATABASE_URL_FILE: file })
  const url = await server.listening
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:/)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  // The mode is said aloud, the secret never.
  expect(server.stdout()).toMatch(/AUTH_MODE=off: every request from this machine acts as platform-owner/)
  expect(server.stdout()).not.toContain(new URL(database.runtimeUrl).password)
})
