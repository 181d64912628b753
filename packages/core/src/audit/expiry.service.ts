import type { AuditedTx, Db } from '../db/handles.ts'
import type { StreamId } from '../id.ts'
import type { Actor } from './actor.ts'
import { audited, unchanged } from './audited.ts'
import * as repository from './expiry.repository.ts'
import { blindClaims, listHeld } from './redaction.repository.ts'
import { redactListed } from './redaction.service.ts'

/** Streams that one statement looks at, events that one reads, and events that one transaction redacts. */
const atOnce = { streams: 500, events: 5_000, redacted: 500 } as const

/** How the redaction of what is over is done. */
export interface ExpiryOptions {
  /** Goes into the log. */
  readonly reason: string
  /** Counts alone. */
  readonly dryRun?: boolean | undefined
  /** Ends it between two batches: the next run goes on. */
  readonly signal?: AbortSignal | undefined
}

/** What was over, and was redacted or would be. */
export interface Expired {
  readonly events: number
  readonly streams: number
  /** Streams that have something, and stay as they are for their legal hold. */
  readonly held: readonly StreamId[]
}

/**
 * Redacts the events that are over by the plan of the tenant whose log they are in, as reads leave them out: their rows
 * stay until no plan keeps their month, and are then dropped with it. Needs the role that owns the log.
 *
 * A stream at a time, and some hundred events in a transaction, which says so in the stream: who is interrupted does it
 * again and goes on where it ended.
 */
export async function redactExpired(db: Db, actor: Actor, options: ExpiryOptions): Promise<Expired> {
  const expired = { events: 0, streams: 0, held: [] as StreamId[] }
  let after: StreamId | undefined
  do {
    const { old, last } = await repository.listStreamsWithOld(db, after, atOnce.streams)
    const held = new Set(await listHeld(db, old))
    for (const id of old) {
      if (held.has(id)) {
        if ((await countOver(db, id, false, options.signal)) > 0) expired.held.push(id)
        continue
      }
      const events = options.dryRun
        ? await countOver(db, id, true, options.signal)
        : await redactStream(db, actor, id, options)
      expired.events += events
      if (events > 0) expired.streams += 1
    }
    after = last
  } while (after !== undefined)
  return expired
}

async function countOver(db: Db, id: StreamId, holdKeeps: boolean, signal: AbortSignal | undefined): Promise<number> {
  let count = 0
  for (const { product, stream_seq } of await repository.listExpiries(db, id, holdKeeps)) {
    for (let after: number | undefined = stream_seq; after !== undefined;) {
      signal?.throwIfAborted()
      const at = { product, stream_seq: after }
      const events: readonly repository.AgingEvent[] = await repository.listAging(db, id, at, atOnce.events, holdKeeps)
      count += events.filter((event) => event.is_over).length
      after = behind(events)
    }
  }
  return count
}

/** Product by product: each has its own moment, and only what has come between that and the last one is looked at. */
async function redactStream(db: Db, actor: Actor, id: StreamId, { reason, signal }: ExpiryOptions): Promise<number> {
  let count = 0
  for (const { product, stream_seq } of await repository.listExpiries(db, id, true)) {
    for (let after: number | undefined = stream_seq; after !== undefined;) {
      signal?.throwIfAborted()
      const at = { product, stream_seq: after }
      const page: Batch = await audited(db, actor, async (tx) => await redactSome(tx, actor, id, at, reason))
      count += page.redacted
      after = page.next
    }
  }
  return count
}

/** Behind which place there may be more that is over. */
function behind(events: readonly repository.AgingEvent[]): number | undefined {
  const last = events.at(-1)
  return last?.is_old && events.length === atOnce.events ? last.stream_seq : undefined
}

interface Batch {
  readonly redacted: number
  /** Behind which place to go on. */
  readonly next: number | undefined
}

async function redactSome(tx: AuditedTx, actor: Actor, id: StreamId, after: repository.Expiry, reason: string) {
  // Before the rest is read: what is over then is so until the commit.
  await repository.lockTenantOfStream(tx, id)
  const events = await repository.listAging(tx, id, after, atOnce.events, true)
  const over = events.filter((event) => event.is_over)
  const batch = over.slice(0, atOnce.redacted)
  const isWhole = batch.length === over.length
  const next = isWhole ? behind(events) : batch.at(-1)?.stream_seq
  const done = isWhole ? events.findLast((event) => event.is_old)?.stream_seq : next
  if (done !== undefined) await repository.saveExpiry(tx, id, { ...after, stream_seq: done })
  if (batch.length === 0) return unchanged<Batch>({ redacted: 0, next })
  await blindClaims(
    tx,
    batch.map((event) => event.id),
  )
  const { result: redacted, ...outcome } = await redactListed(tx, actor, id, batch, reason)
  return { ...outcome, result: { redacted, next } }
}
