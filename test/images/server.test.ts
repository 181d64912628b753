import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newKeyringText } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { docker } from './commands.ts'
import { builtImages } from './images.ts'
import { confined, ended, eventually, ownerUrl, runtimeUrl, setStage, type Stage } from './stage.ts'

const images = builtImages()
const issuer = ['--env', 'KEYCLOAK_ISSUER=https://id.example.org/realms/breakpilot']
const asRuntime = [...confined, '--env', `DATABASE_URL=${runtimeUrl}`]

let stage: Stage
let folder: string
/** What gives a container a keyring, as a mounted secret does. */
let keyring: readonly string[]
/** The same for the key that checkpoints are signed with. */
let signingKey: readonly string[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'))
  await writeFile(join(folder, 'keyring.json'), newKeyringText())
  // For user 1000, who need not be who runs this, and who makes the other one.
  await chmod(folder, 0o777)
  keyring = ['--volume', `${folder}:/secrets:ro`, '--env', 'SECRETS_KEYRING_FILE=/secrets/keyring.json']
  signingKey = ['--env', 'AUDIT_SIGNING_KEY_FILE=/secrets/signing-key.pem']
  stage = await setStage(images)
})
afterAll(async () => {
  await stage?.remove()
  await rm(folder, { recursive: true })
})

it('does not start without an issuer, and says so in one line', async () => {
  const { code, stdout, stderr } = await stage.run(images.server, asRuntime)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^.*KEYCLOAK_ISSUER.*\n$/)
})

it('does not start without a keyring, and says so in one line', async () => {
  const { code, stdout, stderr } = await stage.run(images.server, [...asRuntime, ...issuer])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^.*SECRETS_KEYRING_FILE.*\n$/)
})

it('does not start without a key to sign with, and says so in one line', async () => {
  const { code, stdout, stderr } = await stage.run(images.server, [...asRuntime, ...issuer, ...keyring])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^.*AUDIT_SIGNING_KEY_FILE.*\n$/)
})

it('makes a key to sign with, once, and shows its public half', async () => {
  const options = [...confined, '--volume', `${folder}:/secrets`, '--entrypoint', 'node']
  const words = ['dist/secrets.js', 'new-signing-key', '/secrets/signing-key.pem']
  const made = await stage.run(images.server, options, ...words)
  expect(made.stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
  expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/^key id: [0-9a-f]{16}\n$/) })
  expect(await stage.run(images.server, options, ...words)).toMatchObject({ code: 2, stdout: '' })
})

it.each([['prod'], ['stage']])('does not start without authentication in %s', async (stageName) => {
  const off = ['--env', 'AUTH_MODE=off', '--env', `APP_ENV=${stageName}`]
  const { code, stdout, stderr } = await stage.run(images.server, [...asRuntime, ...issuer, ...off])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^.*AUTH_MODE=off.*\n$/)
})

// In this order: it is the life of one server.
describe('a server', () => {
  let server: string
  let url: string
  const get = async (path: string) => {
    const response = await fetch(url + path)
    const body = (await response.json()) as { status?: unknown; code?: unknown; detail?: unknown }
    return { status: response.status, type: response.headers.get('content-type'), body }
  }
  const health = () => docker('inspect', '--format', '{{.State.Health.Status}}', server)

  it('starts before its database is migrated, lives, and says that it is not ready', async () => {
    const options = [...asRuntime, ...issuer, ...keyring, ...signingKey, '--publish', '127.0.0.1::8090']
    server = await stage.start(images.server, options)
    url = `http://${await docker('port', server, '8090')}`
    expect(await eventually(() => get('/healthz'))).toMatchObject({ status: 200, body: { status: 'ok' } })
    const { status, body } = await get('/readyz')
    expect({ status, detail: body.detail }).toEqual({ status: 503, detail: expect.stringMatching(/^migrations: /) })
  })

  it('is ready once it is migrated', async () => {
    const owner = [...confined, '--env', `DATABASE_URL=${ownerUrl}`]
    const migrated = await stage.run(images.migrate, owner, 'up', '--runtime-role', 'tenant_registry_runtime')
    expect(migrated.code).toBe(0)
    expect(await get('/readyz')).toMatchObject({ status: 200 })
  })

  it('answers nobody whom it does not know', async () => {
    const { status, type, body } = await get('/v1/tenants')
    expect({ status, type, code: body.code }).toEqual({
      status: 401,
      type: 'application/problem+json; charset=utf-8',
      code: 'auth.credentials_missing',
    })
  })

  it('has the page that shows the audit log, with its script and its styles', async () => {
    const answers = ['', '/viewer.js', '/viewer.css'].map(async (path) => {
      const response = await fetch(`${url}/audit/viewer${path}`)
      return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
    })
    const [page, script, styles] = await Promise.all(answers)
    expect(page).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' })
    expect(page?.text).toContain('<script defer src="/audit/viewer/viewer.js">')
    expect(script).toMatchObject({ status: 200, type: 'text/javascript; charset=utf-8' })
    // What it talks to: this is the script, and not some other one.
    expect(script?.text).toContain('/audit/viewer/v1')
    expect(styles).toMatchObject({ status: 200, type: 'text/css; charset=utf-8' })
    expect(styles?.text).toContain('.TableRow-wrapper')
  })

  it('is found healthy by Docker', async () => {
    await eventually(async () => expect(await health()).toBe('healthy'))
  })

  it('is process 1, as somebody who is not root', async () => {
    const status = await docker('exec', server, 'cat', '/proc/1/status', '/proc/1/cmdline')
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m)
    expect(status).toContain('node\0dist/main.js\0')
  })

  it('stops within seconds when it is asked to, in good order', async () => {
    const started = performance.now()
    await docker('stop', '--time', '30', server)
    // SHUTDOWN_DELAY is five of them in production.
    expect(performance.now() - started).toBeLessThan(12_000)
    const { code, stdout, stderr } = await ended(server)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('"msg":"stopped"')
    expect(stdout).not.toContain('hunter2')
  })
})
