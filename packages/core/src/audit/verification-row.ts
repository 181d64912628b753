import { hash } from 'node:crypto'
import type { EventId, StreamId } from '../id.ts'
import { decodeEventMap } from './event-map.ts'
import { searchedColumns, searchedMaps, searchText } from './search-text.ts'

/** The columns of the chain itself, which a row is verified by. */
const own = ['chain_version', 'row_salt', 'personal_digest', 'prev_hash', 'chain_hash'] as const

/** The personal block, in the order of docs/adr/0003-chain-record.md. */
const block = [
  'actor_id',
  'actor_name',
  'actor_href',
  'actor_fields',
  'target_id',
  'target_name',
  'target_href',
  'target_fields',
  'group_name',
  'source_ip',
  'description',
  'external_id',
  'fields',
  'metadata',
  'hash',
] as const

/** The record in the same order, but for the digest that ends it. */
const record = [
  'id',
  'stream_id',
  'stream_seq',
  'received_at',
  'canonical_at',
  'created_at',
  'product',
  'environment',
  'action',
  'crud',
  'group_id',
  'target_type',
  'component',
  'version',
  'is_anonymous',
  'is_failure',
] as const

/** The columns of a row as it is sent for verification. */
export const sentColumns = [...own, ...block, ...record] as const

const at = Object.fromEntries(sentColumns.map((name, index) => [name, index])) as Record<
  (typeof sentColumns)[number],
  number
>
const [blockFrom, recordFrom] = [own.length, own.length + block.length]
const times: ReadonlySet<number> = new Set([at.received_at, at.canonical_at, at.created_at])

/** PostgreSQL counts microseconds from here, records milliseconds from 1970. */
const postgresEpochMs = 946_684_800_000n

const absent = 0xff_ff_ff_ff

/** Where pieces are put together: rows are verified one after the other, and most of them are small. */
let scratch = Buffer.alloc(16_384)

/** What is known of a row beside the columns that are chained. */
export interface BesideRow {
  /** Whether the tenant that it names, if it names one, is that of its stream; and whether it names one. */
  readonly is_of_stream: boolean
  readonly has_tenant: boolean
  /** Whether there is something that it is found by, or nothing where what it says of persons was erased. */
  readonly has_its_search: boolean
}

/**
 * A row of the log in the binary form of PostgreSQL's own, `record_send(row(…))`: the number of columns, and for each its
 * type, its length and its bytes. All but times are already as the chain hashes them (a piece is a length and bytes
 * there too), so nothing is spelled as text and read again. That is most of the speed of a verification; and what is
 * hashed here was put together by other code than what was hashed when the row was written (chain.ts).
 */
export class VerificationRow {
  readonly #bytes: Buffer
  /** Where each column's length stands. */
  readonly #from: readonly number[]
  readonly stream_seq: number
  readonly beside: BesideRow
  /** Whether it is found by what it says. */
  hasItsSearch: boolean

  /** How much there is of it. */
  get bytes(): number {
    return this.#bytes.length
  }

  /** @throws {Error} when the bytes are of something else */
  constructor(bytes: Buffer, beside: BesideRow) {
    this.#bytes = bytes
    this.beside = beside
    this.hasItsSearch = beside.has_its_search
    if (bytes.readUInt32BE(0) !== sentColumns.length) throw new Error('the row has other columns than were asked for')
    const from: number[] = []
    let next = 4
    for (let index = 0; index < sentColumns.length; index += 1) {
      from.push(next + 4)
      const length = bytes.readUInt32BE(next + 4)
      next += 8 + (length === absent ? 0 : length)
    }
    this.#from = from
    this.stream_seq = Number(this.placeInStream)
  }

  /** `stream_seq` to the digit, also where somebody wrote one that JavaScript does not count to. */
  get placeInStream(): bigint {
    return this.#content(at.stream_seq).readBigInt64BE()
  }

  get id(): EventId {
    return spellUuid(this.#content(at.id)) as EventId
  }

  get stream_id(): StreamId {
    return spellUuid(this.#content(at.stream_id)) as StreamId
  }

  isInStreamOf(other: VerificationRow): boolean {
    return this.#content(at.stream_id).equals(other.#content(at.stream_id))
  }

  get prev_hash(): Buffer {
    return this.#content(at.prev_hash)
  }

  get chain_hash(): Buffer {
    return this.#content(at.chain_hash)
  }

  /** The text that it is found by, as it was taken from it when it was written. */
  get searchText(): string {
    return searchText(
      searchedColumns.map((name) => this.#text(name)),
      searchedMaps.map((name) => decodeEventMap(this.#text(name) ?? '')),
    )
  }

  /** Whether what it says of persons was erased: there is no salt any more. */
  get isRedacted(): boolean {
    return this.#isNull(at.row_salt)
  }

  /** Whether the chain's version is one that is known here. */
  get isKnownVersion(): boolean {
    return this.#content(at.chain_version).readInt16BE() === 1
  }

  /** Whether what it says of persons is what its digest was made of; of an erased block, whether all of it is gone. */
  get hasItsDigest(): boolean {
    if (this.isRedacted) return block.every((_, index) => this.#isNull(blockFrom + index))
    const salt = this.#content(at.row_salt)
    reserve(this.#bytes.length)
    let end = salt.copy(scratch, 0)
    for (let index = blockFrom; index < recordFrom; index += 1) end = this.#copyPiece(index, end)
    return hashOf(end).equals(this.#content(at.personal_digest))
  }

  /**
   * Whether its chain hash is that of this row behind a row with this hash.
   * @param place the one that it would have in its stream; its own unless told
   */
  follows(prevHash: Buffer, place?: number): boolean {
    reserve(this.#bytes.length + 64)
    let end = prevHash.copy(scratch, 0)
    end = scratch.writeUInt8(1, end)
    let placeAt = 0
    for (let index = recordFrom; index < sentColumns.length; index += 1) {
      if (index === at.stream_seq) placeAt = end + 4
      const piece = end
      end = this.#copyPiece(index, end)
      if (times.has(index) && end - piece === 12) toMilliseconds(piece + 4)
    }
    end = this.#copyPiece(at.personal_digest, end)
    if (place !== undefined) scratch.writeBigInt64BE(BigInt(place), placeAt)
    return hashOf(end).equals(this.chain_hash)
  }

  #isNull(index: number): boolean {
    return this.#bytes.readUInt32BE(this.#from[index]) === absent
  }

  #text(name: (typeof sentColumns)[number]): string | null {
    return this.#isNull(at[name]) ? null : this.#content(at[name]).toString()
  }

  #content(index: number): Buffer {
    const from = this.#from[index] ?? 0
    const length = this.#bytes.readUInt32BE(from)
    return this.#bytes.subarray(from + 4, from + 4 + (length === absent ? 0 : length))
  }

  #copyPiece(index: number, to: number): number {
    const from = this.#from[index] ?? 0
    const length = this.#bytes.readUInt32BE(from)
    return to + this.#bytes.copy(scratch, to, from, from + 4 + (length === absent ? 0 : length))
  }
}

function reserve(bytes: number): void {
  if (scratch.length < bytes) scratch = Buffer.alloc(bytes * 2)
}

const hashOf = (end: number): Buffer => hash('sha256', scratch.subarray(0, end), 'buffer')

function toMilliseconds(from: number): void {
  scratch.writeBigInt64BE(scratch.readBigInt64BE(from) / 1000n + postgresEpochMs, from)
}

function spellUuid(bytes: Buffer): string {
  const digits = bytes.toString('hex')
  return [0, 8, 12, 16, 20].map((from, part) => digits.slice(from, [8, 12, 16, 20, 32][part])).join('-')
}
