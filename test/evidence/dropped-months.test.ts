import { recordDrops, scriptActor, type StreamId, verifyStream } from '@breakpilot/tenant-core'
import { createMigrator } from '@breakpilot/tenant-migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../migrations/command.ts'
import { anEvidence, backdate, type Evidence, linesOf } from './evidence.ts'

let evidence: Evidence
let stream: StreamId
/** A stream that has nothing else than what was long ago. */
let quiet: StreamId
const now = new Date()
const longAgo = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 5, 10))
const month = longAgo.toISOString().slice(0, 7)
const table = `registry.audit_log_${month.replace('-', '_')}`

// Seven rows, the first four of them long ago: checkpoints at 5 and 7.
beforeEach(async () => {
  evidence = await anEvidence()
  stream = await evidence.append(5)
  quiet = await evidence.append(2, { group: { id: 'group-2' } })
  await backdate(evidence, stream, 4, longAgo)
  await backdate(evidence, quiet, 2, longAgo)
  await evidence.checkpoint()
  await evidence.append(2)
  await evidence.checkpoint()
  await evidence.tamper(`insert into registry.audit_retention (product, plan, days, since)
    values ('certifai', '', 30, now() - interval '8 days')`)
})
afterEach(async () => await evidence.close())

async function dropMonth(): Promise<void> {
  const { dropped } = await createMigrator({ connectionString: evidence.database.ownerUrl }).auditRetention()
  expect(dropped).toMatchObject([{ month, events: 6 }])
}
const tell = async () => expect(await recordDrops(evidence.db, scriptActor('test'))).toBe(1)
const summary = async () =>
  (await evidence.findings()).map(({ code, stream_id, stream_seq }) => ({ code, stream_id, stream_seq }))

describe('a log whose first month was dropped', () => {
  it('is verified from there on, before and after a server told of it', async () => {
    await dropMonth()
    expect(await evidence.findings({ checkpoints: linesOf(evidence.lines) })).toEqual([])
    await tell()
    await evidence.checkpoint()
    expect(await evidence.findings({ checkpoints: linesOf(evidence.lines) })).toEqual([])
    expect(await verifyStream(evidence.db, stream, {})).toMatchObject({
      intact: true,
      findings: [],
      from_seq: 5,
      to_seq: 7,
      rows: 3,
      certified_seq: 7,
    })
    expect(await verifyStream(evidence.db, quiet, {})).toMatchObject({ intact: true, from_seq: 3, to_seq: 2, rows: 0 })
    const { code, lines } = await run(['audit-verify'], { DATABASE_URL: evidence.database.ownerUrl })
    expect({ code, lines }).toMatchObject({ code: 0, lines: [{ findings: 0, rows: 4, streams: 3 }] })
  })

  it('is verified to its end by who had begun before', async () => {
    const { next_cursor } = await verifyStream(evidence.db, stream, { limit: 2 })
    await dropMonth()
    const rest = await verifyStream(evidence.db, stream, { cursor: next_cursor ?? undefined })
    expect(rest).toMatchObject({ intact: true, from_seq: 5, to_seq: 7 })
  })

  it.each([
    ['written down', async () => {}],
    ['detached', async () => await evidence.tamper(`alter table audit_log detach partition ${table} concurrently`)],
  ])('is verified while the month is only %s', async (_, more) => {
    await evidence.tamper(`insert into registry.audit_cuts (stream_id, stream_seq, chain_hash, received_at)
      select distinct on (stream_id) stream_id, stream_seq, chain_hash, received_at from ${table} order by stream_id, stream_seq desc`)
    await evidence.tamper(`insert into registry.audit_drops (month, events, streams) values ('${month}-01', 6, 2)`)
    await more()
    expect(await summary()).toEqual([])
    expect(await verifyStream(evidence.db, stream, {})).toMatchObject({ intact: true, to_seq: 7 })
  })

  it('keeps what tells of it, whoever wants it redacted', async () => {
    await dropMonth()
    await tell()
    const { id } = await evidence.db
      .selectFrom('audit_log')
      .select('id')
      .where('action', '=', 'audit_log.month_dropped')
      .executeTakeFirstOrThrow()
    const why = ['--reason', 'Art. 17', '--by', 'jane@breakpilot.com']
    expect(
      await run(['audit-redact', '--event', id, ...why], { DATABASE_URL: evidence.database.ownerUrl }),
    ).toMatchObject({ code: 0, lines: [{ events: 0 }] })
    expect(await summary()).toEqual([])
  })

  it('still shows what is wrong behind its beginning', async () => {
    await dropMonth()
    await tell()
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq = 5`)
    expect(await summary()).toEqual([{ code: 'row_removed', stream_id: stream, stream_seq: 5 }])
  })
})

describe('a beginning that somebody cut off', () => {
  const missing = () => [{ code: 'row_removed', stream_id: stream, stream_seq: 1 }]
  const cutAt = async (seq: number, received_at = longAgo) => {
    await evidence.tamper(
      `insert into registry.audit_cuts (stream_id, stream_seq, chain_hash, received_at)
       select stream_id, stream_seq, chain_hash, $2 from audit_log where stream_id = '${stream}' and stream_seq = $1
       on conflict do nothing`,
      [seq, received_at],
    )
    await evidence.tamper(`delete from audit_log where stream_id = '${stream}' and stream_seq <= $1`, [seq])
  }
  const both = async () => {
    const { intact, findings } = await verifyStream(evidence.db, stream, {})
    expect(intact).toBe(false)
    expect(findings).toMatchObject([{ code: 'row_removed', stream_seq: 1 }])
    return await summary()
  }

  it('is missed although it is written down where it was cut', async () => {
    await cutAt(4)
    expect(await both()).toEqual(missing())
  })

  it('is missed although it is said that its month was dropped: no event tells of it', async () => {
    await cutAt(4)
    await evidence.tamper(`delete from audit_log where stream_id = '${quiet}'`)
    await evidence.tamper(`drop table ${table}`)
    await evidence.tamper(
      `insert into registry.audit_drops (month, events, streams, dropped_at, recorded_at)
       values ('${month}-01', 6, 2, now(), now())`,
    )
    expect(await both()).toEqual(
      [...missing(), { code: 'tail_removed', stream_id: quiet, stream_seq: 1 }].sort((a, b) =>
        a.stream_id < b.stream_id ? -1 : 1,
      ),
    )
  })

  it('is missed where more is gone than what the dropped month had, by the checkpoint after it', async () => {
    await dropMonth()
    await tell()
    await evidence.tamper(`delete from registry.audit_cuts where stream_id = '${stream}'`)
    await cutAt(6)
    expect(await both()).toEqual(missing())
  })
})
