import { type ApiKeyVerifier, createDb, type Db, mintToken } from '@breakpilot/tenant-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aKey, aKeyring, aTenantWithProducts, codeOf, startVerifier, whole } from './keys.ts'

let database: TestDatabase
let db: Db
let verifier: ApiKeyVerifier
let close: () => Promise<void>
const keyring = aKeyring()
beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
  ;({ verifier, close } = await startVerifier({ url: database.runtimeUrl, keyring }))
})
afterAll(async () => {
  await close()
  await db.destroy()
  await database.drop()
})

const asking = { asker: { kind: 'platform' }, caller: 'x' } as const

const calls = 25
const rounds = 300

/** How long it takes to refuse each kind of token: the middle of many, measured in turns, in nanoseconds. */
function refusalTimes(kinds: readonly (readonly [name: string, token: string])[]): Map<string, number> {
  const times = new Map(kinds.map(([name]) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round += 1) {
    // Another one begins each time, so that what the machine does besides meets all alike.
    for (let turn = 0; turn < kinds.length; turn += 1) {
      const [name, key] = kinds[(turn + round) % kinds.length] ?? ['', '']
      const begun = process.hrtime.bigint()
      for (let call = 0; call < calls; call += 1) void verifier.verify({ key }, asking)
      times.get(name)?.push(Number(process.hrtime.bigint() - begun))
    }
  }
  const middle = (all: number[]) => all.toSorted((one, other) => one - other)[all.length >> 1] ?? 0
  return new Map([...times].map(([name, all]) => [name, middle(all) / calls]))
}

it('strangers learn nothing from the time: all of their tokens are refused by the same steps', async () => {
  const hot = await aKey(db, keyring, (await aTenantWithProducts(db)).id)
  expect(await codeOf(verifier, hot.key)).toBe('VALID')
  await verifier.settle()
  expect(await codeOf(verifier, hot.key)).toBe('VALID')
  const forged = mintToken(aKeyring(), 'live').text
  const kinds = [
    ['another shape', 'nonsense'],
    ['nearly the shape', `${forged.slice(0, -1)}-`],
    ['a wrong CRC', forged.slice(0, -1) + (forged.endsWith('0') ? '1' : '0')],
    ['a wrong CRC after what is right', hot.key.slice(0, -1) + (hot.key.endsWith('0') ? '1' : '0')],
    ['a wrong MAC, and nobody’s id', forged],
    ['a wrong MAC, and the id of a key that is known', whole(hot.prefix + forged.slice(21, 73))],
    ['the secret of a key that is known, and a wrong MAC', whole(hot.key.slice(0, 65) + forged.slice(65, 73))],
  ] as const
  const before = verifier.counts
  refusalTimes(kinds)
  // A busy machine may disturb one measurement. What takes other steps is off by more than this in all of them.
  for (let attempt = 1; ; attempt += 1) {
    const times = refusalTimes(kinds)
    const all = [...times.values()]
    if (Math.max(...all) < 1.5 * Math.min(...all)) break
    if (attempt === 6) expect.fail(`they differ: ${JSON.stringify(Object.fromEntries(times))}`)
  }
  const { reads, argon2, warm } = verifier.counts
  expect({ reads, argon2, warm }).toEqual({ reads: before.reads, argon2: before.argon2, warm: before.warm })
})
