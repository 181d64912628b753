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

it("makes a publisher's key by the one command of docs/retraced.md, which the official client works with", async () => {
  const page = await readFile(resolve(import.meta.dirname, '../../docs/retraced.md'), 'utf8')
  const [, command = ''] = /^## Pointing a publisher here.*?^```bash\n(.*?)^```$/ms.exec(page) ?? []
  const here = command.replace('localhost:8090', server.url)
  expect(here).not.toBe(command)
  const curl = `curl() { "${process.execPath}" "${join(import.meta.dirname, 'curl.ts')}" "$@"; }`
  const { stdout } = await promisify(execFile)('sh', ['-c', `${curl}\n${here}`])
  const { key } = JSON.parse(stdout) as { key: string }
  const client = new Client({ apiKey: key, projectId: 'certifai', endpoint: `${server.url}/audit` })
  expect(await client.reportEvent({ action: 'page.read', crud: 'r', actor: { id: 'jane' } })).toMatch(/^[0-9a-f]{32}$/)
})
