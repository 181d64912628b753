import { hash, randomFillSync } from 'node:crypto'
import { writeText } from '../utf8.ts'

/** The columns of a row of the log that its chain covers, as they are stored. Maps are their JSON text. */
export interface ChainedRow extends PersonalBlock {
  readonly id: string
  readonly stream_id: string
  readonly stream_seq: number
  readonly received_at: Date
  readonly canonical_at: Date
  readonly created_at: Date | null
  readonly product: string
  readonly environment: string
  readonly action: string
  readonly crud: string
  readonly group_id: string | null
  readonly target_type: string | null
  readonly component: string | null
  readonly version: string | null
  readonly is_anonymous: boolean | null
  readonly is_failure: boolean | null
}

/** What a row says of persons. It can be erased without breaking the chain. */
export interface PersonalBlock {
  readonly actor_id: string | null
  readonly actor_name: string | null
  readonly actor_href: string | null
  readonly actor_fields: string | null
  readonly target_id: string | null
  readonly target_name: string | null
  readonly target_href: string | null
  readonly target_fields: string | null
  readonly group_name: string | null
  readonly source_ip: string | null
  readonly description: string | null
  readonly external_id: string | null
  readonly fields: string | null
  readonly metadata: string | null
  readonly hash: Buffer | null
}

/** The version of the record that new rows are chained with. A row remembers its own in `chain_version`. */
export const chainVersion = 1

/** What precedes the first row of a stream. */
export const genesisHash: Buffer = Buffer.alloc(32)

/** A fresh salt: 128 random bits, so that what was erased cannot be guessed from its digest. */
export function newRowSalt(): Buffer {
  // Many at a time: asking for each would take longer than hashing with it.
  if (saltsLeft.length < saltBytes) saltsLeft = randomFillSync(Buffer.allocUnsafeSlow(256 * saltBytes))
  const salt = saltsLeft.subarray(0, saltBytes)
  saltsLeft = saltsLeft.subarray(saltBytes)
  return salt
}

const saltBytes = 16
let saltsLeft = Buffer.alloc(0)

/** `SHA-256(salt ‖ block)`: stands for the personal block in the record and stays when the block is erased. */
export function personalDigest(salt: Buffer, row: PersonalBlock): Buffer {
  return sha256(
    [salt],
    [
      row.actor_id,
      row.actor_name,
      row.actor_href,
      row.actor_fields,
      row.target_id,
      row.target_name,
      row.target_href,
      row.target_fields,
      row.group_name,
      row.source_ip,
      row.description,
      row.external_id,
      row.fields,
      row.metadata,
      row.hash,
    ],
  )
}

/**
 * `SHA-256(prev_hash ‖ version ‖ record)`, the link of version 1. docs/adr/0003-chain-record.md has the format byte by
 * byte, with vectors; migration 0003 has it in SQL.
 */
export function chainHash(prevHash: Buffer, digest: Buffer, row: ChainedRow): Buffer {
  return sha256(
    [prevHash, versionByte],
    [
      uuid(row.id),
      uuid(row.stream_id),
      integer(row.stream_seq),
      instant(row.received_at),
      instant(row.canonical_at),
      row.created_at && instant(row.created_at),
      row.product,
      row.environment,
      row.action,
      row.crud,
      row.group_id,
      row.target_type,
      row.component,
      row.version,
      boolean(row.is_anonymous),
      boolean(row.is_failure),
      digest,
    ],
  )
}

const versionByte = Buffer.of(chainVersion)

/**
 * The hash of some bytes and a record after them: every piece with its length before it, in four bytes; an absent one is
 * the length 2^32 - 1. No two lists share bytes.
 *
 * All of it is written into one buffer that is used again and again: a record has more than thirty pieces, and thousands
 * of events come each second.
 */
function sha256(before: readonly Buffer[], pieces: readonly (Buffer | string | null)[]): Buffer {
  let most = 0
  for (const bytes of before) most += bytes.length
  // No UTF-16 code unit takes more than three bytes.
  for (const piece of pieces) most += 4 + (piece === null ? 0 : 3 * piece.length)
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most)
  let at = 0
  for (const each of before) at += each.copy(bytes, at)
  for (const piece of pieces) {
    if (piece === null) {
      at = bytes.writeUInt32BE(absent, at)
      continue
    }
    const end = typeof piece === 'string' ? writeText(bytes, piece, at + 4) : at + 4 + piece.copy(bytes, at + 4)
    bytes.writeUInt32BE(end - at - 4, at)
    at = end
  }
  return hash('sha256', bytes.subarray(0, at), 'buffer')
}

const absent = 0xff_ff_ff_ff
const scratch = Buffer.allocUnsafeSlow(64 * 1_024)

const uuid = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
const instant = (at: Date) => integer(at.getTime())
const boolean = (value: boolean | null) => (value === null ? null : value ? one : zero)
const [zero, one] = [Buffer.of(0), Buffer.of(1)]

function integer(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  // Two halves: a BigInt for each of five numbers in every row would be garbage by the hundred thousand.
  const high = Math.floor(value / 2 ** 32)
  bytes.writeInt32BE(high, 0)
  bytes.writeUInt32BE(value - high * 2 ** 32, 4)
  return bytes
}
