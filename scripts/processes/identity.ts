import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/**
 * Tells a process from a later one with the same number, so that a record left by a killed run never
 * protects, or condemns, a stranger. Undefined when no such process runs.
 */
export function processIdentity(pid: number): string | undefined {
  const started = process.platform === 'linux' ? startedByProc(pid) : ps(pid, 'lstart=')
  return started && createHash('sha256').update(started).digest('hex').slice(0, 12)
}

/** The command line of a process, words joined by spaces; undefined when it does not run. */
export function processCommand(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'command=')
  return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() || undefined
}

/** A process as a record on disk names it. */
export interface ProcessRecord {
  pid: number
  identity: string
}

/** The record of a running process. */
export function recordOf(pid: number): ProcessRecord {
  const identity = processIdentity(pid)
  if (identity === undefined) throw new Error(`process ${pid} does not run`)
  return { pid, identity }
}

/** Whether the very process of a record still runs. */
export function isRunning(record: ProcessRecord): boolean {
  return processIdentity(record.pid) === record.identity
}

/** Asks a process to end, insists after `patienceMs`, and returns when it is gone. */
export async function endProcess(record: ProcessRecord, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  for (const [next, waitMs] of [[signal, patienceMs] as const, ['SIGKILL', 5000] as const]) {
    if (!isRunning(record)) return
    try {
      process.kill(record.pid, next)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
    const end = Date.now() + waitMs
    while (isRunning(record) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  if (isRunning(record)) throw new Error(`process ${record.pid} does not end`)
}

// A zombie has ended, only its parent has not looked yet: it does not count as running.
function startedByProc(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19]
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function ps(pid: number, format: string): string | undefined {
  try {
    const words = ['-ww', '-o', format, '-p', String(pid)]
    return execFileSync('ps', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined
  } catch {
    return undefined
  }
}
