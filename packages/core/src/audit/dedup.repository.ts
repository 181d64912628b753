import { sql } from 'kysely'
import { type HousekeepingTx, unwrap } from '../db/handles.ts'
import type { EventId } from '../id.ts'

/** For how many days what was acknowledged is known again. */
const dedupDays = 7

/** What was acknowledged under a key that may come once. */
export interface Acknowledged {
  /** SHA-256 of the key and of whose it is. */
  readonly digest: Buffer
  /** SHA-256 of what was sent. */
  readonly fingerprint: Buffer
  readonly event_ids: readonly EventId[]
  /** Of the events, in the same order. */
  readonly hashes: readonly Buffer[]
}

/**
 * Claims keys until the transaction ends, and answers what stood under those that were claimed before, by digest in
 * hexadecimal digits. Who claims the same keys at the same time waits for this transaction.
 */
export async function claim(tx: HousekeepingTx, claims: readonly Acknowledged[]): Promise<Map<string, Acknowledged>> {
  if (claims.length === 0) return new Map()
  // In order, so that two who claim the same ones do not wait in a circle.
  const sorted = claims.toSorted((a, b) => Buffer.compare(a.digest, b.digest))
  const { rows: fresh } = await sql<{ digest: Buffer }>`
    insert into registry.audit_dedup as known (digest, fingerprint, event_ids, hashes)
    select digest, fingerprint, event_ids::uuid[], hashes::bytea[]
    from unnest(
      ${sorted.map(({ digest }) => digest)}::bytea[],
      ${sorted.map(({ fingerprint }) => fingerprint)}::bytea[],
      ${sorted.map((each) => arrayText(each.event_ids))}::text[],
      ${sorted.map((each) => arrayText(each.hashes.map(byteaText)))}::text[]
    ) with ordinality as said (digest, fingerprint, event_ids, hashes, at)
    order by at
    on conflict (digest) do update
    set fingerprint = excluded.fingerprint, event_ids = excluded.event_ids, hashes = excluded.hashes, created_at = now()
    where known.created_at < now() - make_interval(days => ${sql.lit(dedupDays)})
    returning digest`.execute(unwrap(tx))
  if (fresh.length === claims.length) return new Map()
  const claimed = new Set(fresh.map(({ digest }) => digest.toString('hex')))
  const others = sorted.filter(({ digest }) => !claimed.has(digest.toString('hex')))
  // A statement of its own: it sees what was committed while the first one waited.
  const { rows } = await sql<Acknowledged>`
    select digest, fingerprint, event_ids, hashes from registry.audit_dedup
    where digest = any(${others.map(({ digest }) => digest)}::bytea[])`.execute(unwrap(tx))
  return new Map(rows.map((row) => [row.digest.toString('hex'), row]))
}

/** Corrects what a claim of this transaction stands for. */
export async function correctClaim(tx: HousekeepingTx, { digest, event_ids, hashes }: Acknowledged): Promise<void> {
  await sql`
    update registry.audit_dedup
    set event_ids = ${arrayText(event_ids)}::uuid[], hashes = ${arrayText(hashes.map(byteaText))}::bytea[]
    where digest = ${digest}`.execute(unwrap(tx))
}

/** How many rows one statement deletes: it has to end long before it would be cancelled. */
const rowsMax = 5_000

/** Deletes what is too old to be asked about, and answers how many. */
export async function deleteOldClaims(tx: HousekeepingTx): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from registry.audit_dedup where digest = any(array(
      select digest from registry.audit_dedup
      where created_at < now() - make_interval(days => ${sql.lit(dedupDays)})
      limit ${sql.lit(rowsMax)} for update skip locked
    ))`.execute(unwrap(tx))
  return Number(numAffectedRows ?? 0)
}

/** Arrays of different lengths are no array of arrays in SQL: each goes as a text. */
const arrayText = (items: readonly string[]) => `{${items.join(',')}}`
const byteaText = (bytes: Buffer) => `"\\\\x${bytes.toString('hex')}"`
