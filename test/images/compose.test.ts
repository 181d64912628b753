import { once } from 'node:events'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { composeCommand, docker, succeed } from './commands.ts'
import { builtImages } from './images.ts'
import { eventually } from './stage.ts'

const images = builtImages()

let compose: (...words: string[]) => Promise<string>
let port: number
beforeAll(async () => {
  const [program, ...before] = await composeCommand()
  port = await freePort()
  const env = {
    COMPOSE_PROJECT_NAME: images.run,
    MIGRATE_IMAGE: images.migrate,
    SERVER_IMAGE: images.server,
    POSTGRES_IMAGE: images.postgres,
    PORT: String(port),
  }
  compose = (...words) => succeed(program, [...before, ...words], { env, cwd: resolve(import.meta.dirname, '../..') })
})
afterAll(async () => {
  await compose?.('down', '--volumes')
})

it('compose brings everything up from nothing, in order, until the server is healthy', async () => {
  await compose('up', '--detach', '--no-build')
  const exitCode = async (service: string) =>
    docker('inspect', '--format', '{{.State.ExitCode}}', await compose('ps', '--all', '--quiet', service))
  expect(await Promise.all(['roles', 'keyring', 'migrate'].map(exitCode))).toEqual(['0', '0', '0'])
  const server = await compose('ps', '--quiet', 'server')
  await eventually(async () => {
    expect(await docker('inspect', '--format', '{{.State.Health.Status}}', server)).toBe('healthy')
  })
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
  expect((await fetch(`http://127.0.0.1:${port}/v1/tenants`)).status).toBe(401)
})

it('runs what it brought up a second time without harm, with the keyring of the first', async () => {
  const keyring = async () => await compose('exec', '-T', 'server', 'cat', '/keyring/keyring.json')
  const before = await keyring()
  await compose('up', '--detach', '--no-build')
  expect(await keyring()).toBe(before)
  expect(await docker('inspect', '--format', '{{.State.Running}}', await compose('ps', '--quiet', 'server'))).toBe(
    'true',
  )
})

it('leaves nothing behind', async () => {
  await compose('down', '--volumes')
  const having = ['--quiet', '--filter', `label=com.docker.compose.project=${images.run}`]
  expect(await docker('ps', '--all', ...having)).toBe('')
  expect(await docker('volume', 'ls', ...having)).toBe('')
  expect(await docker('network', 'ls', ...having)).toBe('')
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
