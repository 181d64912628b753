import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { Argon2Task } from './argon2-thread.ts'

/** How dear a hash is made: argon2id, memory in KiB, passes over it, and threads. */
export interface HashCost {
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}

/**
 * The least that is allowed, and what is used unless told: OWASP's minimum.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
export const hashCostMin: HashCost = Object.freeze({ memoryCost: 19_456, timeCost: 2, parallelism: 1 })

/** Whether a cost is at least another one in every respect. More threads make no hash dearer to guess. */
export function isAtLeast(cost: HashCost, other: HashCost): boolean {
  return cost.memoryCost >= other.memoryCost && cost.timeCost >= other.timeCost
}

/** How many keys are proven at the same time: on two cores one, so that the other serves requests. */
export const provenAtOnce = availableParallelism() > 2 ? 2 : 1

/**
 * The threads that hash: they begin with the first hash, end when they have had nothing to do for a while, and keep no
 * process alive. In the pool of Node.js argon2 would take a thread from files and names; and with as many waiting as
 * come after a start, others wait twice as long for their answers as they do beside a thread of its own. Its priority is
 * everybody's: a lower one did nothing for those others, and let keys wait in vain on a machine that is busy.
 */
const threads = new Piscina<Argon2Task, string | boolean>({
  filename: fileURLToPath(new URL(`argon2-thread${extname(import.meta.url)}`, import.meta.url)),
  minThreads: 0,
  // One more, so that those who are issued a key and those who are asked for one do not wait for each other.
  maxThreads: provenAtOnce + 1,
  idleTimeout: 60_000,
  // A thread refuses what only a process has, as `--max-old-space-size` or `--input-type`, and needs nothing of the rest.
  execArgv: [],
  recordTiming: false,
})

/** Those who wait for a thread. */
const waiting = new Set<(reason: Error) => void>()
// A thread that cannot even begin has nobody's task yet, so it is nobody's failure: it is that of all who wait.
threads.on('error', (error: Error) => {
  for (const reject of waiting) reject(error)
})

async function onThread(task: Argon2Task): Promise<string | boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<string | boolean>()
  waiting.add(reject)
  try {
    threads.run(task).then(resolve, reject)
    return await promise
  } finally {
    waiting.delete(reject)
  }
}

/** Hashes a secret: a PHC string. */
export async function hashSecret(secret: string, cost: HashCost): Promise<string> {
  return (await onThread({ secret, cost })) as string
}

/** Whether a secret is the one behind a hash. A hash that is none is nobody's. */
export async function isSecretOf(stored: string, secret: string): Promise<boolean> {
  if (costOf(stored) === undefined) return false
  return (await onThread({ secret, stored })) as boolean
}

const phc = /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,5}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{43,}$/

/** How dear a stored hash was made, or nothing when it is no argon2id hash. */
function costOf(stored: string): HashCost | undefined {
  const [, memory, time, threads] = phc.exec(stored) ?? []
  if (memory === undefined || time === undefined || threads === undefined) return undefined
  return { memoryCost: Number(memory), timeCost: Number(time), parallelism: Number(threads) }
}

/** Whether a stored hash should be made anew. */
export function isOutdated(stored: string, cost: HashCost): boolean {
  const was = costOf(stored)
  return was !== undefined && !isAtLeast(was, cost)
}
