import {
  type ApiKeyVerifier,
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
} from '@breakpilot/tenant-core'
import type { z } from 'zod'
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
