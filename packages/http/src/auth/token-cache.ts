import { hash } from 'node:crypto'
import type { KeySet } from './provider-keys.ts'
import type { AccessToken } from './token-claims.ts'

const rememberedMs = 60_000
const rememberedMax = 10_000

/**
 * Remembers good tokens for a short while, since checking a signature costs more than all the rest of a read. Keyed by
 * digest, so that a memory dump holds no token. What was found good with other keys than the current ones is forgotten.
 */
export function createTokenCache(now: () => number) {
  const entries = new Map<string, { token: AccessToken; until: number }>()
  let madeWith: KeySet | undefined

  return {
    recall(jwt: string, keySet: KeySet | undefined): AccessToken | undefined {
      if (keySet !== madeWith) return undefined
      const digest = digestOf(jwt)
      const entry = entries.get(digest)
      if (entry === undefined) return undefined
      const left = entry.until - now()
      // More than was given means that the clock was set back.
      if (left > 0 && left <= rememberedMs) return entry.token
      entries.delete(digest)
      return undefined
    },

    remember(jwt: string, token: AccessToken, keySet: KeySet): void {
      if (keySet !== madeWith) entries.clear()
      madeWith = keySet
      const until = Math.min(token.expiresAt * 1000, now() + rememberedMs)
      if (until <= now()) return
      const oldest = entries.size >= rememberedMax ? entries.keys().next() : undefined
      if (oldest?.done === false) entries.delete(oldest.value)
      entries.set(digestOf(jwt), { token, until })
    },
  }
}

function digestOf(jwt: string): string {
  return hash('sha256', jwt, 'base64url')
}
