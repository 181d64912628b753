import {
  type ChainHead,
  type Checkpoint,
  createDb,
  listCheckpoints,
  listSigningKeys,
  takeCheckpoints,
} from '@breakpilot/tenant-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anEvidence, aSigningKey, type Evidence, linesOf } from './evidence.ts'

let evidence: Evidence
beforeEach(async () => {
  evidence = await anEvidence()
})
afterEach(async () => await evidence.close())

const taken = async () => (await listCheckpoints(evidence.db, {})).data
const headsOf = async (number: number) =>
  await evidence.db
    .selectFrom('registry.audit_checkpoint_heads')
    .select(['stream_id', 'stream_seq', 'chain_hash'])
    .where('number', '=', number)
    .orderBy('stream_id')
    .execute()

describe('a checkpoint', () => {
  it('has the heads of the streams that changed since the last one, and is not taken when none did', async () => {
    expect(await evidence.checkpoint()).toBe(0)
    const one = await evidence.append(3)
    const two = await evidence.append(2, { group: { id: 'group-2' } })
    expect(await evidence.checkpoint()).toBe(1)
    expect(await evidence.checkpoint()).toBe(0)
    await evidence.append(1)
    expect(await evidence.checkpoint()).toBe(1)

    const [second, first] = await taken()
    expect(first).toMatchObject({ number: 1, head_count: 2, previous_root: Buffer.alloc(32) })
    expect(second).toMatchObject({ number: 2, head_count: 1, previous_root: first?.root })
    const places = async (number: number) => (await headsOf(number)).map((head) => [head.stream_id, head.stream_seq])
    expect(await places(1)).toEqual(
      [
        [one, 3],
        [two, 2],
      ].sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1)),
    )
    expect(await places(2)).toEqual([[one, 4]])
  })

  it('says when it was taken by the clock of the database, and by which key', async () => {
    await evidence.append(1)
    const before = Date.now()
    await evidence.checkpoint()
    const [checkpoint] = await taken()
    expect(Math.abs(Number(checkpoint?.taken_at) - before)).toBeLessThan(10_000)
    expect(checkpoint?.key_id).toBe(evidence.key.publicKey.id)
    expect((await listSigningKeys(evidence.db)).data).toMatchObject([
      { key_id: evidence.key.publicKey.id, public_key: evidence.key.publicKey.pem },
    ])
  })

  it('has so many heads and no more: the rest goes into the next one', async () => {
    await evidence.tamper(`
      insert into registry.audit_streams (stream_id, last_seq, last_hash)
      select gen_random_uuid(), 1, sha256(n::text::bytea) from generate_series(1, 5001) n`)
    expect(await evidence.checkpoint()).toBe(2)
    expect((await taken()).map(({ head_count }) => head_count)).toEqual([1, 5000])
    const heads = evidence.lines.filter((line) => line.includes('"audit.checkpoint_heads"'))
    expect(heads.length).toBe(51)
    // Collectors of logs cut what is longer.
    expect(Math.max(...evidence.lines.map((line) => Buffer.byteLength(line)))).toBeLessThan(16_384)
  })
})

describe('replicas', () => {
  it('that come at the same time take one and not two, and never trip', async () => {
    const others = Array.from({ length: 6 }, () => createDb({ connectionString: evidence.database.runtimeUrl }))
    const told: number[] = []
    try {
      for (let round = 1; round <= 5; round += 1) {
        await evidence.append(2)
        const counts = await Promise.all(
          others.map(async (db) => await takeCheckpoints(db, aSigningKey(), ({ number }) => told.push(number))),
        )
        expect(counts.reduce((all, each) => all + each, 0)).toBe(1)
      }
    } finally {
      await Promise.all(others.map((db) => db.destroy()))
    }
    expect(told.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5])
    expect(await evidence.findings({ keys: undefined })).toEqual([])
  })

  it('do not keep writers of the log waiting, and are not kept by them', async () => {
    await evidence.append(1)
    const counts = await Promise.all([
      ...Array.from({ length: 20 }, () => evidence.append(1).then(() => 0)),
      ...Array.from({ length: 5 }, () => evidence.checkpoint()),
    ])
    await evidence.checkpoint()
    expect(counts.length).toBe(25)
    expect(await evidence.findings({ checkpoints: linesOf(evidence.lines) })).toEqual([])
  })
})

describe('a process that ends', () => {
  it('between storing a checkpoint and telling of it leaves the telling to the next one', async () => {
    await evidence.append(1)
    const ended = new Error('the process ended')
    const dying = () => {
      throw ended
    }
    await expect(takeCheckpoints(evidence.db, evidence.key, dying)).rejects.toBe(ended)
    expect(await taken()).toHaveLength(1)

    // Nothing has changed since: it is told of all the same.
    const told: { checkpoint: Checkpoint; heads: readonly ChainHead[] }[] = []
    const next = async () =>
      await takeCheckpoints(evidence.db, aSigningKey(), (checkpoint, heads) => told.push({ checkpoint, heads }))
    expect(await next()).toBe(0)
    expect(told).toMatchObject([{ checkpoint: (await taken())[0], heads: await headsOf(1) }])
    await next()
    expect(told).toHaveLength(1)
  })

  it('while it stores one leaves nothing of it', async () => {
    await evidence.append(1)
    await evidence.tamper(`alter table registry.audit_checkpoint_heads add constraint never check (false) not valid`)
    await expect(evidence.checkpoint()).rejects.toThrow('never')
    expect(await taken()).toEqual([])
    await evidence.tamper(`alter table registry.audit_checkpoint_heads drop constraint never`)
    expect(await evidence.checkpoint()).toBe(1)
  })
})

it('the server can add checkpoints, and neither change nor delete one', async () => {
  await evidence.append(1)
  await evidence.checkpoint()
  const { db } = evidence
  for (const table of ['registry.audit_checkpoints', 'registry.audit_checkpoint_heads'] as const) {
    await expect(db.deleteFrom(table).execute()).rejects.toMatchObject({ code: '42501' })
    await expect(db.updateTable(table).set({ number: 7 }).execute()).rejects.toMatchObject({ code: '42501' })
  }
  await expect(db.deleteFrom('registry.audit_signing_keys').execute()).rejects.toMatchObject({ code: '42501' })
})
