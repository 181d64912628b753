import type { Reader } from '../db/handles.ts'
import type { StreamId } from '../id.ts'
import { type CheckpointLines, verifyCheckpointLines } from './checkpoint-file.ts'
import { type CheckpointsVerified, keysOfDatabase, trusted, verifyCheckpoints } from './checkpoint-verification.ts'
import type { VerificationKey } from './signing-key.ts'
import type { Finding } from './verification-finding.ts'
import { onlyStream, streamPages } from './verification-streams.ts'
import { StreamPageWalk, type WalkTally } from './verification-walk.ts'

/** What a verification of everything goes by. */
export interface LogVerificationOptions {
  /** The public keys that are trusted. Without them those that the database names, which are as good as the database. */
  readonly keys?: readonly VerificationKey[] | undefined
  /** The lines of the server's log, from the beginning at each call. */
  readonly checkpoints?: CheckpointLines | undefined
  /** This stream alone. */
  readonly stream_id?: StreamId | undefined
  /** Whether rows are also to be found by what they say: it takes four times as long. */
  readonly search?: boolean | undefined
  /** Hears of everything that is wrong: in each stream of the first thing. */
  readonly report: (found: Finding) => void
  /** Ends it between two pages of rows. */
  readonly signal?: AbortSignal | undefined
}

/** What a verification of everything came to. */
export interface LogVerification extends CheckpointsVerified, WalkTally {
  readonly findings: number
  /** Checkpoints that the lines have. */
  readonly checkpoints_in_lines: number
}

/**
 * Verifies all checkpoints, those of the database and those of the server's log, and then every stream, in constant
 * memory and whatever is written meanwhile.
 */
export async function verifyLog(db: Reader, options: LogVerificationOptions): Promise<LogVerification> {
  const { stream_id, search = false, signal } = options
  let findings = 0
  const report = (found: Finding) => {
    findings += 1
    options.report(found)
  }
  const keys = options.keys ? trusted(options.keys) : await keysOfDatabase(db)
  const checkpoints = await verifyCheckpoints(db, keys, report)
  const lines = await verifyCheckpointLines(db, keys, options.checkpoints, report)
  const tally: WalkTally = { streams: 0, rows: 0, redacted: 0, uncertified_rows: 0 }
  const pages = stream_id === undefined ? streamPages(db, [...lines.heads.keys()]) : onlyStream(db, stream_id)
  for await (const page of pages) {
    await new StreamPageWalk(db, page, { heads: lines.heads, report, tally, search, signal }).run()
  }
  return { ...checkpoints, ...tally, findings, checkpoints_in_lines: lines.checkpoints }
}
