import { type StreamId, verifyStream } from '@breakpilot/tenant-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { anEvidence, type Evidence, linesOf } from './evidence.ts'

let evidence: Evidence
let stream: StreamId
// Nine rows: checkpoints at 4 and 8, and one that came after.
beforeEach(async () => {
  evidence = await anEvidence()
  stream = await evidence.append(4)
  await evidence.checkpoint()
  await evidence.append(4)
  await evidence.append(2, { group: { id: 'group-2' } })
  await evidence.checkpoint()
  await evidence.append(1)
})
afterEach(async () => await evidence.close())

const at = (seq: number) => `stream_id = '${stream}' and stream_seq = ${seq}`
const found = async (options?: Parameters<Evidence['findings']>[0]) =>
  (await evidence.findings(options)).map(({ code, stream_id, stream_seq, checkpoint }) => {
    expect(stream_id).toBe(stream)
    return { code, stream_seq, checkpoint }
  })

it('finds nothing in a log that nobody changed', async () => {
  expect(await evidence.findings({ checkpoints: linesOf(evidence.lines) })).toEqual([])
})

/** Of each column, what is no other row's and not what was written. */
const edits: [column: string, value: string][] = [
  ['id', `gen_random_uuid()`],
  ['received_at', `received_at + interval '1 millisecond'`],
  ['canonical_at', `canonical_at + interval '1 millisecond'`],
  ['created_at', 'null'],
  ['product', `'other'`],
  ['environment', `'test'`],
  ['action', `'report.closed'`],
  ['crud', `'d'`],
  ['group_id', `'group-9'`],
  ['group_name', `'Other'`],
  ['actor_id', `'u2'`],
  ['actor_name', `'John'`],
  ['actor_href', 'null'],
  ['actor_fields', `'{"role":"viewer"}'`],
  ['target_id', `'t2'`],
  ['target_name', `''`],
  ['target_href', `'https://example.com'`],
  ['target_type', `'page'`],
  ['target_fields', `'{"pages": "3"}'`],
  ['source_ip', `'192.0.2.2'`],
  ['description', `'nothing'`],
  ['component', 'null'],
  ['version', `'1.2.4'`],
  ['external_id', `'ext-0'`],
  ['is_anonymous', 'null'],
  ['is_failure', 'false'],
  ['fields', `'{}'`],
  ['metadata', 'null'],
  ['hash', 'null'],
  ['row_salt', `'\\x00000000000000000000000000000000'`],
  ['personal_digest', `sha256('')`],
  ['prev_hash', `sha256('')`],
  ['chain_hash', `sha256('')`],
]

describe('an edit is found and its row named, whatever the column:', () => {
  it.each(edits)('%s', async (column, value) => {
    await evidence.tamper(`update audit_log set ${column} = ${value} where ${at(3)}`)
    expect(await found()).toEqual([{ code: 'row_edited', stream_seq: 3, checkpoint: null }])
  })

  it('also of the tenant, who is in no chain', async () => {
    const tenant = await aTenant(evidence.db, { slug: 'other' })
    await evidence.tamper(`update audit_log set tenant_id = $1 where ${at(3)}`, [tenant.id])
    expect(await found()).toEqual([{ code: 'row_edited', stream_seq: 3, checkpoint: null }])
  })

  it('also when a row does not name its tenant any more, unless that one is to be purged', async () => {
    const { id } = await aTenant(evidence.db, { slug: 'mine' })
    const own = await evidence.append(3, { tenant_id: id })
    expect(await evidence.findings()).toEqual([])
    await evidence.tamper('update audit_log set tenant_id = null where stream_id = $1 and stream_seq >= 3', [own])
    const named = [{ code: 'row_edited', stream_id: own, stream_seq: 3 }]
    expect(await evidence.findings()).toMatchObject(named)
    expect((await verifyStream(evidence.db, own, {})).findings).toMatchObject(named)
    await evidence.tamper('update tenants set purge_requested_at = now() where id = $1', [id])
    expect(await evidence.findings()).toEqual([])
    expect((await verifyStream(evidence.db, own, {})).findings).toEqual([])
  })

  const otherwise = [{ code: 'search_edited', stream_seq: 3, checkpoint: null }]

  it('also that it is found by nothing', async () => {
    await evidence.tamper(`update audit_log set search = null where ${at(3)}`)
    expect(await found()).toEqual(otherwise)
    expect((await verifyStream(evidence.db, stream, {})).findings).toMatchObject(otherwise)
  })

  it.each([
    ['a word less', `ts_delete(search, 'jane')`],
    ['a word more', `search || to_tsvector('simple', 'john')`],
    ['words in another order', `strip(search)`],
    ['another stream', `ts_delete(search, '00000000-0000-0000-0000-000000000000') || array_to_tsvector(array['x'])`],
  ])(
    'also that it is found by %s, where that is asked for, and what is wrong behind it all the same',
    async (_, value) => {
      expect(await evidence.findings({ search: true })).toEqual([])
      await evidence.tamper(`update audit_log set search = ${value} where ${at(3)} or ${at(5)}`)
      await evidence.tamper(`update audit_log set description = 'nothing' where ${at(7)}`)
      const edited = { code: 'row_edited', stream_seq: 7, checkpoint: null }
      expect(await found()).toEqual([edited])
      expect(await found({ search: true })).toEqual([edited, ...otherwise])
    },
  )

  it('and it is no other one where an action has other letters than A to Z', async () => {
    await evidence.append(1, { action: 'Übergabe.Geprüft' })
    expect(await evidence.findings({ search: true })).toEqual([])
  })

  it('and no column of the log is left out', async () => {
    const { rows } = await evidence.read<{ name: string }>(`
      select column_name as name from information_schema.columns
      where table_schema = 'public' and table_name = 'audit_log' order by column_name`)
    const tested = [
      ...edits.map(([column]) => column),
      'stream_id',
      'stream_seq',
      'tenant_id',
      'chain_version',
      'search',
    ]
    expect(tested.toSorted()).toEqual(rows.map(({ name }) => name))
  })

  it.each(['stream_id', 'stream_seq'])('also %s, where the row is missed', async (column) => {
    const value = column === 'stream_seq' ? 'stream_seq + 100' : 'gen_random_uuid()'
    await evidence.tamper(`update audit_log set ${column} = ${value} where ${at(3)}`)
    expect(await evidence.findings()).toContainEqual(
      expect.objectContaining({ code: 'row_removed', stream_id: stream, stream_seq: 3 }),
    )
  })

  it('and that of the chain says that it is another one', async () => {
    await evidence.tamper(`update audit_log set chain_version = 2 where ${at(3)}`)
    expect(await found()).toEqual([{ code: 'version_unknown', stream_seq: 3, checkpoint: null }])
  })
})

/** What a forger copies. */
const others = `received_at, canonical_at, created_at, product, environment, action, crud,
  group_id, group_name, actor_id, actor_name, actor_href, actor_fields, target_id, target_name, target_href,
  target_type, target_fields, source_ip, description, component, version, external_id, is_anonymous, is_failure,
  fields, metadata, hash, chain_version, row_salt, personal_digest, prev_hash, chain_hash`
const copied = `id, stream_id, stream_seq, ${others}`

it('a place beyond all others is found, also where a page of rows ends with it', async () => {
  await evidence.append(91)
  await evidence.tamper(`update audit_log set stream_seq = 9223372036854775807 where ${at(100)}`)
  expect(await found()).toMatchObject([{ code: 'tail_removed', stream_seq: 100 }])
})

describe('rows', () => {
  it('that are taken out are missed', async () => {
    await evidence.tamper(`delete from audit_log where ${at(6)}`)
    expect(await found()).toEqual([{ code: 'row_removed', stream_seq: 6, checkpoint: null }])
  })

  it('that are taken out are missed at the beginning too', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq <= 2`)
    expect(await found()).toEqual([{ code: 'row_removed', stream_seq: 1, checkpoint: null }])
  })

  it('that are taken out are missed when those behind are moved up', async () => {
    await evidence.tamper(`delete from audit_log where ${at(6)}`)
    await evidence.tamper(
      `update audit_log set stream_seq = stream_seq - 1 where stream_id = '${stream}' and stream_seq > 6`,
    )
    expect(await found()).toEqual([{ code: 'row_removed', stream_seq: 6, checkpoint: null }])
  })

  it.each([
    [2, 7],
    [5, 6],
  ])('%i and %i in each other’s place are named', async (one, other) => {
    await evidence.tamper(`
      update audit_log set stream_seq = case stream_seq when ${one} then ${other} else ${one} end
      where stream_id = '${stream}' and stream_seq in (${one}, ${other})`)
    expect(await found()).toEqual([{ code: 'rows_swapped', stream_seq: one, checkpoint: null }])
  })

  it('that are put in at a place that is taken are named, whichever id comes first', async () => {
    for (const id of ['00000000-0000-0000-0000-00000000000a', 'ffffffff-ffff-ffff-ffff-fffffffffff0']) {
      await evidence.tamper(`
        insert into audit_log (${copied}) select '${id}', stream_id, stream_seq, ${others} from audit_log where ${at(5)}`)
      expect(await evidence.findings()).toMatchObject([{ code: 'row_inserted', stream_seq: 5, event_id: id }])
      await evidence.tamper(`delete from audit_log where id = '${id}'`)
    }
  })

  it('that are put in are named when those behind are moved down', async () => {
    const id = '00000000-0000-0000-0000-00000000000a'
    await evidence.tamper(
      `update audit_log set stream_seq = stream_seq + 1 where stream_id = '${stream}' and stream_seq >= 5`,
    )
    await evidence.tamper(`
      insert into audit_log (${copied}) select '${id}', stream_id, 5, ${others} from audit_log where ${at(4)}`)
    expect(await found()).toEqual([{ code: 'row_edited', stream_seq: 5, checkpoint: null }])
  })

  it('that are put in behind the end are named', async () => {
    await evidence.tamper(`
      insert into audit_log (${copied}) select gen_random_uuid(), stream_id, 10, ${others}
      from audit_log where ${at(9)}`)
    expect(await found()).toEqual([{ code: 'row_inserted', stream_seq: 10, checkpoint: null }])
  })
})

describe('the end of a stream', () => {
  const head = (seq: number) => `
    update registry.audit_streams set (last_seq, last_hash) =
      (select stream_seq, chain_hash from audit_log where ${at(seq)}) where stream_id = '${stream}'`

  it('that is cut is missed by its head', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq > 6`)
    expect(await found()).toEqual([{ code: 'tail_removed', stream_seq: 7, checkpoint: null }])
  })

  it('that is cut with its head is missed by a checkpoint', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq > 6`)
    await evidence.tamper(head(6))
    expect(await found()).toEqual([{ code: 'tail_removed', stream_seq: 7, checkpoint: 2 }])
  })

  it('that is cut with its head and the checkpoint is missed by what it was known for, and what the server told of it', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq > 6`)
    await evidence.tamper(head(6))
    await evidence.tamper(`
      delete from registry.audit_checkpoint_heads where number = 2`)
    await evidence.tamper(`delete from registry.audit_checkpoints where number = 2`)
    const other = { code: 'checkpoint_removed', stream_seq: 2, checkpoint: null }
    const missed = (await evidence.findings()).map(({ code, stream_seq, checkpoint }) => ({
      code,
      stream_seq,
      checkpoint,
    }))
    expect(missed).toHaveLength(2)
    expect(missed).toEqual(expect.arrayContaining([{ ...other, stream_seq: 8 }, other]))
    expect((await verifyStream(evidence.db, stream, {})).findings).toMatchObject([{ ...other, stream_seq: 8 }])
    await evidence.tamper('delete from registry.audit_checkpointed')
    expect(await evidence.findings()).toEqual([])
    const told = await evidence.findings({ checkpoints: linesOf(evidence.lines) })
    expect(
      told.map(({ code, stream_id, stream_seq, checkpoint }) => ({ code, stream_id, stream_seq, checkpoint })),
    ).toEqual([
      { code: 'checkpoint_removed', stream_id: null, stream_seq: null, checkpoint: 2 },
      { code: 'tail_removed', stream_id: stream, stream_seq: 7, checkpoint: 2 },
    ])
  })

  it('behind the last checkpoint is only self-consistent, and that is said', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq > 8`)
    await evidence.tamper(head(8))
    expect(await evidence.findings()).toEqual([])
  })

  it('that its head does not name is another one', async () => {
    await evidence.tamper(`update registry.audit_streams set last_hash = sha256('') where stream_id = '${stream}'`)
    expect(await found()).toEqual([{ code: 'row_edited', stream_seq: 9, checkpoint: null }])
  })
})

describe('a stream', () => {
  it('whose rows are gone is missed by its head', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}'`)
    expect(await found()).toEqual([{ code: 'tail_removed', stream_seq: 1, checkpoint: null }])
  })

  it('that is gone altogether is missed by a checkpoint', async () => {
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}'`)
    await evidence.tamper(`delete from registry.audit_streams where stream_id = '${stream}'`)
    expect(await found()).toEqual([{ code: 'tail_removed', stream_seq: 1, checkpoint: 2 }])
  })

  it('without a head is named', async () => {
    await evidence.tamper(`delete from registry.audit_streams where stream_id = '${stream}'`)
    expect(await found()).toEqual([{ code: 'head_missing', stream_seq: null, checkpoint: null }])
  })
})
