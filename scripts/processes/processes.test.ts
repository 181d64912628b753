import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { endProcess, isRunning, processCommand, processIdentity, recordOf } from './identity.ts'
import { readLock, takeLock, underLock } from './lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenant-registry-processes-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A process that waits to be ended. */
async function sleeper(): Promise<number> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  return child.pid ?? 0
}

test('a process is told from a later one with the same number, and from none', async () => {
  const record = recordOf(await sleeper())
  expect(isRunning(record)).toBe(true)
  expect(processCommand(record.pid)).toBe('sleep 60')
  expect(isRunning({ ...record, identity: 'an earlier one' })).toBe(false)

  await endProcess(record, 'SIGTERM', 5000)
  expect(isRunning(record)).toBe(false)
  expect(processIdentity(record.pid)).toBeUndefined()
})

test('a lock that somebody living holds is refused, with what its holder says', () => {
  const path = join(folder, 'held')
  const lock = takeLock(path, { url: 'http://localhost:1' })
  const refused = takeLock(path, { url: 'http://localhost:2' })
  expect(refused).toEqual({ holder: { ...recordOf(process.pid), url: 'http://localhost:1' } })
  if ('release' in lock) lock.release()
  expect(readLock(path)).toBeUndefined()
})

test('a lock whose holder was killed is taken over', async () => {
  const path = join(folder, 'stale')
  const holder = recordOf(await sleeper())
  writeFileSync(path, JSON.stringify(holder))
  expect(takeLock(path, {})).toEqual({ holder })

  await endProcess(holder, 'SIGKILL', 5000)
  expect(takeLock(path, {})).toHaveProperty('release')
  expect(readLock(path)).toEqual(recordOf(process.pid))
})

test('work under one lock never overlaps', async () => {
  const path = join(folder, 'work')
  let inside = 0
  let most = 0
  let told = 0
  const work = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setTimeout(resolve, 20))
    inside -= 1
  }
  await Promise.all(Array.from({ length: 3 }, () => underLock(path, () => (told += 1), work)))
  expect(most).toBe(1)
  expect(told).toBeGreaterThan(0)
})

test('a tethered program ends with its parent, even when that is killed', async () => {
  const script = `
    import { spawnTethered } from ${JSON.stringify(join(import.meta.dirname, 'tethered.ts'))}
    const child = spawnTethered('sleep', ['60'], { signal: 'TERM', output: 'inherit' })
    child.once('spawn', () => console.log(child.pid))
  `
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [printed]: unknown[] = await once(parent.stdout, 'data')
  const child = recordOf(Number(String(printed)))

  parent.kill('SIGKILL')
  const deadline = Date.now() + 5000
  while (isRunning(child) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(isRunning(child)).toBe(false)
})
