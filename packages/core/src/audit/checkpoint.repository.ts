import { sql, type SqlBool } from 'kysely'
import type { HousekeepingTx, Reader } from '../db/handles.ts'
import type { AuditSigningKey, ChainHead, Checkpoint } from './checkpoint.ts'
import type { VerificationKey } from './signing-key.ts'

const columns = ['number', 'taken_at', 'head_count', 'root', 'previous_root', 'key_id', 'signature'] as const

/** Everybody who takes checkpoints wants this lock. The number is arbitrary and ours alone. */
const turn = 7_268_302_092

/** Takes the turn for checkpoints until the transaction ends, and tells the time. Answers nothing when another has it. */
export async function tryCheckpointTurn(tx: HousekeepingTx): Promise<Date | undefined> {
  const asked = sql<{ granted: boolean; now: Date }>`(
    select pg_try_advisory_xact_lock(${sql.lit(turn)}) as granted, clock_timestamp()::timestamptz(3) as now
  )`.as('turn')
  const { granted, now } = await tx.selectFrom(asked).select(['granted', 'now']).executeTakeFirstOrThrow()
  return granted ? now : undefined
}

/** The heads of the streams that have moved since they were last in a checkpoint, in the order of the streams. */
export async function listChangedHeads(tx: HousekeepingTx, rowsMax: number): Promise<ChainHead[]> {
  return await tx
    .selectFrom('registry.audit_streams as head')
    .leftJoin('registry.audit_checkpointed as known', 'known.stream_id', 'head.stream_id')
    .select(['head.stream_id', 'head.last_seq as stream_seq', 'head.last_hash as chain_hash'])
    .where(() => sql<SqlBool>`head.last_seq > coalesce(known.stream_seq, 0)`)
    .orderBy('head.stream_id')
    .limit(rowsMax)
    .execute()
}

export async function findLatestCheckpoint(db: Reader): Promise<Checkpoint | undefined> {
  return await db
    .selectFrom('registry.audit_checkpoints')
    .select(columns)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export async function findCheckpoint(db: Reader, number: number): Promise<Checkpoint | undefined> {
  return await db
    .selectFrom('registry.audit_checkpoints')
    .select(columns)
    .where('number', '=', number)
    .executeTakeFirst()
}

/** Checkpoints in the order of their numbers, after this one. */
export async function listCheckpointsAfter(db: Reader, number: number, rowsMax: number): Promise<Checkpoint[]> {
  return await db
    .selectFrom('registry.audit_checkpoints')
    .select(columns)
    .where('number', '>', number)
    .orderBy('number')
    .limit(rowsMax)
    .execute()
}

/** Checkpoints, newest first, before this one. */
export async function listCheckpointsBefore(
  db: Reader,
  number: number | undefined,
  rowsMax: number,
): Promise<Checkpoint[]> {
  return await db
    .selectFrom('registry.audit_checkpoints')
    .select(columns)
    .$if(number !== undefined, (query) => query.where('number', '<', number ?? 0))
    .orderBy('number', 'desc')
    .limit(rowsMax)
    .execute()
}

/** Those of these that there are. */
export async function listCheckpoints(db: Reader, numbers: readonly number[]): Promise<Checkpoint[]> {
  return await db
    .selectFrom('registry.audit_checkpoints')
    .select(columns)
    .where(() => sql<SqlBool>`number = any(${numbers}::bigint[])`)
    .execute()
}

/** The heads of checkpoints, by their numbers and in the order of the streams. */
export async function listHeads(
  db: Reader,
  first: number,
  last: number,
): Promise<(ChainHead & { readonly number: number })[]> {
  return await db
    .selectFrom('registry.audit_checkpoint_heads')
    .select(['number', 'stream_id', 'stream_seq', 'chain_hash'])
    .where('number', '>=', first)
    .where('number', '<=', last)
    .orderBy('number')
    .orderBy('stream_id')
    .execute()
}

/** Stores a checkpoint with its heads, and that it has not been told of yet. */
export async function insertCheckpoint(
  tx: HousekeepingTx,
  checkpoint: Checkpoint,
  heads: readonly ChainHead[],
): Promise<void> {
  await tx.insertInto('registry.audit_checkpoints').values(checkpoint).execute()
  const each = sql<ChainHead>`unnest(
    ${heads.map(({ stream_id }) => stream_id)}::uuid[],
    ${heads.map(({ stream_seq }) => stream_seq)}::bigint[],
    ${heads.map(({ chain_hash }) => chain_hash)}::bytea[]
  )`.as<'head'>(sql`head (stream_id, stream_seq, chain_hash)`)
  await tx
    .insertInto('registry.audit_checkpoint_heads')
    .columns(['stream_id', 'stream_seq', 'chain_hash', 'number'])
    .expression(
      tx
        .selectFrom(each)
        .select(['head.stream_id', 'head.stream_seq', 'head.chain_hash', sql.lit(checkpoint.number).as('number')]),
    )
    .execute()
  await tx
    .insertInto('registry.audit_checkpointed')
    .columns(['stream_id', 'stream_seq'])
    .expression(tx.selectFrom(each).select(['head.stream_id', 'head.stream_seq']))
    .onConflict((conflict) =>
      conflict.column('stream_id').doUpdateSet((eb) => ({ stream_seq: eb.ref('excluded.stream_seq') })),
    )
    .execute()
  await tx.insertInto('registry.audit_checkpoints_unpublished').values({ number: checkpoint.number }).execute()
}

/** The first checkpoint that has not been told of and that nobody else is telling of, until the transaction ends. */
export async function lockUnpublished(tx: HousekeepingTx): Promise<number | undefined> {
  const row = await tx
    .selectFrom('registry.audit_checkpoints_unpublished')
    .select('number')
    .orderBy('number')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
  return row?.number
}

export async function deleteUnpublished(tx: HousekeepingTx, number: number): Promise<void> {
  await tx.deleteFrom('registry.audit_checkpoints_unpublished').where('number', '=', number).execute()
}

/** Keeps a public key, so that what it verifies can be verified when it is no longer used. */
export async function insertSigningKey(tx: HousekeepingTx, key: VerificationKey): Promise<void> {
  await tx
    .insertInto('registry.audit_signing_keys')
    .values({ key_id: key.id, public_key: key.pem })
    .onConflict((conflict) => conflict.column('key_id').doNothing())
    .execute()
}

/** Every key that signed a checkpoint, the newest first. */
export async function listSigningKeys(db: Reader): Promise<AuditSigningKey[]> {
  return await db
    .selectFrom('registry.audit_signing_keys')
    .select(['key_id', 'public_key', 'first_used_at'])
    .orderBy('first_used_at', 'desc')
    .orderBy('key_id')
    .execute()
}
