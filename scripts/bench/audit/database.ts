import { createMigrator } from '@breakpilot/tenant-migrations'
import { Client } from 'pg'
import { discardCluster, openCluster } from '../../postgres/cluster.ts'
import { installedPostgres } from '../../postgres/installation.ts'
import { startPostgres } from '../../postgres/server.ts'
import {
  countScope,
  ingredients,
  insertEvents,
  insertHeads,
  insertTenants,
  largeTenant,
  otherStreams,
  products,
  wordFunction,
} from './events.ts'

/** A log of its own, and the server that it is on. */
export interface AuditDatabase {
  readonly url: string
  /** PostgreSQL's version and settings. */
  readonly description: string
  readonly rows: number
  /** How long it took to count a scope before anything was vacuumed, in milliseconds; empty when that was not seen. */
  readonly unvacuumed: readonly number[]
  /** Starts the server anew, so that nothing is in its buffers. What the system keeps of its files stays. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** What is not as PostgreSQL has it by itself. fsync stays on. */
const settings = {
  shared_buffers: '4GB',
  effective_cache_size: '12GB',
  max_wal_size: '16GB',
  checkpoint_timeout: '30min',
  random_page_cost: '1.1',
  // What was vacuumed, and when, is to be said.
  autovacuum: 'off',
} as const

const databaseName = 'bench'
/** How many events are written in one transaction. */
const batch = 100_000

export interface AuditDatabaseOptions {
  /** Whether the folder stays. */
  readonly keep: boolean
  /** The folder that PostgreSQL is installed in; the embedded one if empty. */
  readonly postgres: string
}

/**
 * Opens the log with so many events, made first if it is not there: in a folder of its own. A run that was stopped is taken
 * up where it was.
 */
export async function openAuditDatabase(
  rows: number,
  { keep, postgres }: AuditDatabaseOptions,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<AuditDatabase> {
  const installation = postgres === '' ? undefined : await installedPostgres(postgres)
  const name = ['bench-audit', rows, ...(installation ? [installation.majorVersion] : [])].join('-')
  const cluster = await openCluster(name, { durable: true, ...(installation && { installation }) })
  let server = await startPostgres(cluster, { settings })
  const close = async () => {
    await server.stop()
    if (!keep) discardCluster(cluster)
  }
  try {
    await asOwner(server.url(), async (admin) => {
      const there = await admin.query('select from pg_database where datname = $1', [databaseName])
      if (there.rowCount === 0) await admin.query(`create database ${databaseName} template template0 encoding 'UTF8'`)
    })
    await createMigrator({ connectionString: server.url(databaseName), runtimeRole: undefined }).up()
    const unvacuumed = await asOwner(server.url(databaseName), async (owner) => await fill(owner, rows, signal, say))
    const built = await asOwner(server.url(), builtOf)
    const origin = installation ? 'installed' : 'embedded'
    const set = Object.entries(settings).map(([key, value]) => `\`${key}=${value}\``)
    return {
      get url() {
        return server.url(databaseName)
      },
      description: `PostgreSQL ${built} (${origin}, on the same machine, fsync on, ${set.join(', ')})`,
      rows,
      unvacuumed,
      async restart() {
        await server.stop()
        server = await startPostgres(cluster, { settings, preferredPort: server.port })
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** PostgreSQL's version, and how far its compiler went. */
async function builtOf(admin: Client): Promise<string> {
  const { rows } = await admin.query<{ version: string; flags: string | null }>(
    `select current_setting('server_version') as version,
       (select substring(setting from '.*(-O[^ ]*)') from pg_config where name = 'CFLAGS') as flags`,
  )
  const [{ version, flags } = { version: 'unknown', flags: null }] = rows
  return flags === null ? version : `${version}, built with \`${flags}\``
}

export async function asOwner<T>(url: string, work: (owner: Client) => Promise<T>): Promise<T> {
  const owner = new Client({ connectionString: url })
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}

/** Indexes are made last: with all of them in place the rows would take an hour. */
async function fill(owner: Client, rows: number, signal: AbortSignal, say: (text: string) => void): Promise<number[]> {
  await owner.query(
    'create schema if not exists bench; create table if not exists bench.done (step text primary key, detail text)',
  )
  const once = async (step: string, work: () => Promise<string | void>) => {
    signal.throwIfAborted()
    if ((await owner.query('select from bench.done where step = $1', [step])).rowCount) return
    say(step)
    const detail = await work()
    await owner.query('insert into bench.done values ($1, $2)', [step, detail])
  }
  await owner.query("set maintenance_work_mem = '1GB'; set work_mem = '64MB'")
  await once('tenants', async () => {
    await owner.query('alter table tenants disable trigger user')
    await owner.query(insertTenants, [otherStreams.tenants, products])
    await owner.query('alter table tenants enable trigger user')
  })
  await once('words and actions', async () => {
    await owner.query(wordFunction)
    await owner.query(ingredients)
  })
  await once('partitions', async () => {
    await owner.query(
      `select registry.create_audit_partition(month::date) from generate_series(
         date_trunc('month', now() at time zone 'UTC') - interval '23 months', date_trunc('month', now() at time zone 'UTC') - interval '1 month', interval '1 month') month
       where to_regclass('registry.audit_log_' || to_char(month, 'YYYY_MM')) is null`,
    )
    // The months lie before the end of this one.
    return new Date(Date.now()).toISOString()
  })
  await once('indexes put away', async () => {
    await owner.query(
      `create table bench.indexes as select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
       from pg_index i join pg_class c on c.oid = i.indexrelid
       where i.indrelid = 'public.audit_log'::regclass and not i.indisprimary`,
    )
    const { rows: names } = await owner.query<{ name: string }>('select name from bench.indexes')
    for (const { name } of names) await owner.query(`drop index public.${name}`)
  })
  const { rows: made } = await owner.query<{ detail: string }>(
    "select detail from bench.done where step = 'partitions'",
  )
  const end = made[0]?.detail
  // The tenants are there, and asking for each of them would take as long as the rest.
  await owner.query('set session_replication_role = replica')
  for (let from = 0; from < rows; from += batch) {
    const to = Math.min(from + batch, rows) - 1
    await once(`events to ${(to + 1).toLocaleString('en')}`, async () => {
      await owner.query(insertEvents, [from, to, rows, end])
    })
  }
  await once('heads of streams', async () => {
    await owner.query(insertHeads)
  })
  await owner.query('set session_replication_role = origin')
  const { rows: indexes } = await owner.query<{ name: string; definition: string }>('select * from bench.indexes')
  for (const { name, definition } of indexes) {
    await once(`index ${name}`, async () => {
      await owner.query(definition.replace(' ON ONLY ', ' ON '))
    })
  }
  await once('analyze', async () => {
    await owner.query('analyze audit_log')
  })
  // Whoever looks after the log by himself would have been here already.
  await once('count before vacuum', async () => {
    const times: number[] = []
    for (let time = 0; time < 8; time += 1) {
      const startedAt = performance.now()
      await owner.query(countScope, [largeTenant])
      if (time >= 3) times.push(performance.now() - startedAt)
    }
    return JSON.stringify(times)
  })
  await once('vacuum', async () => {
    await owner.query('vacuum')
  })
  if (end !== undefined) await discardLater(owner, end, say)
  await owner.query('checkpoint')
  const counted = await owner.query<{ detail: string }>(
    "select detail from bench.done where step = 'count before vacuum'",
  )
  return JSON.parse(counted.rows[0]?.detail ?? '[]') as number[]
}

/**
 * Discards what earlier runs have published to a log that was kept: with millions of events more it is another log, and
 * what they all say, again and again, makes other indexes.
 * @param end when the log was made: everything that was made comes before it
 */
async function discardLater(owner: Client, end: string, say: (text: string) => void): Promise<void> {
  const { rows: partitions } = await owner.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent = 'public.audit_log'::regclass
       and inhrelid::regclass::text >= 'registry.audit_log_' || to_char($1::timestamptz at time zone 'UTC', 'YYYY_MM')`,
    [end],
  )
  const later: string[] = []
  for (const { name } of partitions) {
    const found = await owner.query(`select from ${name} where received_at > $1 limit 1`, [end])
    if (found.rowCount) later.push(name)
  }
  if (later.length === 0) return
  say('what earlier runs have published goes')
  // Whoever is stopped on the way has discarded nothing.
  await owner.query('begin')
  await owner.query('set local session_replication_role = replica')
  for (const name of later) {
    await owner.query(`create temporary table made as select * from ${name} limit 0`)
    await owner.query(`insert into made select * from ${name} where received_at <= $1`, [end])
    await owner.query(`truncate ${name}`)
    await owner.query(`insert into ${name} select * from made`)
    await owner.query('drop table made')
  }
  await owner.query(
    `truncate registry.audit_streams, registry.audit_entities, registry.audit_dedup, registry.audit_checkpoints,
      registry.audit_checkpoint_heads, registry.audit_checkpoints_unpublished, registry.audit_checkpointed`,
  )
  await owner.query(insertHeads)
  await owner.query('commit')
  await owner.query(`vacuum analyze registry.audit_streams, ${later.join(', ')}`)
}
