import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'pg'
import { codeOf, connect, refuseAborted } from './connection.ts'
import { MigrationError } from './migration-error.ts'
import type { Settings } from './settings.ts'

/** Everyone who migrates a database of ours takes this lock. An advisory lock counts per database. */
const lockKey = '7233187402664913'

const pauseMsMin = 20

// set_config instead of `set local`, because not every PostgreSQL knows every name. What they are for: our own bound
// for table locks, none of the role's bounds for the time a step takes, names and times that mean the same
// everywhere, and a server that notices within two seconds that we were killed, so that the lock does not outlive us.
const configure = `
  select count(set_config(s.name, w.value, true))
  from (values
    ('lock_timeout', $1), ('statement_timeout', '0'), ('transaction_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'), ('search_path', 'public'), ('timezone', 'UTC'), ('datestyle', 'ISO, MDY'), ('standard_conforming_strings', 'on'),
    ('client_connection_check_interval', case when version() ~* 'mingw|visual' then '0' else '2s' end)
  ) as w (name, value)
  join pg_catalog.pg_settings s on lower(s.name) = w.name`

/**
 * Runs `fn` in one transaction that holds the migration lock.
 * Waiting is done by trying again in short transactions: a transaction that waits inside PostgreSQL holds a snapshot,
 * and `create index concurrently` of the process that has the lock would wait for that one in turn.
 * @throws {MigrationError} `lock_timeout` when another process keeps the lock for longer than `lockWaitMs`.
 */
export async function locked<T>(client: Client, settings: Settings, fn: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + settings.lockWaitMs
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, 500)) {
    refuseAborted(settings.signal)
    const outcome = await transaction(client, settings, async () => {
      const { rows } = await client.query<{ locked: boolean }>(
        `select pg_catalog.pg_try_advisory_xact_lock(${lockKey}) as locked`,
      )
      return rows[0]?.locked === true ? { value: await fn() } : undefined
    })
    if (outcome !== undefined) return outcome.value
    if (pauseMs === pauseMsMin) {
      settings.log({ level: 'info', event: 'waiting_for_lock', message: 'waiting while another process migrates' })
    }
    if (performance.now() + pauseMs > deadline) {
      throw new MigrationError('lock_timeout', 'another process has been migrating this database for too long')
    }
    await delay(pauseMs * (0.5 + Math.random() / 2))
  }
}

/** Runs `fn` in one transaction with the settings every step has, without the lock. */
export async function transaction<T>(client: Client, settings: Settings, fn: () => Promise<T>): Promise<T> {
  await client.query('begin isolation level read committed')
  try {
    await client.query(configure, [`${settings.lockTimeoutMs}ms`])
    const value = await interruptible(client, settings, fn)
    refuseAborted(settings.signal)
    await client.query('commit')
    return value
  } catch (error) {
    // On a lost connection there is nothing to roll back, and the first error says more than this one.
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

// `create index concurrently` and its like wait by design, for every older transaction, and hold nobody up meanwhile:
// cut short, they leave a mark and half an index. So none of these may count, not even our own `lock_timeout`.
const limits = `
  select pg_backend_pid() as pid, coalesce(array_agg(name::text order by name), '{}') as names
  from pg_catalog.pg_settings
  where name in ('lock_timeout', 'statement_timeout', 'transaction_timeout') and setting <> '0'`

/**
 * Runs `fn`, whose statements are not in a transaction of ours, on a session without bounds of time.
 * @throws {MigrationError} `usage` before `fn` has begun, when bounds are set that we cannot lift: behind a pooler the
 * session that is told so need not be the one that runs the next statement, and would keep it for a stranger.
 */
export async function unlimited<T>(client: Client, file: string, fn: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ pid: number; names: string[] }>(limits)
  const [found] = rows
  if (found === undefined || found.names.length === 0) return fn()
  // Who answers with another process than the one that greeted us stands behind a pooler.
  if (Reflect.get(client, 'processID') !== found.pid) {
    throw new MigrationError(
      'usage',
      `${file} runs without a transaction, and behind a pooler ${found.names.join(' and ')} would cut it short; ` +
        'migrate over a direct connection, or set it to 0 for the role that migrates',
    )
  }
  await client.query('select set_config(name, $2, false) from unnest($1::text[]) as limits (name)', [found.names, '0'])
  try {
    return await fn()
  } finally {
    // On a lost connection there is nothing left to reset.
    await client.query(found.names.map((name) => `reset ${name}`).join(';')).catch(() => undefined)
  }
}

/** Runs `fn`; when the signal is aborted meanwhile, cancels what the client's backend is doing. */
export async function interruptible<T>(client: Client, settings: Settings, fn: () => Promise<T>): Promise<T> {
  const { signal } = settings
  if (signal === undefined) return fn()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const pid = rows[0]?.pid
  let running = true
  const cancel = (): void => {
    void cancelBackend({ ...settings, waitMs: 0, signal: undefined }, pid, () => running).catch(() => {
      // Whoever cannot ask closes the door: the server rolls back what has no client any more.
      if (running) void client.end().catch(() => undefined)
    })
  }
  signal.addEventListener('abort', cancel, { once: true })
  try {
    refuseAborted(signal)
    return await fn()
  } catch (error) {
    if (signal.aborted && codeOf(error) === '57014') refuseAborted(signal)
    throw error
  } finally {
    running = false
    signal.removeEventListener('abort', cancel)
  }
}

// Asked again until the step has ended: a request that arrives between two statements cancels nothing.
async function cancelBackend(settings: Settings, pid: number | undefined, running: () => boolean): Promise<void> {
  const client = await connect(settings)
  try {
    while (running()) {
      await client.query('select pg_cancel_backend($1)', [pid])
      await delay(100)
    }
  } finally {
    await client.end()
  }
}

const attemptsMax = 5

/** Runs `fn` again, a few times, when it could not have a lock in time: for small work that any writer may be in the way of. */
export async function patiently<T>(settings: Settings, fn: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fn()
    } catch (error) {
      const inTheWay = error instanceof MigrationError && error.code === 'lock_timeout'
      if (!inTheWay || attempt === attemptsMax) throw error
      settings.log({ level: 'info', event: 'waiting_for_lock', message: 'a writer is in the way; trying again' })
      await delay(200 * attempt, undefined, { signal: settings.signal })
    }
  }
}
