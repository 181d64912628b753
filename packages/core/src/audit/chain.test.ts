import { describe, expect, it } from 'vitest'
import { type ChainedRow, chainHash, genesisHash, personalDigest } from './chain.ts'

const salt = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

/** The first vector of docs/adr/0003-chain-record.md: a row with nothing optional. */
const bare: ChainedRow = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  stream_id: '00000000-0000-0000-0000-000000000001',
  stream_seq: 1,
  received_at: new Date('2026-01-02T03:04:05.678Z'),
  canonical_at: new Date('2026-01-02T03:04:05.678Z'),
  created_at: null,
  product: 'certifai',
  environment: 'live',
  action: 'a.b',
  crud: 'c',
  group_id: null,
  target_type: null,
  component: null,
  version: null,
  is_anonymous: null,
  is_failure: null,
  actor_id: null,
  actor_name: null,
  actor_href: null,
  actor_fields: null,
  target_id: null,
  target_name: null,
  target_href: null,
  target_fields: null,
  group_name: null,
  source_ip: null,
  description: null,
  external_id: null,
  fields: null,
  metadata: null,
  hash: null,
}

/** The second vector: everything there is. */
const full: ChainedRow = {
  ...bare,
  id: '01890a5d-ac96-774b-bcce-b302099a8058',
  stream_seq: 2,
  received_at: new Date('2026-01-02T03:04:06.000Z'),
  canonical_at: new Date('1969-12-31T23:59:59.999Z'),
  created_at: new Date('1969-12-31T23:59:59.999Z'),
  group_id: 'grüppe',
  target_type: 'report',
  component: 'web',
  version: '1.2.3',
  is_anonymous: false,
  is_failure: true,
  actor_id: 'u1',
  actor_name: 'Ünï',
  actor_href: 'https://example.org/u1',
  actor_fields: '{"10":"a","2":"b"}',
  target_id: 't1',
  target_name: 'T',
  target_href: 'h',
  target_fields: '{}',
  group_name: 'Group',
  source_ip: '::1',
  description: 'd',
  external_id: 'e',
  fields: '{"__proto__":"x"}',
  metadata: '{}',
  hash: Buffer.alloc(32, 7),
}

describe('the chain record, version 1', () => {
  const digest1 = personalDigest(salt, bare)
  const link1 = chainHash(genesisHash, digest1, bare)
  const digest2 = personalDigest(salt, full)
  const link2 = chainHash(link1, digest2, full)

  it('has the vectors that are published', () => {
    expect([digest1, link1, digest2, link2].map((bytes) => bytes.toString('hex'))).toMatchInlineSnapshot(`
      [
        "41dca054e9d65bca77953caea8e43d5b16228b30abdc16d0ad2d91f732a08f58",
        "1f8d4b5123df0ecb4313a219c6d9c5aa8dea2235c2554857a811c918688c0dbe",
        "81de2f9a423c103429bb99c8d106993e7596b0edd0cab018e0378eb5fa20af3d",
        "2bd7d5fee241df4e720c6c20b76b6306b110c4a3089338bfb357e9d8138a7eb8",
      ]
    `)
  })

  it('covers every column of the row and of the personal block', () => {
    const other: { [Column in keyof ChainedRow]: ChainedRow[Column] } = {
      ...full,
      id: '01890a5d-ac96-774b-bcce-b302099a8059',
      stream_id: '00000000-0000-0000-0000-000000000002',
      stream_seq: 3,
      received_at: new Date(0),
      canonical_at: new Date(0),
      created_at: null,
      is_anonymous: true,
      is_failure: null,
      hash: null,
    }
    for (const column of Object.keys(full) as (keyof ChainedRow)[]) {
      const value = other[column] === full[column] ? `${String(full[column])}!` : other[column]
      const changed = { ...full, [column]: value } as ChainedRow
      expect(chainHash(link1, personalDigest(salt, changed), changed), column).not.toEqual(link2)
    }
  })

  it('tells absent from empty, and where one value ends from where the next begins', () => {
    const hashOf = (row: Partial<ChainedRow>) => {
      const whole = { ...bare, ...row }
      return chainHash(genesisHash, personalDigest(salt, whole), whole).toString('hex')
    }
    const rows: Partial<ChainedRow>[] = [
      { component: null, version: null },
      { component: '', version: null },
      { component: null, version: '' },
      { component: 'ab', version: 'c' },
      { component: 'a', version: 'bc' },
      { actor_id: 'ab', actor_name: 'c' },
      { actor_id: 'a', actor_name: 'bc' },
      { is_failure: false },
      { is_anonymous: false },
    ]
    expect(new Set(rows.map(hashOf)).size).toBe(rows.length)
  })

  it('lets nobody without the salt test a guess', () => {
    expect(personalDigest(Buffer.alloc(16), full)).not.toEqual(digest2)
  })
})
