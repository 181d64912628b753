import { type RawBuilder, sql } from 'kysely'
import { writeText } from '../utf8.ts'

/**
 * How an element of a type is written, as PostgreSQL's `…_recv` functions read it.
 * Source: https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES
 */
interface Codec<Value> {
  /** What PostgreSQL knows the type by: the same in every database. */
  readonly oid: number
  /** Bytes that a value takes at most. */
  readonly most: (value: Value) => number
  /** Writes it and answers where it ends. */
  readonly write: (bytes: Buffer, value: Value, at: number) => number
}

const fixed = <Value>(oid: number, size: number, write: (bytes: Buffer, value: Value, at: number) => unknown) =>
  ({
    oid,
    most: () => size,
    write: (bytes, value, at) => {
      write(bytes, value, at)
      return at + size
    },
  }) satisfies Codec<Value>

const textual = (oid: number) =>
  ({
    oid,
    // No UTF-16 code unit takes more than three bytes.
    most: (value) => 3 * value.length,
    write: writeText,
  }) satisfies Codec<string>

/** Milliseconds from 1970 to 2000, where PostgreSQL's time begins. */
const epochMs = 946_684_800_000

const codecs = {
  boolean: fixed<boolean>(16, 1, (bytes, value, at) => bytes.writeUInt8(value ? 1 : 0, at)),
  bytea: {
    oid: 17,
    most: (value) => value.length,
    write: (bytes, value, at) => at + value.copy(bytes, at),
  } satisfies Codec<Buffer>,
  bigint: fixed<number>(20, 8, (bytes, value, at) => bytes.writeBigInt64BE(BigInt(value), at)),
  text: textual(25),
  json: textual(114),
  timestamptz: fixed<Date>(1_184, 8, (bytes, value, at) =>
    bytes.writeBigInt64BE(BigInt(value.getTime() - epochMs) * 1_000n, at),
  ),
  uuid: fixed<string>(2_950, 16, (bytes, value, at) => {
    // It stops at what is no digit, and would leave there what the memory held before.
    if (bytes.write(value.replaceAll('-', ''), at, 16, 'hex') !== 16) throw new TypeError('not a UUID')
  }),
} as const

/** The types of PostgreSQL that arrays can be of, and what stands for them here. */
export interface BinaryTypes {
  readonly boolean: boolean
  readonly bytea: Buffer
  readonly bigint: number
  readonly text: string
  readonly json: string
  readonly timestamptz: Date
  readonly uuid: string
}

/**
 * An array as a parameter of a statement, in the binary form of PostgreSQL's protocol. As texts, the arrays of a batch of
 * events take most of the time that writing it takes here: every element is quoted and escaped, and parsed again there.
 * @param type of the elements; a domain over it is cast from it by the statement
 * @throws {TypeError} for what is no UUID
 * @throws {RangeError} for a number that is not whole, and an invalid date
 */
export function binaryArray<Type extends keyof BinaryTypes>(
  type: Type,
  values: readonly (BinaryTypes[Type] | null)[],
): RawBuilder<BinaryTypes[Type][]> {
  return sql`${encode(codecs[type] as Codec<unknown>, values)}::${sql.raw(type)}[]`
}

/**
 * Columns of rows, an array for each, in the order in which their types stand.
 * @param types of columns, by their names
 */
export function columnArrays<Types extends Readonly<Record<string, keyof BinaryTypes>>>(
  types: Types,
  rows: readonly { readonly [Name in keyof Types]: BinaryTypes[Types[Name]] | null }[],
): RawBuilder<unknown>[] {
  return Object.entries(types).map(([name, type]) => {
    const values = rows.map((row) => row[name as keyof Types])
    return binaryArray<keyof BinaryTypes>(type, values)
  })
}

const absent = -1
const headBytes = 20

function encode<Value>({ oid, most, write }: Codec<Value>, values: readonly (Value | null)[]): Buffer {
  let size = headBytes
  for (const value of values) size += 4 + (value === null ? 0 : most(value))
  const bytes = Buffer.allocUnsafe(size)
  let at = bytes.writeInt32BE(values.length > 0 ? 1 : 0, 0)
  // Whether there are nulls, which PostgreSQL finds out for itself.
  at = bytes.writeInt32BE(0, at)
  at = bytes.writeInt32BE(oid, at)
  if (values.length > 0) {
    at = bytes.writeInt32BE(values.length, at)
    at = bytes.writeInt32BE(1, at)
  }
  for (const value of values) {
    if (value === null) {
      at = bytes.writeInt32BE(absent, at)
      continue
    }
    const end = write(bytes, value, at + 4)
    bytes.writeInt32BE(end - at - 4, at)
    at = end
  }
  return bytes.subarray(0, at)
}
