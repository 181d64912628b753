import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

/** The server as a process of its own, as it runs in production. */
export interface ServerProcess {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with the URL once it listens; rejects when it ends before. */
  readonly listening: Promise<string>
  /** The exit code, or the signal. */
  readonly ended: Promise<number | string>
}

const root = resolve(import.meta.dirname, '../..')

/** Starts the server with this environment and nothing else. */
export function startProcess(env: Record<string, string>): ServerProcess {
  const child = spawn(process.execPath, ['--conditions=@breakpilot/source', 'apps/server/src/main.ts'], {
    cwd: root,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const listening = new Promise<string>((found, fail) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      const url = /"addresses":\["([^"]+)"/.exec(stdout)?.[1]
      if (url !== undefined) found(url)
    })
    void ended.then((how) => fail(new Error(`ended with ${how}: ${stderr}`)))
  })
  // Who waits for the end does not wait for the beginning.
  listening.catch(() => undefined)
  return { child, stdout: () => stdout, stderr: () => stderr, listening, ended }
}
