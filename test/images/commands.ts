import { spawn } from 'node:child_process'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly cwd?: string
}

/** Runs a program to its end, however that comes. */
export function run(program: string, words: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: 'pipe',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    // A program that ends without reading says why itself.
    child.stdin.on('error', () => undefined).end(options.input ?? '')
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** Runs a program that has to succeed, and answers what it printed. */
export async function succeed(program: string, words: readonly string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await run(program, words, options)
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout.trim()
}

/** A docker command that has to succeed. */
export function docker(...words: readonly string[]): Promise<string> {
  return succeed('docker', words)
}

/** Compose as Docker's plug-in, or the program of its own that it was before. */
export async function composeCommand(): Promise<readonly [string, ...string[]]> {
  for (const command of [['docker', 'compose'] as const, ['docker-compose'] as const]) {
    const [program, ...words] = command
    const found = await run(program, [...words, 'version']).catch(() => undefined)
    if (found?.code === 0) return command
  }
  throw new Error('neither `docker compose` nor `docker-compose` is here')
}
