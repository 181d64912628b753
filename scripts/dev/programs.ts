import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkout } from '../postgres/installation.ts'
import { spawnTethered } from '../processes/tethered.ts'
import type { Address } from './address.ts'

const startTimeoutMs = 60_000
// Longer than the server gives its open requests.
const drainTimeoutMs = 30_000

/** A program of ours that runs from its source, and ends when we do. */
export interface Program {
  child: ChildProcess
  /** How it ended: the exit code or the signal. */
  ended: Promise<number | string>
}

/** Starts a program from its source, on a database, in development mode. */
export function startProgram(entry: string, databaseUrl: string, env: NodeJS.ProcessEnv): Program {
  const child = spawnTethered(process.execPath, ['--conditions=@breakpilot/source', join(checkout, entry)], {
    signal: 'TERM',
    output: 'inherit',
    cwd: checkout,
    env: {
      // A third less work at each start.
      NODE_COMPILE_CACHE: join(checkout, 'node_modules', '.cache', 'node'),
      ...process.env,
      DATABASE_URL: databaseUrl,
      // Said out loud: nothing outside of development may ever default to them.
      APP_ENV: 'dev',
      AUTH_MODE: 'off',
      ...env,
    },
  })
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => resolve(code ?? signal ?? 1))
  })
  return { child, ended }
}

/** Fills the database with what the examples in the README use; running it again changes nothing. */
export async function runSeed(databaseUrl: string): Promise<void> {
  const entry = 'apps/server/dev/seed.ts'
  if (!existsSync(join(checkout, entry))) return
  const code = await startProgram(entry, databaseUrl, {}).ended
  if (code !== 0) throw new Error(`the sample data could not be written (${entry} ended with ${code})`)
}

/** Waits until the server answers. */
export async function untilAnswers({ ended }: Program, { url }: Address, signal: AbortSignal): Promise<void> {
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)])
  const died = ended.then((how) => {
    throw new Error(`the server ended with ${how} before it answered`)
  })
  const answers = async () => {
    for (;;) {
      const answer = await fetch(`${url}/healthz`, { signal: giveUp }).catch(() => undefined)
      await answer?.body?.cancel()
      if (answer?.ok) return
      signal.throwIfAborted()
      if (giveUp.aborted) throw new Error(`the server does not answer on ${url}/healthz`)
      await sleep(20)
    }
  }
  await Promise.race([answers(), died])
}

/** Lets the server finish what it does, and ends it. */
export async function drain({ child, ended }: Program): Promise<void> {
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), drainTimeoutMs)
  await ended.catch(() => undefined)
  clearTimeout(insist)
}
