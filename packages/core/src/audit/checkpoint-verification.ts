import type { Reader } from '../db/handles.ts'
import * as checkpoints from './checkpoint.repository.ts'
import { type ChainHead, type Checkpoint, isSignedBy, noRoot, rootOf } from './checkpoint.ts'
import { parseVerificationKeys, SigningKeyError, type VerificationKey } from './signing-key.ts'
import { type Finding, finding } from './verification-finding.ts'
import { type CheckpointedPlace, listCheckpointedPlaces, placeBefore } from './verification.repository.ts'

/** The keys that are trusted, by their ids. */
export type TrustedKeys = ReadonlyMap<string, VerificationKey>

export const trusted = (keys: readonly VerificationKey[]): TrustedKeys => new Map(keys.map((key) => [key.id, key]))

/** The keys that the database names: as good as the database. */
export async function keysOfDatabase(db: Reader): Promise<TrustedKeys> {
  const rows = await checkpoints.listSigningKeys(db)
  return trusted(rows.flatMap(({ public_key }) => readable(public_key)))
}

/** What is no key verifies nothing, so whatever names it is found. */
function readable(pem: string): VerificationKey[] {
  try {
    return parseVerificationKeys(pem)
  } catch (error) {
    if (error instanceof SigningKeyError) return []
    throw error
  }
}

/** What is wrong with a checkpoint in itself. */
export function problemOfSignature(keys: TrustedKeys, checkpoint: Checkpoint): Finding | undefined {
  const { number, key_id } = checkpoint
  const key = keys.get(key_id)
  if (!key) {
    const message = `checkpoint ${number} names the key ${key_id}, which is not one of the keys that it is verified by`
    return finding('checkpoint_key_unknown', message, { checkpoint: number })
  }
  if (isSignedBy(key, checkpoint)) return undefined
  const message = `the signature of checkpoint ${number} is not one of what it says`
  return finding('checkpoint_invalid', message, { checkpoint: number })
}

/** Whether these are the heads that a checkpoint was taken of. */
export function problemOfHeads(checkpoint: Checkpoint, heads: readonly ChainHead[]): Finding | undefined {
  const { number, root, head_count } = checkpoint
  if (heads.length === head_count && rootOf(heads).equals(root)) return undefined
  const message = `the heads that are stored of checkpoint ${number} are not the ones that it was taken of`
  return finding('checkpoint_heads_changed', message, { checkpoint: number })
}

/** How many checkpoints are read at a time, heads of them, and streams. */
const atOnce = { checkpoints: 500, heads: 20_000, places: 10_000 } as const

/** What a walk over all checkpoints came to. */
export interface CheckpointsVerified {
  readonly checkpoints: number
  readonly last: Checkpoint | undefined
}

/** Verifies every checkpoint of the database: its signature, its heads, and that it names the one before it. */
export async function verifyCheckpoints(
  db: Reader,
  keys: TrustedKeys,
  report: (found: Finding) => void,
): Promise<CheckpointsVerified> {
  let previous: Pick<Checkpoint, 'number' | 'root'> = { number: 0, root: noRoot }
  let last: Checkpoint | undefined
  let count = 0
  for (;;) {
    const page = await checkpoints.listCheckpointsAfter(db, previous.number, atOnce.checkpoints)
    for (const part of inParts(page)) {
      const heads = await headsOf(db, part)
      for (const checkpoint of part) {
        const problems = [
          problemOfSequence(previous, checkpoint),
          problemOfSignature(keys, checkpoint),
          problemOfHeads(checkpoint, heads.get(checkpoint.number) ?? []),
        ]
        for (const problem of problems) if (problem) report(problem)
        previous = checkpoint
        last = checkpoint
        count += 1
      }
    }
    if (page.length < atOnce.checkpoints) break
  }
  await verifyCheckpointedPlaces(db, report)
  return { checkpoints: count, last }
}

/**
 * Whether each stream is in a checkpoint up to where it was in one: the last checkpoints can be taken out without leaving
 * a gap between the others.
 */
async function verifyCheckpointedPlaces(db: Reader, report: (found: Finding) => void): Promise<void> {
  let after: string = placeBefore().stream_id
  for (;;) {
    const page = await listCheckpointedPlaces(db, after, atOnce.places)
    for (const problem of page.flatMap(problemOfPlace)) report(problem)
    const last = page.at(-1)
    if (!last || page.length < atOnce.places) return
    after = last.stream_id
  }
}

/** What is wrong with the place up to which a stream was in a checkpoint. */
export function problemOfPlace({ stream_id, stream_seq, is_certified }: CheckpointedPlace): Finding[] {
  if (is_certified) return []
  const message = `the checkpoint that had the stream up to ${stream_seq} is missing`
  return [finding('checkpoint_removed', message, { stream_id, stream_seq })]
}

function problemOfSequence(
  previous: Pick<Checkpoint, 'number' | 'root'>,
  { number, previous_root }: Checkpoint,
): Finding | undefined {
  const missing = number - previous.number - 1
  if (missing > 0) {
    const message = `${missing} checkpoints are missing before checkpoint ${number}`
    return finding('checkpoint_removed', message, { checkpoint: previous.number + 1 })
  }
  if (previous_root.equals(previous.root)) return undefined
  const message = `checkpoint ${number} was taken after another checkpoint ${previous.number} than the one that is there`
  return finding('checkpoint_replaced', message, { checkpoint: previous.number })
}

/** Checkpoints that follow each other, with not too many heads at once. */
function* inParts(page: readonly Checkpoint[]): Generator<Checkpoint[]> {
  let part: Checkpoint[] = []
  let heads = 0
  for (const checkpoint of page) {
    if (part.length > 0 && heads + checkpoint.head_count > atOnce.heads) {
      yield part
      part = []
      heads = 0
    }
    part.push(checkpoint)
    heads += checkpoint.head_count
  }
  if (part.length > 0) yield part
}

async function headsOf(db: Reader, part: readonly Checkpoint[]): Promise<Map<number, ChainHead[]>> {
  const [first, last] = [part[0], part.at(-1)]
  if (!first || !last) return new Map()
  return Map.groupBy(await checkpoints.listHeads(db, first.number, last.number), ({ number }) => number)
}
