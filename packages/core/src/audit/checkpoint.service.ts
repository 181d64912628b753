import { z } from 'zod'
import type { Db, HousekeepingTx, Reader } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { decodeCursor, type Page, pageLimit, type PageQuery, toPage } from '../page.ts'
import * as checkpoints from './checkpoint.repository.ts'
import {
  type AuditSigningKey,
  type ChainHead,
  type Checkpoint,
  headsMax,
  noRoot,
  signCheckpoint,
} from './checkpoint.ts'
import type { SigningKey } from './signing-key.ts'

/** Tells of a checkpoint outside of the database. It is called again for one that it may have told of already. */
export type PublishCheckpoint = (checkpoint: Checkpoint, heads: readonly ChainHead[]) => void

/**
 * Signs where the streams have come to that changed since they were last in a checkpoint, stores that, and tells of it.
 * Replicas take turns: who does not get the turn does nothing. One that was stored and not told of, because a process
 * ended between the two, is told of by whoever comes next.
 * @returns how many checkpoints were taken
 */
export async function takeCheckpoints(
  db: Db,
  key: SigningKey,
  publish: PublishCheckpoint,
  signal?: AbortSignal,
): Promise<number> {
  await publishAll(db, publish)
  for (let all = 0; ;) {
    const heads = await housekeeping(db, async (tx) => await takeOne(tx, key))
    if (heads > 0) {
      all += 1
      await publishAll(db, publish)
    }
    if (heads < headsMax || signal?.aborted) return all
  }
}

/** Answers how many heads went into it. */
async function takeOne(tx: HousekeepingTx, key: SigningKey): Promise<number> {
  const taken_at = await checkpoints.tryCheckpointTurn(tx)
  if (!taken_at) return 0
  const heads = await checkpoints.listChangedHeads(tx, headsMax)
  if (heads.length === 0) return 0
  const previous = await checkpoints.findLatestCheckpoint(tx)
  await checkpoints.insertSigningKey(tx, key.publicKey)
  const place = { number: (previous?.number ?? 0) + 1, taken_at, previous_root: previous?.root ?? noRoot }
  await checkpoints.insertCheckpoint(tx, signCheckpoint(key, heads, place), heads)
  return heads.length
}

async function publishAll(db: Db, publish: PublishCheckpoint): Promise<void> {
  while (await housekeeping(db, async (tx) => await publishOne(tx, publish)));
}

/** Told first and forgotten then: told twice is harmless, and not at all is not. */
async function publishOne(tx: HousekeepingTx, publish: PublishCheckpoint): Promise<boolean> {
  const number = await checkpoints.lockUnpublished(tx)
  if (number === undefined) return false
  const checkpoint = await checkpoints.findCheckpoint(tx, number)
  if (checkpoint) publish(checkpoint, await checkpoints.listHeads(tx, number, number))
  await checkpoints.deleteUnpublished(tx, number)
  return true
}

const list = 'audit-checkpoints'
const Place = z.string().regex(/^[1-9]\d{0,14}$/)
/** The number tells checkpoints apart. */
const noId = '00000000-0000-0000-0000-000000000000'

/**
 * One page of the checkpoints, newest first.
 * @throws {RegistryError} `page.cursor_invalid`
 */
export async function listCheckpoints(
  db: Reader,
  { limit = pageLimit.default, cursor }: z.output<typeof PageQuery>,
): Promise<Page<Checkpoint>> {
  const before = cursor === undefined ? undefined : Number(decodeCursor(list, {}, cursor, Place).key)
  const rows = await checkpoints.listCheckpointsBefore(db, before, limit + 1)
  return toPage(rows, limit, list, {}, ({ number }) => ({ key: String(number), id: noId }))
}

/** Every public key that checkpoints are or were signed with, the newest first: there is one for every rotation. */
export async function listSigningKeys(db: Reader): Promise<Page<AuditSigningKey>> {
  return { data: await checkpoints.listSigningKeys(db), has_more: false, next_cursor: null }
}
