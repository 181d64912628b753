import { hash, verify } from '@node-rs/argon2'

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

/** argon2id. The enum of the library is a `const` one, which a compiler of single files cannot read. */
const argon2id = 2

/** Hashes a secret: a PHC string. */
export async function hashSecret(secret: string, cost: HashCost): Promise<string> {
  return await hash(secret, { ...cost, algorithm: argon2id })
}

/** Whether a secret is the one behind a hash. A hash that is none is nobody's. */
export async function isSecretOf(stored: string, secret: string, signal?: AbortSignal): Promise<boolean> {
  if (costOf(stored) === undefined) return false
  return await verify(stored, secret, undefined, signal)
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
