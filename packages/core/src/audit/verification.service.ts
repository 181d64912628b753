import { z } from 'zod'
import type { Reader } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import { StreamId } from '../id.ts'
import { decodeCursor, encodeCursor, PageQuery } from '../page.ts'
import { keysOfDatabase, problemOfHeads, problemOfPlace, problemOfSignature } from './checkpoint-verification.ts'
import { findCheckpoint, listHeads } from './checkpoint.repository.ts'
import { explainMisfit } from './displacement.ts'
import type { PlaceRanges } from './place-ranges.ts'
import { hasNewStart, listStarts } from './stream-start.repository.ts'
import { Finding, finding } from './verification-finding.ts'
import { rowPages } from './verification-pages.ts'
import type { VerificationRow } from './verification-row.ts'
import * as repository from './verification.repository.ts'
import { type CertifiedHead, type StreamStart, streamStart, StreamVerifier } from './verification.ts'

/** Rows that one call verifies, and the milliseconds after which it comes to an end before that. */
const perCall = { rowsMax: 100_000, ms: 3_000 } as const

/** Which stream to verify, how far one call goes, and from where. */
export const VerificationRequest = z
  .strictObject({
    stream_id: StreamId.meta({
      description: 'The id of the stream: for the stream of a tenant, that of the tenant.',
      examples: ['00000000-0000-0000-0000-000000000001'],
    }),
    limit: z
      .int()
      .min(1)
      .max(perCall.rowsMax)
      .optional()
      .meta({
        description: `How many rows to verify: 1 to ${perCall.rowsMax}, which is what is done unless told.`,
        examples: [10_000],
      }),
    cursor: PageQuery.shape.cursor.meta({ description: 'The `next_cursor` of the call before, to go on from there.' }),
  })
  .meta({ id: 'AuditStreamVerificationRequest', description: 'Which stream to verify, and from where.' })
export type VerificationRequest = z.output<typeof VerificationRequest>

const place = (description: string, example: number) => z.int().meta({ description, examples: [example] })

/** What the verification of a stream came to. */
export const StreamVerification = z
  .object({
    stream_id: StreamId.meta({
      description: 'The stream: the id of a tenant, for its own.',
      examples: ['00000000-0000-0000-0000-000000000001'],
    }),
    intact: z.boolean().meta({ description: 'Whether nothing was found.' }),
    findings: z
      .array(Finding)
      .meta({ description: 'What was found: the first thing of each kind in the stream, and in its checkpoints.' }),
    from_seq: place('The first place that was verified.', 1),
    to_seq: place('The last one; what is before it is as it was written.', 4242),
    rows: place('How many rows that were.', 4242),
    redacted: place('How many of them are redacted: of those, only what stays could be verified.', 0),
    certified_seq: z
      .int()
      .nullable()
      .meta({
        description:
          'Up to where a signed checkpoint says the same. What is behind it only fits together; null when that is all of it.',
        examples: [4240],
      }),
    checkpoint: z
      .int()
      .nullable()
      .meta({ description: 'The number of that checkpoint.', examples: [42] }),
    next_cursor: z.string().nullable().meta({ description: 'How to go on; null at the end of the stream.' }),
  })
  .meta({ id: 'AuditStreamVerification', description: 'What the verification of a stream came to.' })
export type StreamVerification = z.output<typeof StreamVerification>

const list = 'audit-verification'
/** The cursor has the row that was verified last: its place and its chain hash. */
const Reached = z.string().regex(/^\d{1,15} [0-9a-f]{64}$/)
const noId = repository.lastStream

function startOf(stream_id: StreamId, cursor: string | undefined): StreamStart {
  if (cursor === undefined) return streamStart
  const [seq = '', hash = ''] = decodeCursor(list, { stream_id }, cursor, Reached).key.split(' ')
  return { stream_seq: Number(seq), chain_hash: Buffer.from(hash, 'hex') }
}

const cursorOf = (stream_id: StreamId, { stream_seq, chain_hash }: StreamStart): string =>
  encodeCursor(list, { stream_id }, { key: `${stream_seq} ${chain_hash.toString('hex')}`, id: noId })

/**
 * Verifies a stream of the log, row by row, and the newest checkpoint of what was verified. Older checkpoints add
 * nothing to that one, and the keys are those that the database names: who trusts none of it has the command line.
 * @throws {RegistryError} `audit_stream.not_found`, `page.cursor_invalid`
 */
export async function verifyStream(
  db: Reader,
  stream_id: StreamId,
  { limit = perCall.rowsMax, cursor }: Omit<VerificationRequest, 'stream_id'>,
): Promise<StreamVerification> {
  const asked = startOf(stream_id, cursor)
  const kept = (await listStarts(db, [stream_id])).get(stream_id)
  // What was verified before may have been dropped with its month since.
  const start = kept && kept.stream_seq > asked.stream_seq ? kept : asked
  // Before the rows: what comes in meanwhile is not missed.
  const head = await repository.findStreamHead(db, stream_id)
  const [newest] = await repository.listNewestHeads(db, [stream_id])
  const redactions = await repository.listRedactions(db, [stream_id])
  const verifier = new StreamVerifier(stream_id, start, redactions.get(stream_id))
  const walk = { limit, until: performance.now() + perCall.ms, last: head?.stream_seq }
  const { isPaused, hasRows, beyond } = await verifyRows(db, verifier, walk, cursor === undefined)
  if (!hasRows && !head && !newest && cursor === undefined) throw new RegistryError('audit_stream.not_found')
  if (!isPaused) verifier.end(head, newest)
  const found = await foundIn(db, verifier, {
    hasHead: head !== undefined,
    hasRows,
    beyond: isPaused ? undefined : beyond,
  })
  const beside = await foundBeside(db, verifier)
  // Its first rows may have been dropped with their month while it was looked at.
  if (found && (await hasNewStart(db, verifier))) return await verifyStream(db, stream_id, { limit, cursor })
  const checkpoint = found?.checkpoint ?? verifier.certified?.number
  const ofCheckpoint = checkpoint === undefined ? [] : await problemsOfCheckpoint(db, checkpoint)
  const known = await repository.findCheckpointedPlace(db, stream_id)
  const findings = [...beside, ...(found ? [found] : []), ...ofCheckpoint, ...(known ? problemOfPlace(known) : [])]
  return {
    stream_id,
    intact: findings.length === 0,
    findings,
    from_seq: start.stream_seq + 1,
    to_seq: verifier.last.stream_seq,
    rows: verifier.rows,
    redacted: verifier.redacted,
    certified_seq: verifier.certified?.stream_seq ?? null,
    checkpoint: verifier.certified?.number ?? null,
    next_cursor: isPaused && findings.length === 0 ? cursorOf(stream_id, verifier.last) : null,
  }
}

/** How far to go: so many rows, until then, to this place. */
interface Bounds {
  readonly limit: number
  readonly until: number
  readonly last: number | undefined
}

interface Walked {
  readonly isPaused: boolean
  readonly hasRows: boolean
  /** The first place behind the end of the stream that has a row. */
  readonly beyond: number | undefined
}

/** @param isFirst whether nothing of the stream was looked at before: then nothing may stand before its beginning either */
async function verifyRows(
  db: Reader,
  verifier: StreamVerifier,
  { limit, until, last }: Bounds,
  isFirst: boolean,
): Promise<Walked> {
  const { stream_id } = verifier
  const from = verifier.last.stream_seq
  let hasRows = false
  for (const head of await repository.listCertifiedHeads(db, at(stream_id, from), at(stream_id, from))) {
    verifier.expect(head)
  }
  const after = isFirst ? repository.placeBefore(stream_id) : repository.placeBehind(stream_id, from)
  for await (const rows of rowPages(db, after, stream_id)) {
    hasRows = true
    await expectFor(db, verifier, rows)
    for (const redactions of (await redactedSince(db, rows, () => verifier.redactions)).values()) {
      verifier.redactions = redactions
    }
    for (const row of rows) {
      if (last !== undefined && row.stream_seq > last) return { isPaused: false, hasRows, beyond: row.stream_seq }
      verifier.push(row)
      if (verifier.finding) return { isPaused: false, hasRows, beyond: undefined }
      if (verifier.rows >= limit) return { isPaused: true, hasRows, beyond: undefined }
    }
    if (performance.now() > until && verifier.rows > 0) return { isPaused: true, hasRows, beyond: undefined }
  }
  return { isPaused: false, hasRows, beyond: undefined }
}

const at = (stream_id: StreamId, stream_seq: number) => ({ stream_id, stream_seq: String(stream_seq) })

async function expectFor(
  db: Reader,
  verifier: StreamVerifier,
  rows: readonly Parameters<typeof repository.placeOf>[0][],
): Promise<void> {
  const [first, last] = [rows[0], rows.at(-1)]
  if (!first || !last) return
  for (const head of await repository.listCertifiedHeads(db, repository.placeOf(first), repository.placeOf(last)))
    verifier.expect(head)
}

/**
 * What streams say was redacted, read once more, where rows came that nothing said so of: a row that was redacted before
 * it was read was told of before that as well.
 */
export async function redactedSince(
  db: Reader,
  rows: readonly VerificationRow[],
  known: (stream_id: StreamId) => PlaceRanges | undefined,
): Promise<Map<StreamId, PlaceRanges>> {
  const untold = rows.filter((row) => row.isRedacted && known(row.stream_id)?.has(row.stream_seq) !== true)
  if (untold.length === 0) return new Map()
  return await repository.listRedactions(db, [...new Set(untold.map(({ stream_id }) => stream_id))])
}

/** How a stream looks beside its rows. */
interface StreamShape {
  readonly hasHead: boolean
  readonly hasRows: boolean
  readonly beyond: number | undefined
}

/** What was found in a stream once its rows are verified, in the best words that there are for it. */
export async function foundIn(
  db: Reader,
  verifier: StreamVerifier,
  { hasHead, hasRows, beyond }: StreamShape,
): Promise<Finding | undefined> {
  const { stream_id, misfit } = verifier
  if (verifier.finding) return misfit ? await explainMisfit(db, misfit, verifier.finding) : verifier.finding
  if ((hasHead && beyond === undefined) || !hasRows) return undefined
  // Either rows came in since its head was read, or they do not belong there.
  const head = await repository.findStreamHead(db, stream_id)
  if (!head) return finding('head_missing', 'the stream has rows, and no head that says so', { stream_id })
  if (beyond === undefined || beyond <= head.stream_seq) return undefined
  const message = `the stream has ${head.stream_seq} rows as its head says, and one stands behind them`
  return finding('row_inserted', message, { stream_id, stream_seq: beyond })
}

/** What was found in rows that fit the chain, which leaves out the tenant and what a row is found by. */
export async function foundBeside(
  db: Reader,
  { stream_id, released, otherwiseFound }: StreamVerifier,
): Promise<Finding[]> {
  const found = otherwiseFound ? [otherwiseFound] : []
  // Asked behind the rows: one that is purged stays so, and its id is nobody's again.
  if (!released || (await repository.listTenants(db, [stream_id])).length === 0) return found
  const message = 'the row does not name the tenant whose stream it is in, who is not gone'
  return [
    finding('row_edited', message, { stream_id, stream_seq: released.stream_seq, event_id: released.id }),
    ...found,
  ]
}

/** What is wrong with a checkpoint that was relied on. */
async function problemsOfCheckpoint(db: Reader, number: CertifiedHead['number']): Promise<Finding[]> {
  const checkpoint = await findCheckpoint(db, number)
  if (!checkpoint) return [finding('checkpoint_removed', `checkpoint ${number} is missing`, { checkpoint: number })]
  const problems = [
    problemOfSignature(await keysOfDatabase(db), checkpoint),
    problemOfHeads(checkpoint, await listHeads(db, number, number)),
  ]
  return problems.filter((problem) => problem !== undefined)
}
