import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/handles.ts'
import { housekeeping, keyHousekeeping } from '../db/housekeeping.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { hashCostMin, hashSecret } from './password-hash.ts'
import { hasProbeKey, insertProbeKey, switchProbeKey, takeProbeTurn } from './revocation-probe.repository.ts'
import { derivedToken, type Token } from './token.ts'
import type { VerificationCode } from './verification.ts'
import type { ApiKeyVerifier } from './verifier.ts'

/** Milliseconds after which a change counts as never heard: more than any state may be old. */
const neverMs = 35_000
/** Milliseconds for the key to become good: argon2 may have a queue. */
const goodWithinMs = 10_000

/**
 * Measures how long a revocation takes to be refused, as everybody else meets it: switches a key of its own off in the
 * database, past this process's own verifier, and asks that verifier until it knows. One replica at a time.
 */
export class RevocationProbe {
  readonly #db: Db
  readonly #verifier: ApiKeyVerifier
  readonly #token: Token & { readonly kid: string }

  constructor(db: Db, verifier: ApiKeyVerifier, keyring: Keyring) {
    this.#db = db
    this.#verifier = verifier
    this.#token = derivedToken(keyring, 'revocation probe')
  }

  /**
   * Measures once.
   * @returns seconds from the commit until the key was refused; undefined when another replica has the turn
   * @throws {Error} when the key never became good, or was never refused
   */
  async measure(signal: AbortSignal): Promise<number | undefined> {
    if (!(await housekeeping(this.#db, takeProbeTurn))) return undefined
    await this.#ensureKey()
    await this.#switch(true)
    await this.#untilCode((code) => code === 'VALID', goodWithinMs, signal)
    await this.#switch(false)
    const committedAt = performance.now()
    await this.#untilCode((code) => code !== 'VALID', neverMs, signal)
    return (performance.now() - committedAt) / 1000
  }

  async #ensureKey(): Promise<void> {
    const { prefix, secret, kid: issuer_kid } = this.#token
    if (await keyHousekeeping(this.#db, (tx) => hasProbeKey(tx, prefix))) return
    const hash = await hashSecret(secret, hashCostMin)
    // Not written down as a use of the ring's key: a mistyped one would be right from then on, with nothing made by it.
    await keyHousekeeping(this.#db, (tx) => insertProbeKey(tx, { prefix, hash, issuer_kid }))
  }

  async #switch(enabled: boolean): Promise<void> {
    await keyHousekeeping(this.#db, (tx) => switchProbeKey(tx, this.#token.prefix, enabled))
  }

  async #untilCode(isIt: (code: VerificationCode) => boolean, withinMs: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + withinMs
    const asking = { asker: { kind: 'platform' }, caller: 'revocation probe' } as const
    for (;;) {
      const { code } = await this.#verifier.verify({ key: this.#token.text }, asking)
      if (isIt(code)) return
      if (performance.now() > until) throw new Error(`the key of the probe is ${code} after ${withinMs} ms`)
      await sleep(1, undefined, { signal })
    }
  }
}
