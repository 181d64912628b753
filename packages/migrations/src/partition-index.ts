import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import { escapeIdentifier } from 'pg'
import { MigrationError } from './migration-error.ts'
import { partitionIndexesOf } from './migration.ts'
import type { CheckedMigration, PartitionIndex } from './migration.ts'
import type { Settings } from './settings.ts'
import { runSql } from './sql-error.ts'
import { transaction } from './transaction.ts'

/** A distributed engine appends to names; this much it leaves us. */
const nameBytesMax = 40

/** What the index of one partition is called: as `registry.create_audit_partition` names those of new partitions. */
export function partitionIndexName(partition: string, index: string): string {
  const name = `${partition}${index.startsWith('audit_log_') ? index.slice('audit_log'.length) : `_${index}`}`
  if (name.length <= nameBytesMax) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, nameBytesMax - 9)}_${digest}`
}

interface Partition {
  readonly schema: string
  readonly name: string
  /** Whether its index hangs on the parent's already. */
  readonly attached: boolean
}

/**
 * Makes indexes on the partitioned `audit_log` without ever blocking its writers, one after the other: an invalid one on
 * the parent only, one per partition concurrently, each attached; with the last the parent's becomes valid. Every part
 * looks first what is there, so that a run that was killed is finished by the next.
 */
export async function createPartitionIndexes(
  client: Client,
  settings: Settings,
  migration: CheckedMigration,
): Promise<void> {
  const file = `${migration.name}.up.sql`
  for (const index of partitionIndexesOf(file, migration.up)) await createPartitionIndex(client, settings, file, index)
}

async function createPartitionIndex(
  client: Client,
  settings: Settings,
  file: string,
  { unique, name, rest }: PartitionIndex,
): Promise<void> {
  const create = unique ? 'create unique index' : 'create index'
  const run = async (sql: string): Promise<void> => runSql(client, settings, file, sql)
  const attach = async (sql: string): Promise<void> => transaction(client, settings, async () => run(sql))

  await attach(`${create} if not exists ${escapeIdentifier(name)} on only public.audit_log ${rest}`)
  // A partition made meanwhile gets its index at its birth or by the next pass.
  for (let pass = 0; pass < 3 && !(await isValid(client, 'public', name)); pass += 1) {
    for (const partition of await partitionsOf(client, name)) {
      if (partition.attached) continue
      const part = partitionIndexName(partition.name, name)
      const qualified = `${escapeIdentifier(partition.schema)}.${escapeIdentifier(part)}`
      const table = `${escapeIdentifier(partition.schema)}.${escapeIdentifier(partition.name)}`
      if ((await isValid(client, partition.schema, part)) === false)
        await run(`drop index concurrently if exists ${qualified}`)
      await run(`${create} concurrently if not exists ${escapeIdentifier(part)} on ${table} ${rest}`)
      await attach(`alter index public.${escapeIdentifier(name)} attach partition ${qualified}`)
      settings.log({ level: 'info', event: 'indexed', message: `indexed ${partition.name}`, partition: partition.name })
    }
  }
  if (!(await isValid(client, 'public', name))) {
    throw new MigrationError('failed', `${file}: index ${name} is still not valid on every partition`)
  }
}

async function isValid(client: Client, schema: string, index: string): Promise<boolean | undefined> {
  const { rows } = await client.query<{ valid: boolean }>(
    `select i.indisvalid as valid
     from pg_catalog.pg_index i
     join pg_catalog.pg_class c on c.oid = i.indexrelid
     where c.relnamespace = to_regnamespace($1) and c.relname = $2`,
    [schema, index],
  )
  return rows[0]?.valid
}

async function partitionsOf(client: Client, index: string): Promise<Partition[]> {
  const { rows } = await client.query<Partition>(
    `select n.nspname as schema, c.relname as name, exists (
       select from pg_catalog.pg_inherits h
       join pg_catalog.pg_index i on i.indexrelid = h.inhrelid
       where i.indrelid = c.oid and h.inhparent = to_regclass('public.' || quote_ident($1))
     ) as attached
     from pg_catalog.pg_inherits p
     join pg_catalog.pg_class c on c.oid = p.inhrelid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where p.inhparent = to_regclass('public.audit_log')
     order by c.relname`,
    [index],
  )
  return rows
}
