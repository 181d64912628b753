import { z } from 'zod'
import { StreamId } from '../id.ts'
import { type ChainHead, Checkpoint } from './checkpoint.ts'

/** The names of the records of the log stream that have a checkpoint in them. */
const names = { checkpoint: 'audit.checkpoint', heads: 'audit.checkpoint_heads' } as const

/** How many heads one record has: log collectors cut what is longer than 16 KiB. */
const headsPerLine = 100

const Head = z.tuple([StreamId, z.int().min(1), z.string().regex(/^[0-9a-f]{64}$/)])
const CheckpointLine = z.object({ event: z.literal(names.checkpoint), ...Checkpoint.shape })
const HeadsLine = z.object({
  event: z.literal(names.heads),
  number: z.int().min(1),
  first: z.int().min(0),
  heads: z.array(Head),
})

/** A record of the log stream that tells of a checkpoint: the checkpoint itself, or some of its heads. */
export type CheckpointLine =
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'heads'; readonly number: number; readonly first: number; readonly heads: readonly ChainHead[] }

/** What is written to the log stream of a checkpoint: everything that verifying it takes, and its heads. */
export function checkpointRecords(
  checkpoint: Checkpoint,
  heads: readonly ChainHead[],
): [z.input<typeof CheckpointLine>, ...z.input<typeof HeadsLine>[]] {
  const count = Math.ceil(heads.length / headsPerLine)
  const parts = Array.from({ length: count }, (_, index): z.input<typeof HeadsLine> => {
    const first = index * headsPerLine
    const part = heads.slice(first, first + headsPerLine)
    return {
      event: names.heads,
      number: checkpoint.number,
      first,
      heads: part.map(({ stream_id, stream_seq, chain_hash }) => [stream_id, stream_seq, chain_hash.toString('hex')]),
    }
  })
  return [{ event: names.checkpoint, ...z.encode(Checkpoint, checkpoint) }, ...parts]
}

/**
 * Reads a line of a log. What is not about a checkpoint is undefined, and so is a line that was cut off: what it would
 * have said is missed where it is needed.
 */
export function parseCheckpointLine(line: string): CheckpointLine | undefined {
  // Most lines of a log are about something else, and parsing them would take most of the time.
  if (!line.includes(names.checkpoint)) return undefined
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return undefined
  }
  const checkpoint = CheckpointLine.safeParse(json)
  if (checkpoint.success) {
    const { event: _, ...rest } = checkpoint.data
    return { kind: 'checkpoint', checkpoint: rest }
  }
  const heads = HeadsLine.safeParse(json)
  if (!heads.success) return undefined
  return {
    kind: 'heads',
    number: heads.data.number,
    first: heads.data.first,
    heads: heads.data.heads.map(([stream_id, stream_seq, hash]) => ({
      stream_id,
      stream_seq,
      chain_hash: Buffer.from(hash, 'hex'),
    })),
  }
}
