import type { Client } from 'pg'
import { months, monthsBefore, reasonToKeep, tableOf } from './audit-months.ts'
import type { Month } from './audit-months.ts'
import { MigrationError } from './migration-error.ts'
import type { Settings } from './settings.ts'
import { asMigrationError, runSql } from './sql-error.ts'
import { interruptible, patiently, transaction } from './transaction.ts'

/** A month of the log, and what was in it. */
export interface DroppedMonth {
  /** `2025-01`. */
  readonly month: string
  readonly events: number
  readonly streams: number
}

export interface RetentionOutcome {
  /** What is gone, or would be, the oldest first. */
  readonly dropped: readonly DroppedMonth[]
  /** The first month that stays although it is over, and why. */
  readonly next?: { readonly month: string; readonly reason: string }
  /** Whether another process is at it: then nothing was done here. */
  readonly busy: boolean
}

/** Whoever drops months holds this for as long as the session lasts: a part of it is in no transaction. */
const turn = '7268302095'

/**
 * Drops the months of the log that no plan keeps any longer, the oldest first, up to the first one that has to stay:
 * what is dropped is the beginning of every chain, never something from its middle.
 *
 * Each goes in steps that can be taken again after a kill: where the chains begin is written down together with the
 * intention, the partition is detached without keeping anybody from the log, and dropped together with the note that it
 * is gone, from which a server makes an event.
 */
export async function dropOldMonths(client: Client, settings: Settings, dryRun: boolean): Promise<RetentionOutcome> {
  await assertSchema(client)
  if (!(await ask(client, `select pg_try_advisory_lock(${turn}) as yes`))) return { dropped: [], busy: true }
  try {
    const dropped: DroppedMonth[] = dryRun ? [] : await finishBegun(client, settings)
    for (const month of await monthsBefore(client)) {
      const reason = await reasonToKeep(client, month)
      if (reason !== undefined) return { dropped, next: { month: month.name, reason }, busy: false }
      const counts = await countsOf(client, month)
      if (!dryRun) {
        await begin(client, settings, month)
        await detach(client, settings, month)
        const held = await drop(client, settings, month)
        if (held !== undefined) return { dropped, next: { month: month.name, reason: held }, busy: false }
      }
      dropped.push({ month: month.name, ...counts })
    }
    return { dropped, busy: false }
  } finally {
    await client.query(`select pg_advisory_unlock(${turn})`).catch(() => undefined)
  }
}

/** @throws {MigrationError} `usage` where there is nothing yet that says how long the log is kept */
async function assertSchema(client: Client): Promise<void> {
  if (await ask(client, `select to_regclass('registry.audit_drops') is not null as yes`)) return
  throw new MigrationError('usage', 'the database does not know how long the log is kept: run up first')
}

/** What an earlier run that was killed had begun: a partition that is half detached, or detached and still there. */
async function finishBegun(client: Client, settings: Settings): Promise<DroppedMonth[]> {
  const done: DroppedMonth[] = []
  for (const month of await months(client, 'begun')) {
    if (month.state === 'pending') await detach(client, settings, month)
    const counts = await countsOf(client, month)
    if ((await drop(client, settings, month)) === undefined) done.push({ month: month.name, ...counts })
  }
  return done
}

async function countsOf(client: Client, month: Month): Promise<Omit<DroppedMonth, 'month'>> {
  const { rows } = await client.query<{ events: string; streams: string }>(
    `select count(*) as events, count(distinct stream_id) as streams from ${tableOf(month)}`,
  )
  return { events: Number(rows[0]?.events ?? 0), streams: Number(rows[0]?.streams ?? 0) }
}

/** Writes down where the chain of each stream begins once the month is gone. */
async function begin(client: Client, settings: Settings, month: Month): Promise<void> {
  const table = tableOf(month)
  await transaction(client, settings, async () => {
    await client.query(`
      insert into registry.audit_cuts (stream_id, stream_seq, chain_hash, received_at)
      select last.stream_id, last.stream_seq, last.chain_hash, last.received_at
      from registry.audit_streams head cross join lateral (
        select stream_id, stream_seq, chain_hash, received_at from ${table} part
        where part.stream_id = head.stream_id order by stream_seq desc limit 1
      ) last
      on conflict do nothing`)
    await client.query(
      `insert into registry.audit_drops (month, events, streams, last_received_at)
       select $1::date, count(*), count(distinct stream_id), max(received_at) from ${table}
       on conflict (month) do update set events = excluded.events, streams = excluded.streams,
         last_received_at = excluded.last_received_at, begun_at = now()`,
      [month.first],
    )
  })
}

/** How long a statement may wait for others' locks: others wait behind it meanwhile. */
const lockTimeout = '2s'

/**
 * Takes a partition out of the log. Readers and writers go on meanwhile; it waits for those that began before. A wait
 * that is cut short leaves it half done, which `finalize` completes.
 */
async function detach(client: Client, settings: Settings, month: Month): Promise<void> {
  const table = tableOf(month)
  await client.query(
    `select set_config('lock_timeout', '${lockTimeout}', false), set_config('statement_timeout', '0', false)`,
  )
  try {
    await patiently(settings, async () => {
      const [now] = (await months(client, 'all')).filter(({ name }) => name === month.name)
      if (now?.state === 'detached') return
      const how = now?.state === 'pending' ? 'finalize' : 'concurrently'
      await interruptible(client, settings, () =>
        runSql(
          client,
          settings,
          `detaching ${month.name}`,
          `alter table public.audit_log detach partition ${table} ${how}`,
        ),
      )
    })
  } finally {
    await client.query('reset lock_timeout; reset statement_timeout').catch(() => undefined)
  }
}

/**
 * Drops a partition that is detached, unless somebody has put a hold on one of its streams meanwhile: then it becomes
 * a part of the log again.
 * @returns why it stays, if it does
 */
async function drop(client: Client, settings: Settings, month: Month): Promise<string | undefined> {
  const table = tableOf(month)
  const work = async (): Promise<string | undefined> => {
    try {
      // From here on nobody puts a hold on anything.
      await client.query(`set local lock_timeout = '${lockTimeout}'; lock table registry.legal_holds in share mode`)
      const held = await holdOn(client, month)
      if (held === undefined) {
        await client.query(`drop table ${table}`)
        await client.query('update registry.audit_drops set dropped_at = now() where month = $1', [month.first])
        return undefined
      }
      await client.query(
        `alter table public.audit_log attach partition ${table} for values from ('${month.first} 00:00:00+00') to ('${month.end} 00:00:00+00')`,
      )
      await client.query('delete from registry.audit_drops where month = $1', [month.first])
      await client.query('delete from registry.audit_cuts where received_at >= $1 and received_at < $2', [
        `${month.first} 00:00:00+00`,
        `${month.end} 00:00:00+00`,
      ])
      return held
    } catch (error) {
      throw asMigrationError(error, `dropping ${month.name}`)
    }
  }
  return patiently(settings, () => transaction(client, settings, work))
}

async function holdOn(client: Client, month: Month): Promise<string | undefined> {
  const { rows } = await client.query<{ stream_id: string }>(
    `select stream_id from registry.legal_holds hold
     where exists (select from ${tableOf(month)} part where part.stream_id = hold.stream_id) limit 1`,
  )
  return rows[0] && `stream ${rows[0].stream_id} is under a legal hold`
}

async function ask(client: Client, question: string): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(question)
  return rows[0]?.yes === true
}
