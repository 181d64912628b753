import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const source = [
  '--conditions=@breakpilot/source',
  fileURLToPath(new URL('../../apps/migrate/src/main.ts', import.meta.url)),
]

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The lines of stdout, which is no terminal here: one JSON object each. */
  readonly lines: Record<string, unknown>[]
  /** The last line of stderr. */
  readonly error: Record<string, unknown> | undefined
}

export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts a real `tenant-migrate` from its source. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  // Nothing of the machine's own configuration may reach the process.
  const inherited = Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'NODE_COMPILE_CACHE'].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const child = spawn(process.execPath, [...source, ...args], { env: { ...inherited, ...env }, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code, stdout, stderr, lines: parsed(stdout), error: parsed(stderr).at(-1) })
    })
  })
  return { process: child, ended }
}

/** Runs a real `tenant-migrate` to its end. */
export async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return start(args, env).ended
}

function parsed(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
