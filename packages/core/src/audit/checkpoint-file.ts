import type { Reader } from '../db/handles.ts'
import type { StreamId } from '../id.ts'
import { parseCheckpointLine } from './checkpoint-lines.ts'
import { problemOfHeads, problemOfSignature, type TrustedKeys } from './checkpoint-verification.ts'
import { listCheckpoints, listHeads } from './checkpoint.repository.ts'
import type { ChainHead, Checkpoint } from './checkpoint.ts'
import { type Finding, finding } from './verification-finding.ts'
import type { CertifiedHead } from './verification.ts'

/** The lines of a log of the server, from the beginning at each call. */
export type CheckpointLines = () => AsyncIterable<string>

/** What lines of the server's log say and the database does not. */
export interface VerifiedLines {
  /** How many checkpoints they have. */
  readonly checkpoints: number
  /** The heads of the checkpoints that the database does not have like that, in the order of their places. */
  readonly heads: ReadonlyMap<StreamId, readonly CertifiedHead[]>
}

/** How many checkpoints are looked up at a time. */
const atOnce = 500

/**
 * Holds the checkpoints that the server wrote to its log against those of the database: who changed the database could
 * change these too, and could not change the log. Of what is the same nothing is kept in memory.
 */
export async function verifyCheckpointLines(
  db: Reader,
  keys: TrustedKeys,
  lines: CheckpointLines | undefined,
  report: (found: Finding) => void,
): Promise<VerifiedLines> {
  if (!lines) return { checkpoints: 0, heads: new Map() }
  let count = 0
  // A checkpoint that was taken out may have been followed by another one of its number.
  const others = new Map<string, Checkpoint>()
  for await (const batch of batchesOf(lines())) {
    count += batch.length
    const signed = batch.filter((checkpoint) => {
      const problem = problemOfSignature(keys, checkpoint)
      if (problem) report({ ...problem, message: `in the lines: ${problem.message}` })
      return !problem
    })
    // One may be told of twice.
    const once = new Map(signed.map((checkpoint) => [nameOf(checkpoint), checkpoint]))
    const untold = [...once].filter(([name]) => !others.has(name)).map(([, checkpoint]) => checkpoint)
    for (const checkpoint of await differing(db, untold, report)) others.set(nameOf(checkpoint), checkpoint)
  }
  return { checkpoints: count, heads: others.size === 0 ? new Map() : await headsFor(db, others, lines, report) }
}

/** What tells a checkpoint from all others. */
const nameOf = ({ signature }: Checkpoint): string => signature.toString('hex')

async function* batchesOf(lines: AsyncIterable<string>): AsyncGenerator<Checkpoint[]> {
  let batch: Checkpoint[] = []
  for await (const line of lines) {
    const parsed = parseCheckpointLine(line)
    if (parsed?.kind !== 'checkpoint') continue
    batch.push(parsed.checkpoint)
    if (batch.length < atOnce) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Those of them that the database does not have as they are. */
async function differing(
  db: Reader,
  batch: readonly Checkpoint[],
  report: (found: Finding) => void,
): Promise<Checkpoint[]> {
  const numbers = batch.map(({ number }) => number)
  const stored = new Map((await listCheckpoints(db, numbers)).map((checkpoint) => [checkpoint.number, checkpoint]))
  return batch.filter((checkpoint) => {
    const { number, signature } = checkpoint
    const same = stored.get(number)
    if (same?.signature.equals(signature)) return false
    report(
      same
        ? finding('checkpoint_replaced', `checkpoint ${number} is not the one that the server told of`, {
            checkpoint: number,
          })
        : finding('checkpoint_removed', `checkpoint ${number} is missing, and the server told of it`, {
            checkpoint: number,
          }),
    )
    return true
  })
}

/** Reads the lines again, for the heads of these checkpoints alone. What was cut off there may still be in the database. */
async function headsFor(
  db: Reader,
  wanted: ReadonlyMap<string, Checkpoint>,
  lines: CheckpointLines,
  report: (found: Finding) => void,
): Promise<Map<StreamId, CertifiedHead[]>> {
  const told = await partsOf(wanted, lines)
  const heads = new Map<StreamId, CertifiedHead[]>()
  for (const [name, checkpoint] of [...wanted].toSorted(([, a], [, b]) => a.number - b.number)) {
    const { number } = checkpoint
    const parts = [...(told.get(name) ?? [])].toSorted(([a], [b]) => a - b).flatMap(([, part]) => part)
    const proven = [parts, await listHeads(db, number, number)].find((each) => !problemOfHeads(checkpoint, each))
    if (!proven) {
      report(
        finding('checkpoint_heads_changed', `the heads of checkpoint ${number} are neither in the lines nor stored`, {
          checkpoint: number,
        }),
      )
      continue
    }
    for (const { stream_id, stream_seq, chain_hash } of proven) {
      const known = heads.get(stream_id) ?? []
      known.push({ stream_id, stream_seq, chain_hash, number })
      heads.set(stream_id, known)
    }
  }
  return heads
}

type Parts = Map<number, readonly ChainHead[]>

/** The heads of checkpoints as lines have them, in parts: behind the checkpoint itself, of which only the number is repeated. */
async function partsOf(wanted: ReadonlyMap<string, Checkpoint>, lines: CheckpointLines): Promise<Map<string, Parts>> {
  const told = new Map<string, Parts>()
  const lastOf = new Map<number, string>()
  for await (const line of lines()) {
    const parsed = parseCheckpointLine(line)
    if (parsed?.kind === 'checkpoint') lastOf.set(parsed.checkpoint.number, nameOf(parsed.checkpoint))
    if (parsed?.kind !== 'heads') continue
    const name = lastOf.get(parsed.number)
    if (name === undefined || !wanted.has(name)) continue
    const parts = told.get(name) ?? new Map<number, readonly ChainHead[]>()
    told.set(name, parts.set(parsed.first, parsed.heads))
  }
  return told
}
