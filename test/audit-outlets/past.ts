import { Client } from 'pg'
import type { TestDatabase } from '../postgres/database.ts'

/** Events that came in at some time in the past: nobody can append such, so they are written as the owner. */
export interface PastEvents {
  /** The stream, which is a tenant's if there is a tenant of this id. */
  readonly stream: string
  readonly product?: string
  /** When the first and the last of them came in, and how many there are in between, evenly. */
  readonly from: Date
  readonly to?: Date
  readonly count?: number
}

/** Runs SQL as the owner of the schema. */
export async function asOwner<Row extends object>(
  { ownerUrl }: Pick<TestDatabase, 'ownerUrl'>,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/** Makes the partitions of these months where they are missing: `2024-01-01`. */
export async function makeMonths(database: TestDatabase, ...months: string[]): Promise<void> {
  await asOwner(
    database,
    `select registry.create_audit_partition(month) from unnest($1::date[]) as month
     where to_regclass('registry.audit_log_' || to_char(month, 'YYYY_MM')) is null`,
    [months],
  )
}

/** Writes events into the past of streams, and moves their heads behind them. Their chain is none. */
export async function writePast({ ownerUrl }: TestDatabase, ...past: readonly PastEvents[]): Promise<void> {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    for (const events of past) await write(client, events)
  } finally {
    await client.end()
  }
}

async function write(
  client: Client,
  { stream, product = 'certifai', from, to = from, count = 1 }: PastEvents,
): Promise<void> {
  await client.query(
    `with head as (
       insert into registry.audit_streams (stream_id) values ($1::uuid) on conflict (stream_id) do update set last_seq = audit_streams.last_seq
       returning last_seq
     ),
     rows as (
       insert into audit_log (id, stream_id, stream_seq, received_at, canonical_at, tenant_id, product, environment, action, crud,
         group_id, group_name, actor_id, target_id, description, fields, metadata, chain_version, personal_digest, prev_hash, chain_hash, search)
       select gen_random_uuid(), $1::uuid, last_seq + n, at, at, (select id from tenants where id = $1::uuid), $2, 'live', 'document.read', 'r',
         $1::uuid::text, 'Somebody', 'jane-' || n, 'doc-' || n, 'Something happened to a document', '{"10":"x","2":"y","name":"value"}', null, 1,
         sha256(n::text::bytea), sha256('before'), sha256(($1::uuid::text || n)::bytea), to_tsvector('simple', 'document') || array_to_tsvector(array[$1::uuid::text, 'document.read'])
       from head, generate_series(1, $5::integer) n, lateral (
         select $3::timestamptz + ($4::timestamptz - $3::timestamptz) * ((n - 1)::float / greatest($5 - 1, 1)) as at
       ) moment
       returning stream_seq, chain_hash, received_at
     )
     select max(stream_seq) from rows`,
    [stream, product, from, to, count],
  )
  await client.query(
    `update registry.audit_streams set (last_seq, last_hash, last_received_at) = (
       select stream_seq, chain_hash, received_at from audit_log where stream_id = $1 order by stream_seq desc limit 1
     ) where stream_id = $1`,
    [stream],
  )
}
