import {
  ApiKeyVerifier,
  ChangeListener,
  createDb,
  type Db,
  type Keyring,
  keyringProblems,
  kidStatuses,
  platformTenant,
  RevocationProbe,
} from '@breakpilot/tenant-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { aKeyring } from '../api-keys/keys.ts'
import { keyCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

let database: TestDatabase
let db: Db
let closers: (() => Promise<unknown>)[]
const never = new AbortController().signal

beforeEach(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  closers = []
})
afterEach(async () => {
  for (const close of closers.toReversed()) await close()
  await db.destroy()
  await database.drop()
})

async function aProbe(keyring: Keyring): Promise<RevocationProbe> {
  const onFailure = () => undefined
  const changes = new ChangeListener({ db, connectionString: database.runtimeUrl, onFailure })
  const verifier = new ApiKeyVerifier({ db, catalogue: keyCatalogue, keyring, changes, onFailure })
  verifier.start()
  changes.start()
  closers.push(async () => {
    await changes.close()
    await verifier.close()
  })
  await expect.poll(() => Number.isFinite(changes.heardAt)).toBe(true)
  return new RevocationProbe(db, verifier, keyring)
}

/** As if the turn had been over for a while. */
const endTurn = async () =>
  await db
    .updateTable('registry.revocation_probe')
    .set({ held_until: new Date(0) })
    .execute()

const probeKeys = async () =>
  await db
    .selectFrom('api_keys')
    .select(['tenant_id', 'name', 'audience', 'scopes', 'enabled', 'created_by', 'issuer_kid'])
    .where('created_by', '=', 'revocation-probe')
    .orderBy('created_at')
    .execute()

it('is done by one replica at a time, on a key that all of them share and that opens nothing', async () => {
  const keyring = aKeyring()
  const [one, other] = [await aProbe(keyring), await aProbe(keyring)]
  const measured = await Promise.all([one.measure(never), other.measure(never)])
  expect(measured.filter((seconds) => seconds === undefined)).toHaveLength(1)
  await endTurn()
  const seconds = await other.measure(never)
  expect(seconds).toBeGreaterThan(0)
  // It is milliseconds; the bound only tells what is heard from what is never heard.
  expect(seconds).toBeLessThan(5)
  expect(await probeKeys()).toEqual([
    {
      tenant_id: platformTenant,
      name: 'Revocation probe',
      audience: 'tenant-registry',
      scopes: ['canary:none'],
      enabled: false,
      created_by: 'revocation-probe',
      issuer_kid: keyring.current,
    },
  ])
  expect(await db.selectFrom('audit_log').select('action').execute()).toEqual([])
})

it('works where another key of the ring is current, and keeps no key of a ring from being removed', async () => {
  const [before, after] = [aKeyring(), aKeyring()]
  const [old, young] = [await aProbe(before), await aProbe(after)]
  expect(await old.measure(never)).toBeGreaterThan(0)
  await endTurn()
  expect(await young.measure(never)).toBeGreaterThan(0)
  expect((await probeKeys()).map(({ issuer_kid }) => issuer_kid)).toEqual([before.current, after.current])
  expect(await keyringProblems(db, after)).toEqual([])
  expect(await kidStatuses(db, after)).toEqual([
    { kid: after.current, current: true, state: 'unused', api_keys: 0, answers: 0 },
  ])
})

it('takes another key when somebody has ended the one it had', async () => {
  const probe = await aProbe(aKeyring())
  expect(await probe.measure(never)).toBeGreaterThan(0)
  await db.updateTable('api_keys').set({ revoked_at: new Date(), revoked_reason: 'compromised' }).execute()
  await endTurn()
  expect(await probe.measure(never)).toBeGreaterThan(0)
  expect(await probeKeys()).toHaveLength(2)
})

it('ends when it is told to', async () => {
  const probe = await aProbe(aKeyring())
  await expect(probe.measure(AbortSignal.abort())).rejects.toThrow('aborted')
})
