import type { AuditedTx } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { rememberKid } from '../secrets/kid.repository.ts'
import { Lane } from './lane.ts'
import { type HashCost, hashCostMin, hashSecret } from './password-hash.ts'
import { type KeyEnvironment, mintToken } from './token.ts'

/** A key that was minted and belongs to nobody yet. */
export interface MintedKey {
  /** The whole key. */
  readonly text: string
  readonly prefix: string
  readonly environment: KeyEnvironment
  /** What is stored of it. */
  readonly hash: string
  readonly kid: string
}

/** Mints keys. Slow, as hashing is: done before the transaction that stores one. */
export class KeyIssuer {
  readonly #keyring: Keyring
  readonly #cost: HashCost
  readonly #lane = new Lane({ width: 1, waitingMax: 500, waitMsMax: 8_000 })

  constructor(keyring: Keyring, cost: HashCost = hashCostMin) {
    this.#keyring = keyring
    this.#cost = cost
  }

  /**
   * Mints a key, one after the other.
   * @throws {RegistryError} `api_key.lane_full`
   */
  async mint(environment: KeyEnvironment): Promise<MintedKey> {
    const { text, prefix, secret, kid } = mintToken(this.#keyring, environment)
    const hash = await this.#lane.run(prefix, async () => await hashSecret(secret, this.#cost))
    return { text, prefix, environment, kid, hash }
  }

  /**
   * Writes down under which key of the ring one was minted. A server whose key of that name is another one would make
   * keys that no other server knows.
   * @throws {RegistryError} `secrets.kid_unfit`
   */
  async remember(tx: AuditedTx, { kid }: Pick<MintedKey, 'kid'>): Promise<void> {
    if ((await rememberKid(tx, kid, this.#keyring.checkValue(kid))) === this.#keyring.checkValue(kid)) return
    throw new RegistryError('secrets.kid_unfit', {
      cause: new Error(`the keyring's key ${kid} is not the one that this database knows by that name`),
    })
  }
}
