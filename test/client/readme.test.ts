import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { type ServerUnderTest, startTestServer } from '../server.ts'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)
let folder: string
let server: ServerUnderTest
let program: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenant-client-readme-'))
  server = await startTestServer()
  await aTenant(server.db, { slug: 'acme', name: 'Acme Inc.', status: 'active', plan: 'professional' })
  const page = await readFile(join(root, 'packages/client/README.md'), 'utf8')
  program = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code).join('\n')
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

describe('the README of the client', () => {
  it('is a program that prints what it says, after the first page and the next time as well', async () => {
    const promised = [...program.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
    const words = ['--conditions=@breakpilot/source', '--input-type=module-typescript', '--eval', program]
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', TENANT_REGISTRY_URL: server.url }
    expect(promised.length).toBeGreaterThan(10)

    const printed = async () => {
      // From here, the package's own name leads to it.
      const { stdout } = await run(process.execPath, words, { cwd: join(root, 'test'), env })
      return stdout.trim().split('\n')
    }
    const firstPage = await readFile(join(root, 'README.md'), 'utf8')
    const [, body = ''] = /^ +-d '(\{.*\})'$/m.exec(firstPage) ?? []
    const headers = { 'content-type': 'application/json' }
    const { status } = await fetch(`${server.url}/v1/tenants`, { method: 'POST', headers, body })
    expect(status).toBe(201)
    expect(await printed()).toEqual(promised)
    expect(await printed()).toEqual(promised)
  })

  it('is a program whose types are right', async () => {
    const config = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        noEmit: true,
        typeRoots: [join(root, 'node_modules/@types')],
        paths: {
          '@breakpilot/tenant-client': [join(root, 'packages/client/src/index.ts')],
          '@breakpilot/tenant-client/entitlements': [join(root, 'packages/client/src/entitlement-cache/index.ts')],
          '@breakpilot/tenant-client/express': [join(root, 'packages/client/src/express/index.ts')],
          '@breakpilot/tenant-client/verify': [join(root, 'packages/client/src/key-verifier/index.ts')],
          '@breakpilot/tenant-client/audit': [join(root, 'packages/client/src/audit-publisher/index.ts')],
          '@breakpilot/tenant-client/testing': [join(root, 'packages/client/src/fake/index.ts')],
        },
      },
      files: ['readme.mts'],
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(join(folder, 'readme.mts'), program)
    const checked = await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch((error: unknown) => error)
    expect(checked).toEqual({ stdout: '', stderr: '' })
  })
})
