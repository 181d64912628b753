import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerUnderTest, startTestServer } from '../server.ts'

const run = promisify(execFile)
let folder: string
let server: ServerUnderTest

beforeAll(async () => {
  server = await startTestServer({ PURGE_AFTER_DAYS: '0' }, undefined, { jobs: { purge: 100 } })
  folder = await mkdtemp(join(tmpdir(), 'tour-'))
  const standIn = join(import.meta.dirname, 'curl.ts')
  await writeFile(join(folder, 'curl'), `#!/bin/sh\nexec "${process.execPath}" "${standIn}" "$@"\n`, { mode: 0o755 })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

/** What stands behind a `#` at the end of a line that does something. */
const promisesOf = (script: string) => [...script.matchAll(/^(?!#).* # (.*)$/gm)].map(([, text]) => text)

describe("a tenant's life, in the README", () => {
  it.each([
    ['sh', 'by the curl of this machine, or the stand-in where there is none', (path: string) => [path, folder]],
    ['sh', 'by the stand-in', (path: string) => [folder, path]],
  ])('prints what it says, in %s, %s', async (shell, _, paths) => {
    const page = await readFile(resolve(import.meta.dirname, '../../README.md'), 'utf8')
    const [, script = ''] = /^## A tenant's life.*?^```bash\n(.*?)^```$/ms.exec(page) ?? []
    const promised = promisesOf(script)
    expect(promised.length).toBeGreaterThan(10)
    const here = script.replace('http://localhost:8090', server.url)
    expect(here).not.toBe(script)
    const path = [dirname(process.execPath), ...paths(process.env['PATH'] ?? '')].join(delimiter)
    const { stdout, stderr } = await run(shell, ['-eu', '-c', here], { env: { ...process.env, PATH: path } })
    expect(stderr).toBe('')
    expect(stdout.trim().split('\n')).toEqual(promised)
  })
})
