import {
  type ApiKeyVerifier,
  createDb,
  type Db,
  mintToken,
  type VerifiedKey,
  type VerifierOptions,
} from '@breakpilot/tenant-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import {
  aCrowd,
  aKey,
  aKeyring,
  aTenantWithProducts,
  codeOf,
  leastCost,
  outcomeOf,
  startVerifier,
  whole,
} from './keys.ts'

/** Keys by the thousand at once: real ones that a process has not seen yet, and forged ones. */
const keyring = aKeyring()
const asking = { asker: { kind: 'platform' }, caller: 'test' } as const
let database: TestDatabase
let db: Db
let crowd: string[]
let closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  crowd = await aCrowd(db, keyring, (await aTenantWithProducts(db)).id, 5_000)
})
afterEach(async () => {
  for (const close of closers.toReversed()) await close()
  closers = []
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

async function aColdVerifier(lane: VerifierOptions['lane']) {
  const { verifier, close } = await startVerifier({ url: database.runtimeUrl, keyring, hashCost: leastCost, lane })
  closers.push(close)
  return verifier
}

/** How long they wait is not what is looked at here: a machine may be as slow as it likes. */
const patiently = { waitingMax: 5_000, waitMsMax: 600_000 }

describe.each([
  { count: 500, width: 2, how: 'one by one', ask: oneByOne, later: 'api_key.lane_full' },
  { count: 5_000, width: 1, how: 'in batches', ask: inBatches, later: 'RETRY' },
])('$count keys at once, $how, on a cold verifier', ({ count, width, ask, later }) => {
  const keysOf = () => crowd.slice(0, count)

  it(`are all VALID, and never more than ${width} of them at argon2`, async () => {
    const verifier = await aColdVerifier({ ...patiently, width })
    let [answered, most] = [0, 0]
    // Those that were begun without those that are answered, whenever somebody was: the next has begun by then.
    const look = () => (most = Math.max(most, verifier.counts.argon2 - answered))
    const codes = keysOf().map(async (key) => {
      const code = await codeOf(verifier, key)
      answered += 1
      setImmediate(look)
      return code
    })
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['VALID']))
    expect(most).toBe(width)
    expect(verifier.counts).toMatchObject({ argon2: count, refused: 0, waiting: 0, keys: count })
    // A hundred with each statement, but for the two that find nobody before them.
    expect(verifier.counts.reads).toBeLessThanOrEqual(count / 100 + 2)
  })

  it(`are VALID or ${later} where few may wait, and VALID when they come again`, async () => {
    const lane = { ...patiently, width, waitingMax: 20 }
    const verifier = await aColdVerifier(lane)
    const outcomes = await ask(verifier, keysOf())
    // A statement answers about a hundred of them at once, and some twenty have room.
    expect([...new Set(outcomes)].toSorted()).toEqual(['VALID', later].toSorted())
    const refused = keysOf().filter((_, index) => outcomes[index] === later)
    expect(verifier.counts).toMatchObject({ argon2: count - refused.length, refused: refused.length, waiting: 0 })

    // As many at once as there is room for.
    const room = lane.width + lane.waitingMax
    for (let from = 0; from < refused.length; from += room) {
      const answers = await verifier.verifyMany(asItems(refused.slice(from, from + room)), asking)
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['VALID']))
    }
    expect(verifier.counts).toMatchObject({ argon2: count, refused: refused.length, waiting: 0, keys: count })
    expect(verifier.counts.codes).toMatchObject({ VALID: count, NOT_FOUND: 0 })
  })
})

async function oneByOne(verifier: ApiKeyVerifier, keys: readonly string[]): Promise<string[]> {
  return await Promise.all(keys.map((key) => outcomeOf(verifier, key)))
}

const asItems = (keys: readonly string[]) => keys.map((key) => ({ key }))

/** Asks about all at once, in batches of a hundred, as `verify-batch` takes them. */
async function inBatches(verifier: ApiKeyVerifier, keys: readonly string[]): Promise<string[]> {
  const batches = Array.from({ length: keys.length / 100 }, (_, at) => keys.slice(at * 100, at * 100 + 100))
  const answers = await Promise.all(batches.map((batch) => verifier.verifyMany(asItems(batch), asking)))
  return answers.flat().map(({ code }) => code)
}

describe('a flood of forged tokens whose CRC is right', () => {
  const elsewhere = aKeyring()

  /** Three for each key: of an id that nobody has, of the key's own with another secret, and with another MAC alone. */
  const forgedFrom = (key: string) => {
    const { text } = mintToken(elsewhere, 'live')
    return [text, whole(key.slice(0, 21) + text.slice(21, 73)), whole(key.slice(0, 65) + text.slice(65, 73))]
  }

  it('is answered at once, reaches neither the database nor argon2, and the keys beside it stay VALID', async () => {
    const verifier = await aColdVerifier({ width: 1, waitingMax: 1 })
    const [warm, forged] = [crowd.slice(0, 10), crowd.slice(0, 1_000).flatMap(forgedFrom)]
    // An answer that comes at once has waited for nobody.
    const ask = (key: string) => verifier.verify({ key }, asking) as VerifiedKey
    const unknown = ask('nonsense')
    expect(unknown).toMatchObject({ valid: false, code: 'NOT_FOUND', api_key_id: null })
    for (const key of forged) expect(ask(key)).toEqual(unknown)
    expect(verifier.counts).toMatchObject({ reads: 0, argon2: 0, refused: 0, waiting: 0, keys: 0 })

    for (const key of warm) expect(await codeOf(verifier, key)).toBe('VALID')
    const known = warm.map(ask)
    expect(new Set(known.map(({ code, api_key_id }) => `${code} ${api_key_id}`)).size).toBe(warm.length)
    const before = verifier.counts
    for (const [index, key] of forged.entries()) {
      expect(ask(key)).toEqual(unknown)
      expect(ask(warm[index % warm.length] ?? '')).toEqual(known[index % warm.length])
    }
    expect(verifier.counts).toEqual({
      ...before,
      warm: before.warm + forged.length,
      codes: {
        ...before.codes,
        NOT_FOUND: before.codes.NOT_FOUND + forged.length,
        VALID: before.codes.VALID + forged.length,
      },
    })
  })

  it('does not take the place of a key that is new', async () => {
    const { key } = await aKey(db, keyring, (await aTenantWithProducts(db)).id)
    const verifier = await aColdVerifier({ width: 1, waitingMax: 1 })
    const codes = await Promise.all(
      [...crowd.slice(0, 500).flatMap(forgedFrom), key].map(async (each) => await codeOf(verifier, each)),
    )
    expect(codes.filter((code) => code !== 'NOT_FOUND')).toEqual(['VALID'])
    expect(verifier.counts).toMatchObject({ argon2: 1, reads: 1, refused: 0, keys: 1 })
  })
})
