import { crc32 } from 'node:zlib'
import {
  ApiKeyVerifier,
  ChangeListener,
  createDb,
  type Db,
  type HashCost,
  issueApiKey,
  type IssuedApiKey,
  KeyIssuer,
  type Keyring,
  NewApiKey,
  newApiKeyId,
  newKeyringText,
  NewTenantProduct,
  parseKeyring,
  putTenantProduct,
  type TenantId,
  type VerifierOptions,
} from '@breakpilot/tenant-core'
import { expect, vi } from 'vitest'
import type { z } from 'zod'
import { toBase62 } from '../../packages/core/src/api-keys/base62.ts'
import { aTenant, keyCatalogue, testActor } from '../builders.ts'

let rings = 0

/** A keyring of its own, with a name of its own: a database knows the keys of a ring by their names. */
export const aKeyring = (): Keyring => parseKeyring(newKeyringText(`test-${(rings += 1)}`))

/** A tenant that has the product whose scopes keys are made of. */
export async function aTenantWithProducts(db: Db, products: readonly string[] = ['certifai']) {
  const tenant = await aTenant(db, { status: 'active', plan: 'professional' })
  for (const product of products) {
    await putTenantProduct(db, testActor, keyCatalogue, tenant.id, product, NewTenantProduct.parse({}))
  }
  return tenant
}

/** A key, made through the same door as everybody's. State only what the test is about. */
export async function aKey(
  db: Db,
  keyring: Keyring,
  tenantId: TenantId,
  fields: Partial<z.input<typeof NewApiKey>> = {},
): Promise<IssuedApiKey> {
  const issuer = new KeyIssuer(keyring)
  const minted = await issuer.mint(fields.environment ?? 'live')
  const input = NewApiKey.parse({ name: 'Key', scopes: ['certifai:read'], ...fields })
  return await issueApiKey(db, testActor, keyCatalogue, issuer, minted, tenantId, input)
}

/** The least that argon2 takes: with it thousands of keys are made, and proven, in a second or two. */
export const leastCost: HashCost = { memoryCost: 8, timeCost: 1, parallelism: 1 }

/**
 * Keys by the thousand, minted as everybody's and written down many at a time, without an event for each. Their hashes
 * are of `leastCost`: a verifier with another cost would make them anew when they are used.
 */
export async function aCrowd(db: Db, keyring: Keyring, tenant_id: TenantId, count: number): Promise<string[]> {
  const issuer = new KeyIssuer(keyring, leastCost)
  const tokens: string[] = []
  while (tokens.length < count) {
    // The issuer lets so many wait, and for so long.
    const size = Math.min(100, count - tokens.length)
    const minted = await Promise.all(Array.from({ length: size }, () => issuer.mint('live')))
    const rows = minted.map(({ prefix, environment, hash, kid: issuer_kid }) => {
      const id = newApiKeyId()
      const scopes = ['certifai:read']
      return {
        id,
        family_id: id,
        tenant_id,
        name: 'Key',
        prefix,
        environment,
        hash,
        issuer_kid,
        audience: 'certifai',
        scopes,
      }
    })
    await db.insertInto('api_keys').values(rows).execute()
    tokens.push(...minted.map(({ text }) => text))
  }
  return tokens
}

/** What a verifier says of a key to who runs the platform. */
export async function codeOf(verifier: ApiKeyVerifier, key: string, question = {}): Promise<string> {
  return (await verifier.verify({ key, ...question }, { asker: { kind: 'platform' }, caller: 'test' })).code
}

/** A token with the CRC that belongs to it, as everybody can compute it. */
export const whole = (marked: string): string => marked + toBase62(crc32(marked), 6)

/** The same, or the code of what it fails with. */
export async function outcomeOf(verifier: ApiKeyVerifier, key: string): Promise<string> {
  return await codeOf(verifier, key).catch((error: { code: string }) => error.code)
}

/**
 * Starts a verifier that follows the changes over connections of its own, as each replica has one, and waits until it
 * hears them, and forgets nothing any more because something may have been missed; or knows that it cannot hear them.
 * @param options `url` and `listenUrl` say how it reaches the database. A failure that nobody expects fails the test.
 */
export async function startVerifier({
  url,
  listenUrl = url,
  pollMs,
  onFailure = (error) => {
    throw error
  },
  ...options
}: Partial<VerifierOptions> &
  Pick<VerifierOptions, 'keyring'> & {
    readonly url: string
    readonly listenUrl?: string
    readonly pollMs?: number
  }) {
  const db = createDb({ connectionString: url, poolSize: 4 })
  const changes = new ChangeListener({ db, connectionString: listenUrl, pollMs, onFailure })
  const verifier = new ApiKeyVerifier({ db, catalogue: keyCatalogue, changes, onFailure, ...options })
  let hears = false
  verifier.start()
  // After the verifier: told in their order.
  changes.subscribe((_, mayHaveMissed) => {
    hears ||= mayHaveMissed
  })
  changes.start()
  const close = async () => {
    await changes.close()
    await verifier.close()
    await db.destroy()
  }
  const isReady = () => hears || (changes.heardAt > 0 && !changes.isListening)
  await vi.waitFor(() => expect(isReady()).toBe(true), { timeout: 10_000, interval: 10 })
  return { verifier, changes, close }
}
