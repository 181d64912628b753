import {
  ApiKeyChanges,
  ApiKeyRevocation,
  ApiKeyRotation,
  type ApiKeyVerifier,
  createDb,
  type Db,
  type IssuedApiKey,
  KeyIssuer,
  revokeAllApiKeys,
  revokeApiKey,
  rotateApiKey,
  updateApiKey,
} from '@breakpilot/tenant-core'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { keyCatalogue, testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aKey, aKeyring, aTenantWithProducts, startVerifier } from './keys.ts'

let database: TestDatabase
let db: Db
let close: () => Promise<void>
let verifier: ApiKeyVerifier
const keyring = aKeyring()
beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  ;({ verifier, close } = await startVerifier({ url: database.runtimeUrl, keyring }))
})
afterEach(() => void vi.restoreAllMocks())
afterAll(async () => {
  await close()
  await db.destroy()
  await database.drop()
})

const hour = 3_600
/** What is known of a key without asking the registry. */
interface Model {
  readonly issued: IssuedApiKey
  readonly family: string
  enabled: boolean
  isRevoked: boolean
  isReplaced: boolean
  /** By the clock of this test, in milliseconds. */
  ends: number
}

type Step =
  | { readonly do: 'issue'; readonly hours: number | null }
  | { readonly do: 'rotate'; readonly which: number; readonly overlap: number }
  | { readonly do: 'revoke' | 'disable' | 'enable'; readonly which: number }
  | { readonly do: 'revoke all' }

const which = fc.nat(20)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('issue' as const), hours: fc.constantFrom(null, 1, 12, 72) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('rotate' as const), which, overlap: fc.constantFrom(0, hour, 24 * hour) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('revoke', 'disable', 'enable'), which }) },
  { weight: 1, arbitrary: fc.constant({ do: 'revoke all' as const }) },
)

/** What is to be said of a key at a time. */
function expected({ isRevoked, enabled, ends }: Model, at: number): string {
  if (isRevoked) return 'REVOKED'
  if (ends <= at) return 'EXPIRED'
  return enabled ? 'VALID' : 'DISABLED'
}

/** The code that something is refused with, or nothing. */
const refusal = async (doing: Promise<unknown>) =>
  await doing.then(
    () => undefined,
    ({ code }: { code?: string }) => code ?? 'broken',
  )

it('keys are what was done to them and what time it is, in whatever order: then, and at any later time', async () => {
  const asking = { asker: { kind: 'platform' }, caller: 'test' } as const
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
      const { id: tenantId } = await aTenantWithProducts(db)
      const issuer = new KeyIssuer(keyring)
      const all: Model[] = []
      const remember = (issued: IssuedApiKey, family: string, enabled: boolean) =>
        all.push({
          issued,
          family,
          enabled,
          isRevoked: false,
          isReplaced: false,
          ends: issued.expires_at?.getTime() ?? Infinity,
        })
      const issue = async (hours: number | null) => {
        const expires_at = hours === null ? null : new Date(Date.now() + hours * hour * 1000).toISOString()
        const issued = await aKey(db, keyring, tenantId, { expires_at })
        remember(issued, issued.id, true)
      }
      await issue(null)

      for (const each of steps) {
        const model = all['which' in each ? each.which % all.length : 0]
        if (!model) throw new Error('there is always one')
        const { id } = model.issued
        const present = expected(model, Date.now())
        if (each.do === 'issue') await issue(each.hours)
        else if (each.do === 'revoke all') {
          await revokeAllApiKeys(db, testActor, tenantId, ApiKeyRevocation.parse({ reason: 'x' }))
          for (const known of all) known.isRevoked = true
        } else if (each.do === 'revoke') {
          await revokeApiKey(db, testActor, tenantId, id, ApiKeyRevocation.parse({ reason: 'x' }))
          model.isRevoked = true
        } else if (each.do === 'rotate') {
          const how = ApiKeyRotation.parse({ overlap_seconds: each.overlap })
          const before = Date.now()
          const rotating = rotateApiKey(db, testActor, issuer, await issuer.mint('live'), tenantId, id, how)
          const refused = await refusal(rotating)
          if (present === 'REVOKED') expect(refused).toBe('api_key.revoked')
          else if (model.isReplaced) expect(refused).toBe('api_key.replaced')
          else if (present === 'EXPIRED') expect(refused).toBe('api_key.expired')
          else {
            expect(refused).toBeUndefined()
            const next = await rotating
            // As long as the key before it would have lived, and as much as that was allowed.
            expect(next).toMatchObject({ family_id: model.family, scopes: model.issued.scopes, replaced_by: null })
            expect(next.expires_at?.getTime() ?? Infinity).toBe(model.ends)
            remember(next, model.family, model.enabled)
            model.isReplaced = true
            const { expires_at } = await db
              .selectFrom('api_keys')
              .select('expires_at')
              .where('id', '=', id)
              .executeTakeFirstOrThrow()
            const ends = expires_at?.getTime() ?? Infinity
            const overlap = each.overlap * 1000
            if (ends !== model.ends) {
              expect(ends).toBeLessThan(model.ends)
              expect(ends - overlap).toBeGreaterThanOrEqual(before)
              expect(ends - overlap).toBeLessThanOrEqual(Date.now())
            } else expect(ends).toBeLessThanOrEqual(Date.now() + overlap)
            model.ends = ends
          }
        } else {
          const enabled = each.do === 'enable'
          const to = ApiKeyChanges.parse({ enabled })
          const refused = await refusal(updateApiKey(db, testActor, keyCatalogue, tenantId, id, to))
          expect(refused).toBe(present === 'REVOKED' ? 'api_key.revoked' : undefined)
          if (refused === undefined) model.enabled = enabled
        }
      }

      await verifier.settle()
      for (const { issued } of all) await verifier.verify({ key: issued.key }, asking)
      const now = Date.now()
      for (const later of [0, hour / 2, 2 * hour, 23 * hour, 25 * hour, 80 * hour]) {
        const at = now + later * 1000
        vi.spyOn(Date, 'now').mockReturnValue(at)
        for (const model of all) {
          const { code, max_age, expires_at } = await verifier.verify({ key: model.issued.key }, asking)
          expect([later, code]).toEqual([later, expected(model, at)])
          expect(expires_at === null ? Infinity : Date.parse(expires_at)).toBe(model.ends)
          if (code === 'VALID') expect(at + max_age * 1000).toBeLessThanOrEqual(model.ends)
        }
        vi.restoreAllMocks()
      }
    }),
    { numRuns: 8 },
  )
})
