/**
 * Preloaded into a replica beside the other probe, and so into its threads as well: counts what is asked of argon2, and
 * how much of it at the same time. The counts are taken where the library is called, so they say what the registry does
 * and not what it says it does.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { checkout } from '../postgres/installation.ts'
import { argon2 } from './cpu-probe.ts'

// The very library that the registry has, which takes what stands here for its own: it is loaded only once in a thread.
const library = createRequire(join(checkout, 'packages/core/package.json'))('@node-rs/argon2') as Library
type Library = Record<'hash' | 'verify' | 'hashSync' | 'verifySync', (...given: unknown[]) => unknown>

for (const name of ['hash', 'verify'] as const) {
  const work = library[name]
  library[name] = async (...given) => {
    argon2.begin()
    try {
      return await work(...given)
    } finally {
      argon2.end()
    }
  }
}

for (const name of ['hashSync', 'verifySync'] as const) {
  const work = library[name]
  library[name] = (...given) => {
    argon2.begin()
    try {
      return work(...given)
    } finally {
      argon2.end()
    }
  }
}
