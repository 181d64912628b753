import type { AuditedTx, Db } from '../db/handles.ts'
import { RegistryError } from '../errors.ts'
import { type EventId, type StreamId, TenantId } from '../id.ts'
import { findTenant } from '../tenants/tenant.repository.ts'
import type { Actor } from './actor.ts'
import { audited, changed, unchanged } from './audited.ts'
import { forget } from './forgetting.ts'
import { PlaceRanges } from './place-ranges.ts'
import * as repository from './redaction.repository.ts'
import { type Redacted, type RedactionRequest, redactedAction } from './redaction.ts'

/** Events that one transaction redacts, and streams that one statement looks into. */
const atOnce = { events: 1_000, streams: 500 } as const

/**
 * Erases what events say of persons, for good: their personal block, the salt of its digest, and the words that they are
 * found by. Their places in the chain stay, and still verify. Each stream gets an event that tells of it. Needs the role
 * that owns the log: the server's cannot do this.
 *
 * What the log remembers of them is forgotten first, so that nothing that comes in is filled in with it again. A stream at
 * a time, and a thousand events: who is interrupted does it again and goes on where it ended. Doing it again changes nothing.
 * @throws {RegistryError} `audit_event.not_found`, `tenant.legal_hold`, `database.busy` before anything is changed
 */
export async function redactEvents(db: Db, actor: Actor, request: RedactionRequest): Promise<Redacted> {
  const streams = await streamsOf(db, request)
  const held = await repository.listHeld(db, streams)
  if (held.length > 0 && request.skip_held !== true) {
    throw new RegistryError('tenant.legal_hold', {
      detail: `These streams are under a legal hold: ${held.join(', ')}.`,
    })
  }
  const free = streams.filter((id) => !held.includes(id))
  const forgotten = await forget(db, request, free)
  let all = 0
  for (const id of free) all += await redactStream(db, actor, id, request)
  return { events: all, streams: free.length, held, forgotten }
}

async function streamsOf(db: Db, request: RedactionRequest): Promise<StreamId[]> {
  if (request.event_ids) return await streamsOfEvents(db, request.event_ids, request.stream_id)
  if (request.stream_id !== undefined) return [request.stream_id]
  const streams: StreamId[] = []
  let after: StreamId | undefined
  do {
    const { asked, last } = await repository.listStreamsAsked(db, request, after, atOnce.streams)
    streams.push(...asked)
    after = last
  } while (after !== undefined)
  return streams
}

async function streamsOfEvents(db: Db, ids: readonly EventId[], only: StreamId | undefined): Promise<StreamId[]> {
  const found = (await repository.listStreamsOfEvents(db, ids)).filter(
    ({ stream_id }) => only === undefined || stream_id === only,
  )
  const known = new Set(found.map(({ id }) => id))
  const missing = ids.find((id) => !known.has(id))
  if (missing !== undefined)
    throw new RegistryError('audit_event.not_found', { detail: `There is no event ${missing}.` })
  return [...new Set(found.map(({ stream_id }) => stream_id))].sort()
}

async function redactStream(db: Db, actor: Actor, id: StreamId, request: RedactionRequest): Promise<number> {
  for (let all = 0; ;) {
    const redacted = await audited(db, actor, async (tx) => await redactSome(tx, actor, id, request))
    all += redacted
    if (redacted < atOnce.events) return all
  }
}

async function redactSome(tx: AuditedTx, actor: Actor, id: StreamId, request: RedactionRequest) {
  const events = await repository.listRedactable(tx, id, request, atOnce.events)
  if (events.length === 0) return unchanged(0)
  // Before the stream is locked, as who takes in events does.
  await repository.blindClaims(
    tx,
    events.map((event) => event.id),
  )
  return await redactListed(tx, actor, id, events, request.reason)
}

/** Redacts these events of a stream, and says so in it. */
export async function redactListed(
  tx: AuditedTx,
  actor: Actor,
  id: StreamId,
  events: readonly Pick<repository.RedactableEvent, 'id' | 'stream_seq'>[],
  reason: string,
) {
  const ids = events.map((event) => event.id)
  const redacted = await repository.redactRows(tx, id, ids)
  if (redacted < ids.length) throw new Error(`somebody else redacts stream ${id} at the same time: try again`)
  const [only] = ids
  const tenant = await tenantOf(tx, actor, id)
  return changed(redacted, {
    action: redactedAction,
    crud: 'u',
    ...(tenant ? { tenant } : { tenant: null, stream_id: id }),
    target: only !== undefined && ids.length === 1 ? { id: only, type: 'audit_event' } : { id, type: 'audit_stream' },
    note: reason,
    after: { events: redacted, stream_seqs: PlaceRanges.of(events.map(({ stream_seq }) => stream_seq)).toString() },
  })
}

/** A tenant's stream has the tenant's id. */
async function tenantOf(
  tx: AuditedTx,
  actor: Actor,
  id: StreamId,
): Promise<{ id: TenantId; name: string } | undefined> {
  const tenant = await findTenant(tx, actor.sight, TenantId.parse(id))
  return tenant && { id: tenant.id, name: tenant.name }
}
