import { KeyVerifier } from './key-verifier.ts'
import type { KeyVerifierOptions } from './options.ts'

export { isWellFormedKey } from './key-shape.ts'
export type { KeyVerifier } from './key-verifier.ts'
export type { KeyVerifierOptions } from './options.ts'
export { hasScopes, type ScopeQuery } from './scopes.ts'
export { KeyVerificationUnavailableError } from './unavailable-error.ts'
export type { KeyQuestion, KeyVerification, RefusedKey, ValidKey } from './verification.ts'

/**
 * Verifies keys on every request: what the registry said counts for as long as it says, and is forgotten at once when
 * something of it changes. Make one and share it; `close()` it at the end, or it keeps the process alive.
 * @example
 *   const verifier = createKeyVerifier({ client })
 *   const key = await verifier.verifyRequest(request, { scopes: ['reports:read'] })
 *   if (!key.valid) return new Response(null, { status: 401 })
 */
export function createKeyVerifier(options: KeyVerifierOptions): KeyVerifier {
  return new KeyVerifier(options)
}
