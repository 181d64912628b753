import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/handles.ts'
import { housekeeping, keyHousekeeping } from '../db/housekeeping.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { hashCostMin, hashSecret } from './password-hash.ts'
import { insertProbeKey, listProbeKeys, switchProbeKey, takeProbeTurn } from './revocation-probe.repository.ts'
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
  readonly #keyring: Keyring

  constructor(db: Db, verifier: ApiKeyVerifier, keyring: Keyring) {
    this.#db = db
    this.#verifier = verifier
    this.#keyring = keyring
  }

  /**
   * Measures once.
   * @returns seconds from the commit until the key was refused; undefined when another replica has the turn
   * @throws {Error} when the key never became good, or was never refused
   */
  async measure(signal: AbortSignal): Promise<number | undefined> {
    if (!(await housekeeping(this.#db, takeProbeTurn))) return undefined
    const token = await this.#ensureKey()
    await this.#switch(token, true)
    await this.#untilCode(token, (code) => code === 'VALID', goodWithinMs, signal)
    await this.#switch(token, false)
    const committedAt = performance.now()
    await this.#untilCode(token, (code) => code !== 'VALID', neverMs, signal)
    return (performance.now() - committedAt) / 1000
  }

  /** The token of the key: every replica with the same current key of the ring comes to the same one. */
  async #ensureKey(): Promise<Token> {
    const { current: issuer_kid } = this.#keyring
    const known = await keyHousekeeping(this.#db, (tx) => listProbeKeys(tx, issuer_kid))
    // Somebody may have ended one, and what is revoked stays so.
    const ended = known.filter(({ revoked_at }) => revoked_at !== null).length
    const token = derivedToken(this.#keyring, `revocation probe ${ended}`)
    const { prefix, secret } = token
    if (known.some((key) => key.prefix === prefix)) return token
    const hash = await hashSecret(secret, hashCostMin)
    // Not written down as a use of the ring's key: a mistyped one would be right from then on, with nothing made by it.
    await keyHousekeeping(this.#db, (tx) => insertProbeKey(tx, { prefix, hash, issuer_kid }))
    return token
  }

  async #switch({ prefix }: Token, enabled: boolean): Promise<void> {
    await keyHousekeeping(this.#db, (tx) => switchProbeKey(tx, prefix, enabled))
  }

  async #untilCode(
    { text: key }: Token,
    isIt: (code: VerificationCode) => boolean,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const until = performance.now() + withinMs
    const asking = { asker: { kind: 'platform' }, caller: 'revocation probe', left: () => signal } as const
    for (;;) {
      const { code } = await this.#verifier.verify({ key }, asking)
      if (isIt(code)) return
      if (performance.now() > until) throw new Error(`the key of the probe is ${code} after ${withinMs} ms`)
      await sleep(1, undefined, { signal })
    }
  }
}
