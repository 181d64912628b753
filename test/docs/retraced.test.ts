import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@retracedhq/retraced'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ServerUnderTest, startTestServer } from '../server.ts'

let server: ServerUnderTest
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

it("makes a publisher's key by the one command of docs/retraced.md, which the official clients work with", async () => {
  const page = await readFile(resolve(import.meta.dirname, '../../docs/retraced.md'), 'utf8')
  const [, command = ''] = /^## Pointing a publisher here.*?^```bash\n(.*?)^```$/ms.exec(page) ?? []
  const here = command.replace('localhost:8090', server.url)
  expect(here).not.toBe(command)
  const curl = `curl() { "${process.execPath}" "${join(import.meta.dirname, 'curl.ts')}" "$@"; }`
  const { stdout } = await promisify(execFile)('sh', ['-c', `${curl}\n${here}`])
  const { key } = JSON.parse(stdout) as { key: string }
  const client = new Client({ apiKey: key, projectId: 'certifai', endpoint: `${server.url}/audit` })
  expect(await client.reportEvent({ action: 'page.read', crud: 'r', actor: { id: 'jane' } })).toMatch(/^[0-9a-f]{32}$/)

  // There is no Go here: these are the paths that its versions ask for, below what they are given.
  const [, now, before] = /^The Go client takes the same endpoint, `(.*?)`.*?those take `(.*?)`/ms.exec(page) ?? []
  for (const [endpoint = '', path] of [
    [now, '/publisher/v1/project/certifai'],
    [before, '/v1/project/certifai'],
  ]) {
    const ask = async (method: string, rest: string, json?: object) => {
      const headers = { authorization: `Token token=${key}` }
      const below = endpoint.replace('http://localhost:8090', '')
      return (await server.call(method, below + path + rest, { headers, ...(json && { json }) })).status
    }
    expect(await ask('POST', '/event', { action: 'page.read', crud: 'r', actor: { id: 'jane' } })).toBe(201)
    expect(await ask('POST', '/graphql', { query: '{ search(last: 1) { totalCount } }' })).toBe(200)
    expect(await ask('GET', '/viewertoken?group_id=g&is_admin=false&actor_id=a&view_log_action=')).toBe(201)
  }
  for (const endpoint of [now, before]) {
    const below = endpoint?.replace('http://localhost:8090', '')
    const headers = { authorization: `Token token=${key}` }
    const path = `${below}/v1/project/certifai/group/g/actor/a/viewersessions`
    expect((await server.call('DELETE', path, { headers })).status).toBe(200)
  }
})
