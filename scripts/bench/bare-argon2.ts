import { createRequire } from 'node:module'
import { join } from 'node:path'
import { hashCostMin } from '../../packages/core/src/api-keys/password-hash.ts'
import { checkout } from '../postgres/installation.ts'

// The library of the registry, which is not a dependency of the bench.
const library = createRequire(join(checkout, 'packages/core/package.json'))('@node-rs/argon2') as {
  hash(secret: string, options: object): Promise<string>
}

/** argon2id as dear as the registry makes it, and nothing around it. A hash takes as long as a comparison. */
export async function bareArgon2(): Promise<void> {
  await library.hash('a secret of the bench', { ...hashCostMin, algorithm: 2 })
}
