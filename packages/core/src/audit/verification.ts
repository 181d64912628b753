import type { StreamId } from '../id.ts'
import { genesisHash } from './chain.ts'
import type { ChainHead } from './checkpoint.ts'
import { PlaceRanges } from './place-ranges.ts'
import { type Finding, finding } from './verification-finding.ts'
import type { VerificationRow } from './verification-row.ts'

/** The row that a verification goes on from: it is taken as given, the one after it has to follow it. */
export interface StreamStart {
  readonly stream_seq: number
  readonly chain_hash: Buffer
}

/** The beginning of every stream that nothing was cut from. */
export const streamStart: StreamStart = { stream_seq: 0, chain_hash: genesisHash }

/** What a checkpoint says of a stream. */
export interface CertifiedHead extends ChainHead {
  readonly number: number
}

/** Rows that may stand at one place at the most, before it is said that they should not: more are not kept in memory. */
const rivalsMax = 16

/**
 * Verifies the rows of one stream, one after the other, by their chain and by what checkpoints say of it. Pure, and in
 * constant memory: it keeps the last row, and the first thing that is wrong. What comes after that proves nothing, so it
 * is not looked at.
 */
export class StreamVerifier {
  readonly stream_id: StreamId
  /** The first thing that is not as it was written. */
  finding: Finding | undefined
  /** The row that is wrong in itself, when that is what was found: it may be one of another place. */
  misfit: VerificationRow | undefined
  /** The first row that is as it was written, and is not found by what it says. What is behind it proves as much as before. */
  otherwiseFound: Finding | undefined
  /** The first row that does not name the tenant whose log this is, if that is there to stay. */
  released: VerificationRow | undefined
  /** How many rows are verified, and how many of them are redacted. */
  rows = 0
  redacted = 0
  /** The last checkpoint that says what is there. */
  certified: { readonly number: number; readonly stream_seq: number } | undefined
  /** The row before the first one that is verified. */
  readonly start: StreamStart
  /** The places that events of the stream say were redacted. More of them may become known on the way. */
  redactions: PlaceRanges
  #last: StreamStart & { readonly row?: VerificationRow }
  /** The rows of one place, of which there should be one. */
  #rivals: VerificationRow[] = []
  #heads: CertifiedHead[] = []

  /**
   * @param start the row before the first one
   * @param redactions the places that events of the stream say were redacted
   */
  constructor(stream_id: StreamId, start: StreamStart = streamStart, redactions: PlaceRanges = PlaceRanges.of([])) {
    this.stream_id = stream_id
    this.start = start
    this.#last = start
    this.redactions = redactions
  }

  /** Up to where the stream is verified. */
  get last(): StreamStart {
    return { stream_seq: this.#last.stream_seq, chain_hash: this.#last.chain_hash }
  }

  /** What a checkpoint says of a place that is still to come, or of the start. */
  expect(head: CertifiedHead): void {
    const { stream_seq, chain_hash } = this.start
    if (head.stream_seq > stream_seq) {
      const behind = this.#heads.findLastIndex((other) => other.stream_seq <= head.stream_seq)
      this.#heads.splice(behind + 1, 0, head)
    } else if (head.stream_seq === stream_seq && !this.finding) {
      if (head.chain_hash.equals(chain_hash)) this.certified = { number: head.number, stream_seq }
      else
        this.#found(
          'rows_rewritten',
          `checkpoint ${head.number} names another row at the start`,
          stream_seq,
          head.number,
        )
    }
  }

  /** The next row, in the order of the places. */
  push(row: VerificationRow): void {
    if (this.finding) return
    const [rival] = this.#rivals
    if (rival && (rival.stream_seq !== row.stream_seq || this.#rivals.length === rivalsMax)) this.#settle(row)
    this.#rivals.push(row)
  }

  /** After the last row that is to be verified. */
  pause(): void {
    if (!this.finding && this.#rivals.length > 0) this.#settle(undefined)
  }

  /** At the end of the stream: whether it is where its head, and the last checkpoint of it, say. */
  end(head: ChainHead | undefined, newest?: CertifiedHead): void {
    this.pause()
    if (this.finding) return
    const { stream_seq, chain_hash } = this.#last
    if (head && head.stream_seq > stream_seq) {
      this.#found(
        'tail_removed',
        `the stream ends at ${stream_seq}, and its head says that it has ${head.stream_seq} rows`,
        stream_seq + 1,
      )
    } else if (newest && newest.stream_seq > stream_seq) {
      this.#found(
        'tail_removed',
        `the stream ends at ${stream_seq}, and checkpoint ${newest.number} says that it had ${newest.stream_seq} rows`,
        stream_seq + 1,
        newest.number,
      )
    } else if (head?.stream_seq === stream_seq && !head.chain_hash.equals(chain_hash)) {
      this.#found('row_edited', 'the last row of the stream is not the one that its head names', stream_seq)
    }
  }

  /** Decides which of the rows of a place was written there, by what follows if need be, and verifies it. */
  #settle(next: VerificationRow | undefined): void {
    const rivals = this.#rivals
    this.#rivals = []
    const [first, second] = rivals
    if (!first) return
    if (second) return this.#tooMany(rivals, next)
    this.#verify(first)
  }

  #tooMany(rivals: readonly VerificationRow[], next: VerificationRow | undefined): void {
    const fits = rivals.filter((row) => row.hasItsDigest && row.follows(this.#last.chain_hash))
    const written = fits.find((row) => next?.prev_hash.equals(row.chain_hash)) ?? fits[0]
    const inserted = rivals.find((row) => row !== written)
    this.#found(
      'row_inserted',
      `${rivals.length} rows stand at place ${inserted?.stream_seq}; this one was not written there`,
      inserted?.stream_seq ?? null,
      null,
      inserted,
    )
  }

  #verify(row: VerificationRow): void {
    const { stream_seq, chain_hash } = this.#last
    if (row.stream_seq !== stream_seq + 1) return this.#outOfPlace(row)
    if (!row.isKnownVersion) {
      return this.#found(
        'version_unknown',
        'the row is chained in a way that is not known here',
        row.stream_seq,
        null,
        row,
      )
    }
    if (!row.hasItsDigest) {
      return this.#mismatch(row, 'what the row says of persons is not what its digest was made of')
    }
    const follows = row.follows(chain_hash)
    if (!follows || !row.prev_hash.equals(chain_hash)) return this.#unlinked(row, follows)
    if (!row.beside.is_of_stream) {
      return this.#found('row_edited', 'the row names a tenant whose stream this is not', row.stream_seq, null, row)
    }
    if (row.isRedacted && !this.redactions.has(row.stream_seq)) {
      return this.#found(
        'row_erased',
        'what the row says of persons is gone, and no event of the stream tells of its redaction',
        row.stream_seq,
        null,
        row,
      )
    }
    if (!this.#isAsCertified(row)) return
    if (!row.beside.has_tenant) this.released ??= row
    if (!row.hasItsSearch) this.otherwiseFound ??= searchEdited(row)
    this.#last = { stream_seq: row.stream_seq, chain_hash: row.chain_hash, row }
    this.rows += 1
    if (row.isRedacted) this.redacted += 1
  }

  #outOfPlace(row: VerificationRow): void {
    const { stream_seq } = this.#last
    if (row.stream_seq <= stream_seq) {
      return this.#found('row_inserted', 'the row stands before the first one of the stream', row.stream_seq, null, row)
    }
    const missing = row.stream_seq - stream_seq - 1
    this.#found(
      'row_removed',
      `${missing === 1 ? 'a row is' : `${missing} rows are`} missing before place ${row.stream_seq}`,
      stream_seq + 1,
    )
  }

  /** A row that is whole in itself says which one stood before it: then it is that one which was replaced. */
  #unlinked(row: VerificationRow, follows: boolean): void {
    const { row: before } = this.#last
    if (!follows && before && row.follows(row.prev_hash)) {
      this.#found(
        'row_edited',
        `the row is not the one that row ${row.stream_seq} was chained to`,
        before.stream_seq,
        null,
        before,
      )
    } else {
      this.#mismatch(row, 'the row is not the one that its chain hash was made of')
    }
  }

  /** Holds a row against every checkpoint that names it. Only the chain before it can be told from the rest. */
  #isAsCertified(row: VerificationRow): boolean {
    for (let [head] = this.#heads; head && head.stream_seq <= row.stream_seq; [head] = this.#heads) {
      this.#heads.shift()
      if (head.stream_seq < row.stream_seq) continue
      if (!head.chain_hash.equals(row.chain_hash)) {
        const from = (this.certified?.stream_seq ?? this.start.stream_seq) + 1
        this.#found(
          'rows_rewritten',
          `rows ${from} to ${row.stream_seq} fit each other, and are not those that checkpoint ${head.number} was taken of`,
          from,
          head.number,
          row,
        )
        return false
      }
      this.certified = { number: head.number, stream_seq: head.stream_seq }
    }
    return true
  }

  #mismatch(row: VerificationRow, message: string): void {
    this.misfit = row
    this.#found('row_edited', message, row.stream_seq, null, row)
  }

  #found(
    code: Parameters<typeof finding>[0],
    message: string,
    stream_seq: number | null,
    checkpoint: number | null = null,
    row?: VerificationRow,
  ): void {
    const { stream_id } = this
    this.finding = finding(code, message, { stream_id, stream_seq, checkpoint, event_id: row?.id ?? null })
  }
}

const searchEdited = (row: VerificationRow): Finding =>
  finding('search_edited', 'the row is as it was written, and what it is found by is not what it says', {
    stream_id: row.stream_id,
    stream_seq: row.stream_seq,
    event_id: row.id,
  })
