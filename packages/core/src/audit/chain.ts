import { createHash, randomBytes } from 'node:crypto'

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
export const newRowSalt = (): Buffer => randomBytes(16)

/** `SHA-256(salt ‖ block)`: stands for the personal block in the record and stays when the block is erased. */
export function personalDigest(salt: Buffer, row: PersonalBlock): Buffer {
  return createHash('sha256')
    .update(salt)
    .update(
      record([
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
      ]),
    )
    .digest()
}

/**
 * `SHA-256(prev_hash ‖ version ‖ record)`, the link of version 1. docs/adr/0003-chain-record.md has the format byte by
 * byte, with vectors; migration 0003 has it in SQL.
 */
export function chainHash(prevHash: Buffer, digest: Buffer, row: ChainedRow): Buffer {
  return createHash('sha256')
    .update(prevHash)
    .update(Buffer.of(chainVersion))
    .update(
      record([
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
      ]),
    )
    .digest()
}

/** Every piece with its length before it, in four bytes; an absent one is the length 2^32 - 1. No two lists share bytes. */
function record(pieces: readonly (Buffer | string | null)[]): Buffer {
  // Written into one buffer: a record has more than thirty pieces, and thousands of events come each second.
  let length = 0
  for (const piece of pieces) length += 4 + bytesOf(piece)
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const piece of pieces) {
    at = bytes.writeUInt32BE(piece === null ? 0xff_ff_ff_ff : bytesOf(piece), at)
    if (typeof piece === 'string') at += bytes.write(piece, at, 'utf8')
    else if (piece !== null) at += piece.copy(bytes, at)
  }
  return bytes
}

function bytesOf(piece: Buffer | string | null): number {
  if (piece === null) return 0
  return typeof piece === 'string' ? Buffer.byteLength(piece, 'utf8') : piece.length
}

const uuid = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
const instant = (at: Date) => integer(at.getTime())
const boolean = (value: boolean | null) => (value === null ? null : Buffer.of(value ? 1 : 0))

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
