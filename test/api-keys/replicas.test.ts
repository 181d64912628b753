import { setTimeout as sleep } from 'node:timers/promises'
import {
  ApiKeyRevocation,
  type ApiKeyVerifier,
  createDb,
  type Db,
  hashCostMin,
  revokeApiKey,
} from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { testActor } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aRelay, type Relay } from '../postgres/relay.ts'
import { aKey, aKeyring, aTenantWithProducts, codeOf, startVerifier } from './keys.ts'

/** What one replica does reaches the others: two verifiers, each with a listener of its own, on one database. */
const keyring = aKeyring()
const asker = { kind: 'platform' } as const
interface LeavingCaller {
  readonly caller: string
  readonly left: () => AbortSignal
}

let database: TestDatabase
let db: Db
let relay: Relay
let closers: (() => Promise<unknown>)[]

beforeEach(async () => {
  database = await migratedDatabase()
  relay = await aRelay(database.runtimeUrl)
  db = createDb({ connectionString: database.runtimeUrl })
  closers = []
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const close of closers.toReversed()) await close()
  await db.destroy()
  await relay.close()
  await database.drop()
})

async function aReplica(options: Partial<Parameters<typeof startVerifier>[0]> = {}) {
  const { verifier, changes, close } = await startVerifier({
    url: database.runtimeUrl,
    keyring,
    onFailure: () => undefined,
    ...options,
  })
  closers.push(close)
  return { verifier, changes }
}

const aHotKey = async (...verifiers: ApiKeyVerifier[]) => {
  const tenant = await aTenantWithProducts(db)
  const key = await aKey(db, keyring, tenant.id)
  for (const each of verifiers) expect(await codeOf(each, key.key)).toBe('VALID')
  const revoke = async () => {
    await revokeApiKey(db, testActor, tenant.id, key.id, ApiKeyRevocation.parse({ reason: 'compromised' }))
    return performance.now()
  }
  return { ...key, tenantId: tenant.id, revoke }
}

/** Milliseconds until a verifier refuses a key. */
async function refusedAfter(verifier: ApiKeyVerifier, key: string, since: number): Promise<number> {
  while ((await codeOf(verifier, key)) === 'VALID') {
    if (performance.now() - since > 35_000) throw new Error('it was never refused')
    await sleep(2)
  }
  return performance.now() - since
}

describe('a revocation elsewhere', () => {
  it('is heard', async () => {
    const { verifier } = await aReplica()
    const key = await aHotKey(verifier)
    const since = await key.revoke()
    // It is milliseconds; the bound only tells it from what is looked for once a second.
    expect(await refusedAfter(verifier, key.key, since)).toBeLessThan(900)
  })

  it('is looked for when nothing is heard, and what is hot is read again each second', async () => {
    const { verifier, changes } = await aReplica({ listenUrl: relay.url })
    const key = await aHotKey(verifier)
    await relay.refuse()
    await expect.poll(() => changes.isListening, { timeout: 20_000 }).toBe(false)
    expect(await codeOf(verifier, key.key)).toBe('VALID')
    const since = await key.revoke()
    expect(await refusedAfter(verifier, key.key, since)).toBeLessThan(2_500)
  })

  it('is found also where the listening connection was ended by the database', async () => {
    const { verifier } = await aReplica()
    const key = await aHotKey(verifier)
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`.execute(db)
    const since = await key.revoke()
    expect(await refusedAfter(verifier, key.key, since)).toBeLessThan(2_500)
  })

  it('by the thousands is taken account of as well', async () => {
    const { verifier } = await aReplica()
    const key = await aHotKey(verifier)
    await sql`with numbers as (select generate_series(1, 1500) as n)
      insert into registry.changes (n, kind, tenant_id, ref_id)
      select (select n from registry.change_counter) + n, 'tenant', ${key.tenantId}, ${key.tenantId} from numbers`.execute(
      db,
    )
    await sql`update registry.change_counter set n = n + 1500`.execute(db)
    const since = await key.revoke()
    expect(await refusedAfter(verifier, key.key, since)).toBeLessThan(2_500)
  })

  it('is found after a gap in the feed, and after one that was set back', async () => {
    const { verifier } = await aReplica()
    const key = await aHotKey(verifier)
    await sql`update registry.change_counter set n = n + 10`.execute(db)
    expect(await refusedAfter(verifier, key.key, await key.revoke())).toBeLessThan(2_500)
    const other = await aHotKey(verifier)
    await sql`delete from registry.changes`.execute(db)
    await sql`update registry.change_counter set n = 0`.execute(db)
    expect(await refusedAfter(verifier, other.key, await other.revoke())).toBeLessThan(2_500)
  })
})

describe('state', () => {
  it('is read again for every question when nothing was known of the feed for half a minute', async () => {
    const { verifier, changes } = await aReplica()
    const key = await aHotKey(verifier)
    const before = verifier.counts
    expect(await codeOf(verifier, key.key)).toBe('VALID')
    expect(verifier.counts.reads).toBe(before.reads)
    vi.spyOn(changes, 'heardAt', 'get').mockReturnValue(performance.now() - 30_001)
    for (let asked = 1; asked <= 3; asked += 1) {
      expect(await codeOf(verifier, key.key)).toBe('VALID')
      expect(verifier.counts).toMatchObject({ reads: before.reads + asked, argon2: before.argon2 })
    }
  })

  it('lives half a minute while changes are heard, and proof for ever', async () => {
    const { verifier, changes } = await aReplica()
    const key = await aHotKey(verifier)
    const before = verifier.counts
    const later = performance.now() + 30_001
    vi.spyOn(performance, 'now').mockReturnValue(later)
    vi.spyOn(changes, 'heardAt', 'get').mockReturnValue(later)
    expect(await codeOf(verifier, key.key)).toBe('VALID')
    expect(verifier.counts).toMatchObject({ reads: before.reads + 1, argon2: before.argon2 })
  })

  it('is judged by the clock of now, also when that jumps', async () => {
    const { verifier } = await aReplica()
    const tenant = await aTenantWithProducts(db)
    const expires_at = new Date(Date.now() + 3_600_000).toISOString()
    const key = await aKey(db, keyring, tenant.id, { expires_at })
    expect(await codeOf(verifier, key.key)).toBe('VALID')
    const clock = vi.spyOn(Date, 'now')
    clock.mockReturnValue(Date.parse(expires_at))
    expect(await codeOf(verifier, key.key)).toBe('EXPIRED')
    clock.mockReturnValue(Date.parse(expires_at) - 1)
    expect(await verifier.verify({ key: key.key }, { asker: { kind: 'platform' }, caller: 'x' })).toMatchObject({
      code: 'VALID',
      max_age: 0,
    })
  })
})

describe('a database that is away', () => {
  it('is 503 in mid-verify, says nothing wrong, and is forgotten when it is back', async () => {
    const { verifier } = await aReplica({ url: relay.url })
    const key = await aHotKey()
    await relay.refuse()
    await expect(codeOf(verifier, key.key)).rejects.toMatchObject({ code: 'database.unavailable' })
    await relay.restore()
    // A connection of before may still be in the pool: it is found out by its first use.
    const code = async () => await codeOf(verifier, key.key).catch((error: { code: string }) => error.code)
    await expect.poll(code, { timeout: 10_000 }).toBe('VALID')
    const since = await key.revoke()
    expect(await refusedAfter(verifier, key.key, since)).toBeLessThan(2_500)
  })
})

describe('first uses', () => {
  it('of one key at once are one read and one argon2', async () => {
    const { verifier } = await aReplica()
    const key = await aHotKey()
    await verifier.settle()
    await sleep(50)
    const before = verifier.counts
    const codes = await Promise.all(Array.from({ length: 100 }, () => codeOf(verifier, key.key)))
    expect(new Set(codes)).toEqual(new Set(['VALID']))
    expect(verifier.counts).toMatchObject({ argon2: before.argon2 + 1, reads: before.reads + 1 })
  })

  it('of many keys at once are all answered, and what is too much is for later', async () => {
    const tenant = await aTenantWithProducts(db)
    const keys = await Promise.all(Array.from({ length: 24 }, () => aKey(db, keyring, tenant.id)))
    const { verifier } = await aReplica()
    const codes = await Promise.all(keys.map(({ key }) => codeOf(verifier, key)))
    expect(new Set(codes)).toEqual(new Set(['VALID']))
    expect(verifier.counts.argon2).toBe(24)
    // Not a query for each of them: other requests want connections too.
    expect(verifier.counts.reads).toBeLessThan(10)

    const narrow = (await aReplica({ lane: { waitingMax: 5 } })).verifier
    const items = keys.map(({ key }) => ({ key }))
    const answers = await narrow.verifyMany(items, { asker: { kind: 'platform' }, caller: 'x' })
    const counted = Map.groupBy(answers, ({ code }) => code)
    // Those at work and five that wait; one more, if the first is done before the last is asked about.
    expect(counted.get('VALID')?.length).toBeGreaterThanOrEqual(6)
    expect([...counted.keys()].toSorted()).toEqual(['RETRY', 'VALID'])
    expect(counted.get('RETRY')?.[0]).toMatchObject({ valid: false, api_key_id: null, max_age: 0 })
  })

  it.each([
    ['verify', (of: ApiKeyVerifier, key: string, asking: LeavingCaller) => of.verify({ key }, { asker, ...asking })],
    ['identify', (of: ApiKeyVerifier, key: string, asking: LeavingCaller) => of.identify(key, undefined, asking)],
  ])('nobody waits for any more are not carried out: %s', async (_, ask) => {
    const tenant = await aTenantWithProducts(db)
    const fields = { scopes: ['tenant:read'] }
    const keys = await Promise.all(Array.from({ length: 8 }, () => aKey(db, keyring, tenant.id, fields)))
    const { verifier } = await aReplica({ lane: { width: 1 } })
    const gone = new AbortController()
    const asked = keys.map(async ({ key }) => await ask(verifier, key, { caller: 'x', left: () => gone.signal }))
    const settled = Promise.allSettled(asked)
    await expect.poll(() => verifier.counts.waiting, { interval: 1 }).toBeGreaterThan(2)
    gone.abort()
    expect((await settled).some(({ status }) => status === 'rejected')).toBe(true)
    await sleep(100)
    expect(verifier.counts.waiting).toBe(0)
    expect(verifier.counts.argon2).toBeLessThan(8)
  })
})

it('a hash that was made too cheaply is made anew when it is used, and every replica goes on', async () => {
  const first = (await aReplica()).verifier
  const key = await aHotKey(first)
  const dearer = { ...hashCostMin, timeCost: 3 }
  const second = (await aReplica({ hashCost: dearer })).verifier
  expect(await codeOf(second, key.key)).toBe('VALID')
  const hashOf = async () => {
    const { hash, version } = await db
      .selectFrom('api_keys')
      .select(['hash', 'version'])
      .where('id', '=', key.id)
      .executeTakeFirstOrThrow()
    return [hash.slice(0, 30), version]
  }
  await expect.poll(hashOf).toEqual(['$argon2id$v=19$m=19456,t=3,p=1', 1])
  expect(await codeOf(second, key.key)).toBe('VALID')
  expect(await codeOf(first, key.key)).toBe('VALID')
})
