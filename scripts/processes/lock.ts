import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isRunning, type ProcessRecord, recordOf } from './identity.ts'

/** Who holds, or held, a lock, and what it says. */
export type Holder<T extends object> = ProcessRecord & Partial<T>

/** A lock file that we hold: it says who we are and whatever else others should know. */
export interface Lock<T> {
  /** Adds to what the file says, or says it anew. */
  say(what: T): void
  release(): void
}

/**
 * Takes a lock file, or returns what its living holder says. A lock whose holder was killed is taken over.
 * Only its owner can read the file: it may name passwords.
 */
export function takeLock<T extends object>(path: string, what: T): Lock<T> | { holder: Holder<T> } {
  mkdirSync(dirname(path), { recursive: true })
  const me = recordOf(process.pid)
  const own = `${path}.${me.pid}-${me.identity}`
  const write = (text: T) => writeFileSync(own, `${JSON.stringify({ ...me, ...text }, null, 2)}\n`, { mode: 0o600 })
  let said = what
  write(said)
  try {
    for (;;) {
      // A hard link appears with its content or not at all, and never over another.
      if (attempt(() => linkSync(own, path))) break
      const found = readLock<T>(path)
      if (found && isRunning(found)) return { holder: found }
      discardStale(path, `${own}.stale`)
    }
  } finally {
    rmSync(own, { force: true })
  }
  return {
    say(more) {
      said = { ...said, ...more }
      write(said)
      renameSync(own, path)
    },
    release() {
      rmSync(path, { force: true })
    },
  }
}

/** Waits for the lock, tells `onWait` once that it waits, and runs `work` under it. */
export async function underLock<R>(path: string, onWait: (pid: number) => void, work: () => Promise<R>): Promise<R> {
  let told = false
  for (;;) {
    const taken = takeLock(path, {})
    if ('release' in taken) {
      try {
        return await work()
      } finally {
        taken.release()
      }
    }
    if (!told) onWait(taken.holder.pid)
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

// Moved away before it is looked at again: if somebody living took it over in between, it goes back.
function discardStale(path: string, aside: string): void {
  if (!attempt(() => renameSync(path, aside))) return
  const found = readLock(aside)
  if (found && isRunning(found)) attempt(() => linkSync(aside, path))
  rmSync(aside, { force: true })
}

/** What a lock file says, be its holder alive or not. */
export function readLock<T extends object>(path: string): Holder<T> | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function attempt(action: () => void): boolean {
  try {
    action()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOENT')) return false
    throw error
  }
}
