import type { Reader } from '../db/handles.ts'
import type { StreamId } from '../id.ts'
import type { ChainHead } from './checkpoint.ts'
import type { PlaceRanges } from './place-ranges.ts'
import { hasNewStart } from './stream-start.repository.ts'
import type { Finding } from './verification-finding.ts'
import { rowPages } from './verification-pages.ts'
import type { VerificationRow } from './verification-row.ts'
import { onlyStream, type StreamPage } from './verification-streams.ts'
import * as repository from './verification.repository.ts'
import { foundBeside, foundIn, redactedSince } from './verification.service.ts'
import { type CertifiedHead, StreamVerifier } from './verification.ts'

/** What was verified so far. */
export interface WalkTally {
  streams: number
  rows: number
  redacted: number
  /** Rows that came after the newest checkpoint of their stream: they fit together, and nothing outside says more. */
  uncertified_rows: number
}

/** What the walks over all pages share. */
export interface WalkOptions {
  /** What checkpoints say of streams that the database does not have. */
  readonly heads: ReadonlyMap<StreamId, readonly CertifiedHead[]>
  readonly report: (found: Finding) => void
  readonly tally: WalkTally
  /** Whether rows are to be found by what they say, which takes three times as long as all else. */
  readonly search: boolean
  readonly signal: AbortSignal | undefined
}

type HeadsByStream = ReadonlyMap<StreamId, readonly CertifiedHead[]>

/** A stream while its rows come by. */
interface OpenStream {
  readonly verifier: StreamVerifier
  readonly head: ChainHead | undefined
  hasRows: boolean
  /** The first row behind the end of the stream. */
  beyond: number | undefined
}

/** Verifies the streams of a page, whose rows come one stream after the other. */
export class StreamPageWalk {
  readonly #db: Reader
  readonly #page: StreamPage
  readonly #options: WalkOptions
  /** Streams of the page whose rows have not come by. */
  readonly #waiting: StreamId[]
  #newest: ReadonlyMap<StreamId, CertifiedHead> = new Map()
  #redactions: Map<StreamId, PlaceRanges> = new Map()
  #certified: HeadsByStream = new Map()
  #open: OpenStream | undefined

  constructor(db: Reader, page: StreamPage, options: WalkOptions) {
    this.#db = db
    this.#page = page
    this.#options = options
    this.#waiting = [...page.ids]
  }

  async run(): Promise<void> {
    const { ids, after, last } = this.#page
    this.#newest = new Map((await repository.listNewestHeads(this.#db, ids)).map((head) => [head.stream_id, head]))
    this.#redactions = await repository.listRedactions(this.#db, ids)
    let before: VerificationRow | undefined
    for await (const rows of rowPages(this.#db, after, last)) {
      this.#options.signal?.throwIfAborted()
      this.#certified = await this.#certifiedAt(rows)
      if (this.#open) this.#expect(this.#open.verifier)
      await this.#learnRedactions(rows)
      if (this.#options.search) await repository.compareSearch(this.#db, rows)
      for (const row of rows) {
        if (!before || !row.isInStreamOf(before)) await this.#turnTo(row.stream_id)
        before = row
        this.#push(row)
      }
    }
    await this.#turnTo(undefined)
  }

  /** What checkpoints of the database say of the places that a page of rows covers. */
  async #certifiedAt(rows: readonly VerificationRow[]): Promise<HeadsByStream> {
    const [first, last] = [rows[0], rows.at(-1)]
    if (!first || !last) return new Map()
    const heads = await repository.listCertifiedHeads(this.#db, repository.placeOf(first), repository.placeOf(last))
    return Map.groupBy(heads, ({ stream_id }) => stream_id)
  }

  /** A row may have been redacted since the redactions were read: of a whole log that is long ago. */
  async #learnRedactions(rows: readonly VerificationRow[]): Promise<void> {
    for (const [id, ranges] of await redactedSince(this.#db, rows, (stream) => this.#redactions.get(stream))) {
      this.#redactions.set(id, ranges)
      if (this.#open?.verifier.stream_id === id) this.#open.verifier.redactions = ranges
    }
  }

  #expect(verifier: StreamVerifier): void {
    for (const head of this.#certified.get(verifier.stream_id) ?? []) verifier.expect(head)
  }

  #push(row: VerificationRow): void {
    const open = this.#open
    if (!open) return
    open.hasRows = true
    if (open.head && row.stream_seq > open.head.stream_seq) open.beyond ??= row.stream_seq
    else open.verifier.push(row)
  }

  /** Ends the stream that is open, and those on the way to this one, which have no row. */
  async #turnTo(id: StreamId | undefined): Promise<void> {
    if (this.#open) await this.#close(this.#open)
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || (id !== undefined && next >= id)) break
      this.#waiting.shift()
      await this.#close(this.#opened(next))
    }
    if (this.#waiting[0] === id) this.#waiting.shift()
    this.#open = id === undefined ? undefined : this.#opened(id)
  }

  #opened(id: StreamId): OpenStream {
    const verifier = new StreamVerifier(id, this.#page.starts.get(id), this.#redactions.get(id))
    for (const head of this.#options.heads.get(id) ?? []) verifier.expect(head)
    this.#expect(verifier)
    return { verifier, head: this.#page.heads.get(id), hasRows: false, beyond: undefined }
  }

  async #close({ verifier, head, hasRows, beyond }: OpenStream): Promise<void> {
    const { report, tally } = this.#options
    verifier.end(head, this.#newestOf(verifier.stream_id))
    const found = await foundIn(this.#db, verifier, { hasHead: head !== undefined, hasRows, beyond })
    if (found) {
      // Its first rows may have been dropped with their month while it was looked at.
      if (await hasNewStart(this.#db, verifier)) return await this.#again(verifier.stream_id)
      report(found)
    }
    // Of the logs of tenants that are there, and of what is found in another way, there is most often nothing to ask.
    if (verifier.otherwiseFound || this.#page.tenants.has(verifier.stream_id)) {
      for (const beside of await foundBeside(this.#db, verifier)) report(beside)
    }
    tally.streams += 1
    tally.rows += verifier.rows
    tally.redacted += verifier.redacted
    tally.uncertified_rows += verifier.last.stream_seq - (verifier.certified?.stream_seq ?? verifier.start.stream_seq)
  }

  async #again(id: StreamId): Promise<void> {
    for await (const page of onlyStream(this.#db, id)) await new StreamPageWalk(this.#db, page, this.#options).run()
  }

  /** The furthest that any checkpoint says of a stream. */
  #newestOf(id: StreamId): CertifiedHead | undefined {
    const known = [this.#newest.get(id), this.#options.heads.get(id)?.at(-1)].filter((head) => head !== undefined)
    return known.toSorted((a, b) => b.stream_seq - a.stream_seq)[0]
  }
}
