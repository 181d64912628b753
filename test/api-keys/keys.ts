import { crc32 } from 'node:zlib'
import {
  ApiKeyVerifier,
  ChangeListener,
  createDb,
  issueApiKey,
  type IssuedApiKey,
  type Db,
  KeyIssuer,
  type Keyring,
  NewApiKey,
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

/** What a verifier says of a key to who runs the platform. */
export async function codeOf(verifier: ApiKeyVerifier, key: string, question = {}): Promise<string> {
  return (await verifier.verify({ key, ...question }, { asker: { kind: 'platform' }, caller: 'test' })).code
}

/** A token with the CRC that belongs to it, as everybody can compute it. */
export const whole = (marked: string): string => marked + toBase62(crc32(marked), 6)

/**
 * Starts a verifier that follows the changes over connections of its own, as each replica has one, and waits until it
 * does.
 * @param options `url` and `listenUrl` say how it reaches the database. A failure that nobody expects fails the test.
 */
export async function startVerifier({
  url,
  listenUrl = url,
  onFailure = (error) => {
    throw error
  },
  ...options
}: Partial<VerifierOptions> &
  Pick<VerifierOptions, 'keyring'> & { readonly url: string; readonly listenUrl?: string }) {
  const db = createDb({ connectionString: url, poolSize: 4 })
  const changes = new ChangeListener({ db, connectionString: listenUrl, onFailure })
  const verifier = new ApiKeyVerifier({ db, catalogue: keyCatalogue, changes, onFailure, ...options })
  verifier.start()
  changes.start()
  const close = async () => {
    await changes.close()
    await verifier.close()
    await db.destroy()
  }
  await vi.waitFor(() => expect(changes.heardAt).toBeGreaterThan(0), { timeout: 10_000 })
  return { verifier, changes, close }
}
