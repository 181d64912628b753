import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkout } from '../postgres/installation.ts'
import type { Seen } from './cpu-probe.ts'
import type { Order, Outcome } from './load.ts'

const startTimeoutMs = 30_000
// Longer than the registry gives its open requests; a profile is also written in this time.
const stopTimeoutMs = 30_000

/** A server that is measured. */
export interface ServerUnderLoad {
  readonly port: number
  /** The access token that it wants. */
  readonly token: string | undefined
  /** The processor time that it has taken since it started, in microseconds. */
  cpuMicroseconds(): Promise<number>
  /** Begins to look at its event loop, its memory and what it asks of argon2. */
  watch(): Promise<void>
  /** What was seen since. */
  seen(): Promise<Seen>
  stop(): Promise<void>
}

/** How to start one. */
export interface Start {
  /** The file, from the root of the repository. */
  readonly entry: string
  readonly env: (port: number) => Record<string, string>
  /** The file that its standard output goes to. */
  readonly output: string
  readonly flags: readonly string[]
  readonly token?: string
}

/** Starts a server with the probe and waits until it answers. It ends when this process does. */
export async function startServer({ entry, env, output, flags, token }: Start, path: string): Promise<ServerUnderLoad> {
  const port = await freePort()
  const probe = join(checkout, 'scripts/bench/cpu-probe.ts')
  const child = start(['--import', probe, ...flags, join(checkout, entry)], env(port), output)
  const end = Date.now() + startTimeoutMs
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const answers = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers }).catch(() => undefined)
    await answer?.arrayBuffer()
    return answer?.ok === true
  }
  while (!(await answers())) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${entry} does not answer ${path} with 200`)
    await sleep(50)
  }
  return {
    port,
    token,
    cpuMicroseconds: () => ask<number>(child, 'cpu'),
    watch: async () => {
      await ask(child, 'watch')
    },
    seen: () => ask<Seen>(child, 'seen'),
    stop: () => stop(child),
  }
}

/** The generator of load. */
export interface Generator {
  run(order: Order): Promise<Outcome>
  stop(): Promise<void>
}

/** Starts the generator. It ends when this process does. */
export function startGenerator(): Generator {
  const child = start([join(checkout, 'scripts/bench/load.ts')], {}, '/dev/null')
  return { run: (order) => ask<Outcome>(child, order), stop: () => stop(child) }
}

/** Starts a process beside that does nothing but argon2, one thread. It ends when this process does. */
export async function startArgon2(): Promise<{ stop(): Promise<void> }> {
  const child = start([join(checkout, 'scripts/bench/argon2-alone.ts')], {}, '/dev/null')
  const ended = new AbortController()
  const gone = once(child, 'exit', ended).then(() => {
    throw new Error('what hashes beside has ended')
  })
  await Promise.race([once(child, 'message', ended), gone]).finally(() => ended.abort())
  return { stop: () => stop(child) }
}

/** Has a program of its own answer one question. It ends when this process does. */
export async function askProgram<Answer>(entry: string, question: object): Promise<Answer> {
  const child = start([join(checkout, entry)], {}, '/dev/null')
  try {
    return await ask<Answer>(child, question)
  } finally {
    await stop(child)
  }
}

function start(words: readonly string[], env: Record<string, string>, output: string): ChildProcess {
  const file = openSync(output, 'a')
  const child = spawn(process.execPath, ['--conditions=@breakpilot/source', ...words], {
    stdio: ['ignore', file, 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'], ...env },
  })
  closeSync(file)
  return child
}

async function ask<Answer>(child: ChildProcess, question: string | object): Promise<Answer> {
  const answered = new AbortController()
  try {
    const answer = once(child, 'message', answered) as Promise<[Answer]>
    const gone = once(child, 'exit', answered).then(() => {
      throw new Error('a process that is measured has ended')
    })
    child.send(question)
    return (await Promise.race([answer, gone]))[0]
  } finally {
    answered.abort()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await gone
  clearTimeout(insist)
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
  return address.port
}
