import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKeyRevocation, createDb, type Db, mintToken, revokeApiKey } from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { postgresInstallation } from '../../scripts/postgres/installation.ts'
import { eventsOf, testActor } from '../builders.ts'
import { anOwnServer, type OwnServer } from '../postgres/own-server.ts'
import { aCrowd, aKey, aKeyring, aTenantWithProducts, codeOf, leastCost, outcomeOf, startVerifier } from './keys.ts'

/** A primary that crashes while keys are verified and revoked, and comes back. Nothing but it is started anew. */
const keyring = aKeyring()
const away = 'database.unavailable'
const missing = await postgresInstallation().then(
  () => undefined,
  (error: Error) => error.message,
)
let server: OwnServer
let db: Db
let closers: (() => Promise<unknown>)[] = []

describe.skipIf(missing !== undefined)(`a primary that crashes${missing ? `: ${missing}` : ''}`, () => {
  beforeAll(async () => {
    server = await anOwnServer('crash')
    db = createDb({ connectionString: server.database.runtimeUrl })
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await server?.start()
    for (const close of closers.toReversed()) await close()
    closers = []
  })
  afterAll(async () => {
    await db?.destroy()
    await server?.close()
  })

  async function aReplica(options: { pollMs?: number } = {}) {
    const { verifier, changes, close } = await startVerifier({
      url: server.database.runtimeUrl,
      keyring,
      hashCost: leastCost,
      onFailure: () => undefined,
      ...options,
    })
    closers.push(close)
    return { verifier, changes }
  }

  /** A key, and what comes of its revocation. */
  async function aKeyToRevoke() {
    const { id: tenantId } = await aTenantWithProducts(db)
    const { id, key } = await aKey(db, keyring, tenantId)
    const revoke = async () =>
      (await revokeApiKey(db, testActor, tenantId, id, ApiKeyRevocation.parse({ reason: 'compromised' }))).status
    const isRecorded = async () => (await eventsOf(db, tenantId)).some(({ action }) => action === 'api_key.revoked')
    return { key, tenantId, revoke, isRecorded }
  }

  const codeOfError = (error: { code: string }) => error.code

  it('is database.unavailable to all who are in mid-verify, and takes back no revocation that it acknowledged', async () => {
    const { verifier } = await aReplica()
    const tenant = await aTenantWithProducts(db)
    const [hot, cold] = [await aCrowd(db, keyring, tenant.id, 5), await aCrowd(db, keyring, tenant.id, 250)]
    const held = await aKeyToRevoke()
    const racing = await Promise.all(Array.from({ length: 6 }, aKeyToRevoke))
    await server.writeOut()
    for (const key of [...hot, held.key, ...racing.map(({ key }) => key)]) {
      expect(await codeOf(verifier, key)).toBe('VALID')
    }

    // What the state is read from, and what a revocation locks first.
    const owner = new Client({ connectionString: server.database.ownerUrl })
    owner.on('error', () => undefined)
    await owner.connect()
    closers.push(() => owner.end())
    await owner.query('begin')
    await owner.query('select from tenants where id = $1 for update', [held.tenantId])
    await owner.query('lock table tenant_projects in access exclusive mode')
    const heldRevocation = held.revoke().catch(codeOfError)
    const inMidVerify = Promise.all(cold.map((key) => outcomeOf(verifier, key)))
    // On another connection: within a transaction the activity is what it was when that first looked.
    const waiting = async () =>
      (
        await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
          db,
        )
      ).rows.length
    await expect.poll(waiting, { timeout: 20_000 }).toBe(3)

    const heard = { hot: new Set<string>(), cold: new Set<string>(), unknown: new Set<string>() }
    const { text: unknown } = mintToken(keyring, 'live')
    const over = new AbortController()
    closers.push(async () => over.abort())
    const crowd = (async () => {
      while (!over.signal.aborted) {
        for (const key of hot) heard.hot.add(await outcomeOf(verifier, key))
        heard.cold.add(await outcomeOf(verifier, cold[0] ?? ''))
        heard.unknown.add(await outcomeOf(verifier, unknown))
        await sleep(5)
      }
    })()

    const revocations = racing.map(async ({ revoke }) => await revoke())
    const acknowledged = Promise.all(revocations.map(async (each) => await each.catch(codeOfError)))
    await Promise.any(revocations)
    await server.crash()
    expect(await heldRevocation).toBe(away)
    expect(new Set(await inMidVerify)).toEqual(new Set([away]))
    expect(await outcomeOf(verifier, cold[1] ?? '')).toBe(away)
    const said = await acknowledged
    expect(said).toContain('revoked')
    expect(said.filter((each) => each !== 'revoked' && each !== away)).toEqual([])

    await server.start()
    await expect.poll(() => [...heard.cold], { timeout: 30_000 }).toContain('VALID')
    await expect.poll(() => [...heard.unknown], { timeout: 30_000 }).toContain('NOT_FOUND')
    over.abort()
    await crowd
    expect([...heard.cold].toSorted()).toEqual(['VALID', away])
    expect([...heard.unknown].toSorted()).toEqual(['NOT_FOUND', away])
    expect(heard.hot).toContain('VALID')
    expect([...heard.hot].filter((each) => each !== 'VALID' && each !== away)).toEqual([])

    expect(new Set(await Promise.all([...hot, ...cold].map((key) => codeOf(verifier, key))))).toEqual(
      new Set(['VALID']),
    )
    // One that has seen nothing of all that judges by the same rows.
    const fresh = (await aReplica()).verifier
    for (const [index, { key, isRecorded }] of racing.entries()) {
      const code = await codeOf(fresh, key)
      expect(code).toMatch(said[index] === 'revoked' ? /^REVOKED$/ : /^(REVOKED|VALID)$/)
      expect(await isRecorded()).toBe(code === 'REVOKED')
      expect(await codeOf(verifier, key)).toBe(code)
    }
    expect([await codeOf(verifier, held.key), await held.isRecorded()]).toEqual(['VALID', false])
    expect(await held.revoke()).toBe('revoked')
    await verifier.settle()
    expect(await codeOf(verifier, held.key)).toBe('REVOKED')
    expect(verifier.counts).toMatchObject({ refused: 0, waiting: 0 })
  })

  it('takes back no key that somebody was shown', async () => {
    const { verifier } = await aReplica()
    const { key } = await aKeyToRevoke()
    await server.crash()
    await server.start()
    await expect.poll(() => outcomeOf(verifier, key), { timeout: 30_000 }).toBe('VALID')
  })

  it('leaves what was read of a warm key good for the second that is said, and no longer', async () => {
    // Made before: what was in the feed and could not be read any more would be forgotten.
    const [warm = '', cold = ''] = await aCrowd(db, keyring, (await aTenantWithProducts(db)).id, 2)
    await server.writeOut()
    const { verifier, changes } = await aReplica()
    // A whole number: of others a second more, less themselves, need not be a second.
    const readAt = Math.ceil(performance.now())
    const clock = vi.spyOn(performance, 'now').mockReturnValue(readAt)
    expect(await codeOf(verifier, warm)).toBe('VALID')
    const { argon2 } = verifier.counts
    await server.crash()
    while (changes.isListening) await sleep(5)
    for (const ageMs of [0, 1_000]) {
      clock.mockReturnValue(readAt + ageMs)
      expect([await outcomeOf(verifier, warm), await outcomeOf(verifier, cold)]).toEqual(['VALID', away])
    }
    clock.mockReturnValue(readAt + 1_001)
    expect(await outcomeOf(verifier, warm)).toBe(away)
    vi.restoreAllMocks()
    await server.start()
    await expect.poll(() => outcomeOf(verifier, warm), { timeout: 30_000 }).toBe('VALID')
    // What was proven stays proven.
    expect(verifier.counts.argon2).toBe(argon2)
  })

  it('is listened to again afterwards: what is revoked elsewhere is heard, not only found', async () => {
    // It never looks by itself how far the feed is, but when it begins to listen.
    const { verifier, changes } = await aReplica({ pollMs: 3_600_000 })
    const elsewhere = (await aReplica()).verifier
    const { key, revoke } = await aKeyToRevoke()
    await server.writeOut()
    expect([await codeOf(verifier, key), await codeOf(elsewhere, key)]).toEqual(['VALID', 'VALID'])
    await server.crash()
    await expect.poll(() => changes.isListening, { timeout: 30_000 }).toBe(false)
    const listensAgain = new Promise<void>((resolve) => {
      changes.subscribe((_, mayHaveMissed) => mayHaveMissed && resolve())
    })
    await server.start()
    await listensAgain
    expect(changes.isListening).toBe(true)
    await expect.poll(() => outcomeOf(verifier, key), { timeout: 30_000 }).toBe('VALID')

    const hears = new Promise<boolean>((resolve) => {
      changes.subscribe((_, mayHaveMissed) => resolve(mayHaveMissed))
    })
    await expect.poll(() => revoke().catch(codeOfError), { timeout: 30_000 }).toBe('revoked')
    await elsewhere.settle()
    expect(await codeOf(elsewhere, key)).toBe('REVOKED')
    expect(await hears).toBe(false)
    await verifier.settle()
    expect(await codeOf(verifier, key)).toBe('REVOKED')
  })
})
