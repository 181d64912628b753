import { hashSync, verifySync } from '@node-rs/argon2'
import type { HashCost } from './password-hash.ts'

/** What a thread of its own is asked: to make a hash, or to compare one. */
export type Argon2Task =
  | { readonly secret: string; readonly cost: HashCost }
  | { readonly secret: string; readonly stored: string }

/** argon2id. The enum of the library is a `const` one, which a compiler of single files cannot read. */
const argon2id = 2

/** What a thread of `password-hash.ts` does. It has nothing else to do, so it may as well wait for it. */
export default function work(task: Argon2Task): string | boolean {
  if ('stored' in task) return verifySync(task.stored, task.secret)
  return hashSync(task.secret, { ...task.cost, algorithm: argon2id })
}
