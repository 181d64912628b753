import { z } from 'zod'
import type { StreamId } from '../id.ts'
import { Timestamp } from '../timestamp.ts'
import { leafHash, merkleRoot } from './merkle.ts'
import type { SigningKey, VerificationKey } from './signing-key.ts'

/** Where a stream's chain had come to. */
export interface ChainHead {
  readonly stream_id: StreamId
  readonly stream_seq: number
  readonly chain_hash: Buffer
}

/** What stands in place of the root before the first one. */
export const noRoot: Buffer = Buffer.alloc(32)

/** How many heads one checkpoint has at most: their tree is made while others wait. The rest goes into the next one. */
export const headsMax = 5_000

/** Bytes: as a `Buffer` inside, in hexadecimal digits on the wire. */
const hexadecimal = (bytes: number, meta: { readonly description: string; readonly examples: string[] }) =>
  z.codec(
    z
      .string()
      .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), { error: `must be ${bytes} bytes in hexadecimal digits` })
      .meta(meta),
    z.custom<Buffer>((value) => Buffer.isBuffer(value) && value.length === bytes),
    { decode: (text) => Buffer.from(text, 'hex'), encode: (buffer) => buffer.toString('hex') },
  )

const example = 'a3f1c8d2e4b56079'

/** A signed statement of where the streams of the log that had changed had come to. */
export const Checkpoint = z
  .object({
    number: z
      .int()
      .min(1)
      .meta({ description: 'Its place among the checkpoints: 1, 2, 3 … without gaps.', examples: [1] }),
    taken_at: Timestamp.meta({ description: "When it was taken, by the database's clock." }),
    head_count: z
      .int()
      .min(1)
      .max(headsMax)
      .meta({ description: 'How many streams had changed since they were last in one.', examples: [3] }),
    root: hexadecimal(32, {
      description: 'The Merkle tree hash (RFC 6962, SHA-256) of the heads of these streams, in hexadecimal digits.',
      examples: [example.repeat(4)],
    }),
    previous_root: hexadecimal(32, {
      description: 'The root of the checkpoint before; 64 zeros for the first one.',
      examples: ['0'.repeat(64)],
    }),
    key_id: z.string().meta({ description: 'Which key signed it.', examples: [example] }),
    signature: hexadecimal(64, {
      description: 'The Ed25519 signature, in hexadecimal digits; docs/audit-evidence.md says of what.',
      examples: [example.repeat(8)],
    }),
  })
  .meta({ id: 'AuditCheckpoint', description: 'Where the streams of the audit log had come to, signed.' })
export type Checkpoint = z.output<typeof Checkpoint>

/** Who signs checkpoints, or did. */
export const AuditSigningKey = z
  .object({
    key_id: Checkpoint.shape.key_id.meta({ description: 'The name of the key.' }),
    public_key: z.string().meta({
      description: 'The public key: Ed25519, as PEM.',
      examples: ['-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n'],
    }),
    first_used_at: Timestamp.meta({ description: 'When a checkpoint was first signed with it.' }),
  })
  .meta({ id: 'AuditSigningKey', description: 'A public key that checkpoints are or were signed with.' })
export type AuditSigningKey = z.output<typeof AuditSigningKey>

/** What a leaf of a checkpoint's tree holds: stream (16 bytes), place (8, big-endian) and chain hash (32). */
function leafOf({ stream_id, stream_seq, chain_hash }: ChainHead): Buffer {
  const content = Buffer.alloc(56)
  content.write(stream_id.replaceAll('-', ''), 0, 'hex')
  content.writeBigInt64BE(BigInt(stream_seq), 16)
  chain_hash.copy(content, 24)
  return leafHash(content)
}

/** The root over heads, which have to be in the order of their streams. */
export const rootOf = (heads: readonly ChainHead[]): Buffer => merkleRoot(heads.map(leafOf))

/** What is signed: lines of text, so that nothing but a shell and OpenSSL is needed to verify one. */
function statementOf({ number, taken_at, head_count, root, previous_root, key_id }: Omit<Checkpoint, 'signature'>) {
  const lines = [
    'tenant-registry audit checkpoint v1',
    String(number),
    taken_at.toISOString(),
    String(head_count),
    root.toString('hex'),
    previous_root.toString('hex'),
    key_id,
  ]
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}

/** Makes the checkpoint that follows another one. `heads` have to be in the order of their streams. */
export function signCheckpoint(
  key: SigningKey,
  heads: readonly ChainHead[],
  { number, taken_at, previous_root }: Pick<Checkpoint, 'number' | 'taken_at' | 'previous_root'>,
): Checkpoint {
  const statement = {
    number,
    taken_at,
    head_count: heads.length,
    root: rootOf(heads),
    previous_root,
    key_id: key.publicKey.id,
  }
  return { ...statement, signature: key.sign(statementOf(statement)) }
}

/** Whether this key signed this very checkpoint. */
export const isSignedBy = (key: VerificationKey, checkpoint: Checkpoint): boolean =>
  key.id === checkpoint.key_id && key.verifies(statementOf(checkpoint), checkpoint.signature)
