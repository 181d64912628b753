import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { endProcess, processCommand, processIdentity } from '../processes/identity.ts'

/** What PostgreSQL writes about itself into its data folder; undefined when no server left anything there. */
export function readPostmasterFile(data: string): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    return { pid: Number(lines[0]), status: lines[7]?.trim() ?? '' }
  } catch {
    return undefined
  }
}

/** Stops the server that a killed run left on a data folder, and takes away a file that would stop the next. */
export async function stopOrphan(data: string): Promise<void> {
  const found = readPostmasterFile(data)
  const identity = found && processIdentity(found.pid)
  if (!found || identity === undefined) return
  if (processCommand(found.pid)?.includes(data)) {
    console.log(`postgres: stopping the server (process ${found.pid}) that an interrupted run left behind`)
    await endProcess({ pid: found.pid, identity }, 'SIGINT', 10_000)
  } else {
    // Its number has been given to another process meanwhile, which PostgreSQL would take for a running server.
    rmSync(join(data, 'postmaster.pid'), { force: true })
  }
}
