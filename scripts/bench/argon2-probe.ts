/**
 * Preloaded into a replica beside the other probe: counts what is asked of argon2, and how much of it at the same time.
 * The counts are taken where the library is called, so they say what the registry does and not what it says it does.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { checkout } from '../postgres/installation.ts'
import { argon2 } from './cpu-probe.ts'

// The very library that the registry has, which takes what stands here for its own: it is loaded only once.
const library = createRequire(join(checkout, 'packages/core/package.json'))('@node-rs/argon2') as Library
type Library = Record<'hash' | 'verify', (...given: unknown[]) => Promise<unknown>>

for (const name of ['hash', 'verify'] as const) {
  const work = library[name]
  library[name] = async (...given) => {
    argon2.begun += 1
    argon2.now += 1
    argon2.atOnce = Math.max(argon2.atOnce, argon2.now)
    try {
      return await work(...given)
    } finally {
      argon2.now -= 1
    }
  }
}
