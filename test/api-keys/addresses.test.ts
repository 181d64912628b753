import { isIPv4 } from 'node:net'
import { ApiKeyVerifier, ChangeListener, createDb, type Db } from '@breakpilot/tenant-core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IpRange, isAddress, isWithin, rangesOf } from '../../packages/core/src/api-keys/ip-range.ts'
import { keyCatalogue } from '../builders.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'
import { aKey, aKeyring, aTenantWithProducts } from './keys.ts'

/** What we say of addresses and networks, and what PostgreSQL says of the same. */
let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await migratedDatabase()
  db = createDb({ connectionString: database.runtimeUrl })
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

/** IPv6 as people and programs spell it, also with an IPv4 address at its end, and often with zeros. */
const word = fc.oneof(
  fc.constantFrom('0', '0', '0', 'ffff', '00ab', 'DB8', '1'),
  fc.nat(0xffff).map((n) => n.toString(16)),
)
const words = (length: number) => fc.array(word, { minLength: length, maxLength: length }).map((all) => all.join(':'))
const ipV6 = fc.oneof(
  fc.ipV6(),
  words(8),
  fc.tuple(words(6), fc.ipV4()).map(([head, tail]) => `${head}:${tail}`),
  fc.nat(6).chain((left) => fc.tuple(words(left), words(6 - left)).map((sides) => sides.join('::'))),
  fc
    .tuple(fc.nat(7), fc.boolean())
    .chain(([count, first]) => words(count).map((text) => (first ? `::${text}` : `${text}::`))),
  fc.ipV4().map((tail) => `::${tail}`),
  fc.ipV4().map((tail) => `::ffff:${tail}`),
)
const address = fc.oneof(fc.ipV4(), ipV6)
const network = fc.tuple(address, fc.nat(128)).map(([text, bits]) => ({ text, bits: isIPv4(text) ? bits % 33 : bits }))

/** The first so many bits of addresses, as PostgreSQL spells them, and whether it finds other addresses in there. */
async function askPostgres(all: readonly { text: string; bits: number; asked: string }[]) {
  const { rows } = await sql<{ network: string; asked: string; within: boolean }>`
    select network::text, asked, asked::inet <<= network as within
    from unnest(${all.map(({ text }) => text)}::text[], ${all.map(({ bits }) => bits)}::int[],
      ${all.map(({ asked }) => asked)}::text[]) as given(text, bits, asked),
      lateral (select network(set_masklen(text::inet, bits))::cidr as network) as n`.execute(db)
  expect(rows).toHaveLength(all.length)
  return rows
}

describe('a network', () => {
  it('is stored as it was shown: PostgreSQL spells it as we do', async () => {
    const given = fc.sample(network, 2_000)
    for (const { network: spelled } of await askPostgres(given.map((each) => ({ ...each, asked: '::' })))) {
      // IPv4 in the form of IPv6: PostgreSQL takes it for a network of IPv6, to us it is none.
      const [start = '', bits] = spelled.split('/')
      if (isMapped(start) && Number(bits) >= 96) {
        expect(IpRange.safeParse(spelled).success, spelled).toBe(false)
      } else if (!endsInIpv4.test(spelled)) expect(IpRange.safeParse(spelled).data).toBe(spelled)
    }
  })

  it('of addresses that end in IPv4 is stored as it was shown, too', async () => {
    const [given] = await askPostgres([{ text: '::128.0.0.0', bits: 97, asked: '::' }])
    expect(IpRange.parse('::8000:0/97')).toBe(given?.network)
  })

  it('has the addresses in it that PostgreSQL says are in it', async () => {
    const given = fc.sample(fc.tuple(network, fc.option(address)), 2_000)
    const rows = await askPostgres(given.map(([each, other]) => ({ ...each, asked: other ?? each.text })))
    expect(rows.filter(({ within }) => within).length).toBeGreaterThan(100)
    for (const { network: spelled, asked, within } of rows) {
      const range = IpRange.safeParse(spelled).data
      const ranges = range === undefined ? undefined : rangesOf([range])
      // To PostgreSQL this is IPv6; to us it is the IPv4 address that it stands for.
      if (!ranges || isMapped(asked)) continue
      expect([spelled, asked, isWithin(ranges, asked)]).toEqual([spelled, asked, within])
    }
  })
})

const endsInIpv4 = /^::\d+\.\d+\./
/** Whether an IPv6 address is an IPv4 one in disguise: the last word but two is ffff, and nothing before it. */
const isMapped = (text: string) =>
  !isIPv4(text) && /^\[::ffff:[\da-f]+:[\da-f]+\]$/.test(new URL(`http://[${text}]`).hostname)

const odd = [
  '1::2:3:4:5:6:7',
  '1:2:3:4:5:6:7::',
  '::2:3:4:5:6:7:8',
  '::1.2.3.4',
  '::',
  '0::0',
  '::ffff:1.2.3.4',
  '::ffff:0102:0304',
  '1.2.3.4/24',
  '::1/64',
  '010.1.1.1',
  '1.2.3',
  'fe80::1%eth0',
  ' 1.2.3.4',
  '1.2.3.4 ',
]

describe('an address that a product reports', () => {
  it('is one that PostgreSQL can store, however it is spelled', async () => {
    const given = [...fc.sample(address, 2_000), ...odd].filter(isAddress)
    const stored = sql<{ n: number }>`select count(ip)::int as n from unnest(${given}::inet[]) as given(ip)`
    expect((await stored.execute(db)).rows).toEqual([{ n: given.length }])
  })

  it('of any spelling is written down with the use, and keeps no other use from being written', async () => {
    const keyring = aKeyring()
    const failures: Error[] = []
    const onFailure = (error: Error) => failures.push(error)
    const changes = new ChangeListener({ db, connectionString: database.runtimeUrl, onFailure })
    const verifier = new ApiKeyVerifier({ db, catalogue: keyCatalogue, keyring, changes, onFailure })
    const tenant = await aTenantWithProducts(db)
    const uses = ['::ffff:203.0.113.7', 'fe80::1%eth0', '2001:DB8::1', 'unknown', ''] as const
    const ids: string[] = []
    for (const client_ip of uses) {
      const { key, id } = await aKey(db, keyring, tenant.id)
      ids.push(id)
      await verifier.verify({ key, client_ip }, { asker: { kind: 'platform' }, caller: 'x' })
    }
    await verifier.close()
    const used = await db.selectFrom('registry.api_key_usage').select(['api_key_id', 'last_used_ip']).execute()
    const ips = new Map(used.map(({ api_key_id, last_used_ip }) => [String(api_key_id), last_used_ip]))
    expect(ids.map((id) => ips.get(id))).toEqual(['::ffff:203.0.113.7', null, '2001:db8::1', null, null])
    expect(failures).toEqual([])
  })
})
