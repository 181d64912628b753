import type { CompiledQuery } from 'kysely'
import type { Db, HousekeepingTx } from '../db/handles.ts'
import { pipelined } from '../db/pipelined.ts'
import { RegistryError } from '../errors.ts'
import type { EventId, StreamId, TenantId } from '../id.ts'
import type { Catalogue } from '../products/catalogue.ts'
import type { NewAuditEvent } from './audit-event.ts'
import { appendForLockedTenants, listHeldLogs, prepare, streamOfEvent } from './audit.repository.ts'
import { type Acknowledged, claim, correctClaim } from './dedup.repository.ts'
import { fillInFrom, findKnown, remember } from './entities.ts'
import { findTenantsOfGroups, type Group, groupKey, lockTenantsOfGroups } from './group.repository.ts'
import type { PublishedEvent, Recorded } from './published-event.ts'
import { digestOf, logOf, type Numbered, type Receipt } from './submission.ts'

/**
 * Records submissions in one transaction and answers what became of each. None of them may have the Idempotency-Key of
 * another, and one that is unique by something has to come alone.
 *
 * Locks are taken in the order of everybody who appends: keys, tenants, external ids, what is known, heads; and among
 * each kind in the order of their names. Statements wait for one another only where one needs the answer to another: most
 * of what a small batch takes are round trips, and while it holds heads others wait for it.
 * @param lockMs milliseconds that it waits for a lock, if not as long as every transaction
 * @throws {RegistryError} `audit_event.external_id_reused`
 */
export async function recordSubmissions(
  db: Db,
  catalogue: Catalogue,
  submissions: readonly Numbered[],
  lockMs?: number,
): Promise<(Receipt | RegistryError)[]> {
  const record = async (tx: HousekeepingTx) => {
    const known = await claim(
      tx,
      submissions.flatMap((each) => each.claim ?? []),
    )
    const answered = submissions.map((each) => answerOf(each, known))
    const fresh = submissions.filter((_, at) => answered[at] === undefined)
    const { receipts, last } = await recordFresh(tx, catalogue, fresh)
    return { last, answer: answered.map((answer) => answer ?? (receipts.shift() as Receipt)) }
  }
  return await pipelined(db, record, lockMs)
}

/** Which of the logs of these submissions, or of their tenants, somebody else holds at this moment: by `logOf`. */
export async function heldAmong(
  db: Db,
  catalogue: Catalogue,
  submissions: readonly Numbered[],
  lockMs: number,
): Promise<ReadonlySet<string>> {
  const look = async (tx: HousekeepingTx) => {
    const tenants = await findTenantsOfGroups(tx, groupsOf(catalogue, submissions))
    const streams = new Map<string, StreamId>()
    for (const submission of submissions) {
      const events = eventsOf(submission, tenants)
      for (const [at, event] of submission.events.entries()) {
        const made = events[at]
        if (made) streams.set(logOf(submission, event), streamOfEvent(made))
      }
    }
    const held = await listHeldLogs(tx, [...new Set(streams.values())].sort())
    return { answer: new Set([...streams].filter(([, stream]) => held.has(stream)).map(([log]) => log)) }
  }
  return await pipelined(db, look, lockMs)
}

/** The answer to what came before under the same key; undefined for what did not. */
function answerOf({ claim: mine }: Numbered, known: Map<string, Acknowledged>): Receipt | RegistryError | undefined {
  const earlier = mine && known.get(mine.digest.toString('hex'))
  if (!earlier) return undefined
  if (earlier.fingerprint.equals(mine.fingerprint)) return { recorded: recordedOf(earlier), replayed: true }
  return new RegistryError('idempotency.key_reused', { detail: 'Other events came with this key. Use a new one.' })
}

const recordedOf = ({ event_ids, hashes }: Pick<Acknowledged, 'event_ids' | 'hashes'>): Recorded[] =>
  event_ids.map((id, at) => ({ id, hash: hashes[at] as Buffer }))

/** What is recorded by a statement that is still to be sent. */
interface Recording<Receipts> {
  readonly receipts: Receipts
  readonly last?: CompiledQuery
}

async function recordFresh(
  tx: HousekeepingTx,
  catalogue: Catalogue,
  submissions: readonly Numbered[],
): Promise<Recording<Receipt[]>> {
  const [first] = submissions
  if (!first) return { receipts: [] }
  const groups = groupsOf(catalogue, submissions)
  if (submissions.length === 1 && first.uniqueBy) {
    const events = eventsOf(first, await lockTenantsOfGroups(tx, groups))
    const { receipts, ...rest } = await recordUnique(tx, first, events)
    return { receipts: [receipts], ...rest }
  }
  const [tenants, known] = await Promise.all([
    lockTenantsOfGroups(tx, groups),
    findKnown(tx, submissions.flatMap(namingOf)),
  ])
  const events = submissions.flatMap((each) => eventsOf(each, tenants))
  const last = await append(tx, known, events)
  const receipts = submissions.map(({ ids, hashes }) => ({
    recorded: recordedOf({ event_ids: ids, hashes }),
    replayed: false,
  }))
  return { receipts, last }
}

/** Appends events with what is known of whom they name, but for the statement that does. */
async function append(
  tx: HousekeepingTx,
  known: Awaited<ReturnType<typeof findKnown>>,
  events: readonly NewAuditEvent[],
): Promise<CompiledQuery> {
  const { filled, said } = fillInFrom(known, events)
  // All of it is ready before a lock is taken.
  const batch = prepare(filled)
  const [, appending] = await Promise.all([remember(tx, said), appendForLockedTenants(tx, batch)])
  return appending
}

/** Whom the events name, once each. */
function groupsOf({ products }: Catalogue, submissions: readonly Numbered[]): Group[] {
  const groups = new Map<string, Group>()
  for (const submission of submissions) {
    const { product } = submission
    const bySlug = products.get(product)?.audit_group === 'slug'
    for (const event of submission.events) {
      const id = tenantNameOf(submission, event)
      if (id) groups.set(groupKey({ product, id }), { product, id, bySlug })
    }
  }
  return [...groups.values()]
}

/** By what the tenant of an event is looked up: by itself where it is known, so that it is locked and still there. */
const tenantNameOf = ({ tenant_id }: Pick<Numbered, 'tenant_id'>, { group }: PublishedEvent): string | null =>
  tenant_id === undefined ? (group?.id ?? null) : tenant_id

const namingOf = ({ product, environment, events }: Numbered) =>
  events.map(({ actor, group, target }) => ({ product, environment, actor, group, target }))

function eventsOf(submission: Numbered, tenants: ReadonlyMap<string, TenantId>): NewAuditEvent[] {
  const { product, environment, events, ids, hashes } = submission
  return events.map((event, at) => {
    const id = tenantNameOf(submission, event)
    return {
      ...event,
      id: ids[at],
      hash: hashes[at],
      product,
      environment,
      tenant_id: (id && tenants.get(groupKey({ product, id }))) || null,
    }
  })
}

/**
 * Records those events whose `external_id` the product has not used yet, in this environment and stream: all products
 * of a tenant, live and test, share its stream, and each counts its own orders.
 */
async function recordUnique(
  tx: HousekeepingTx,
  { claim: mine, product, environment, events: sent }: Numbered,
  events: readonly NewAuditEvent[],
): Promise<Recording<Receipt>> {
  const claims = events.map((event, at) => ({
    digest: digestOf(['external_id', product, environment, streamOfEvent(event), event.external_id ?? '']),
    fingerprint: digestOf([JSON.stringify(sent[at])]),
    event_ids: [event.id as EventId],
    hashes: [event.hash as Buffer],
  }))
  // Of two with the same one in one submission the first counts.
  const standing = new Map<string, Acknowledged>()
  for (const each of claims) if (!standing.has(hex(each))) standing.set(hex(each), each)
  for (const [digest, earlier] of await claim(tx, [...standing.values()])) standing.set(digest, earlier)
  const stands = claims.map((each, at) => {
    const there = standing.get(hex(each)) as Acknowledged
    if (there.fingerprint.equals(each.fingerprint)) return there
    throw new RegistryError('audit_event.external_id_reused', {
      detail: `Of event ${at} the group has another one with this external_id.`,
    })
  })
  const fresh = events.filter((_, at) => stands[at] === claims[at])
  const recorded = stands.flatMap(recordedOf)
  if (mine && fresh.length < events.length) {
    await correctClaim(tx, {
      ...mine,
      event_ids: recorded.map(({ id }) => id),
      hashes: recorded.map(({ hash }) => hash),
    })
  }
  const receipts = { recorded, replayed: false }
  if (fresh.length === 0) return { receipts }
  return { receipts, last: await append(tx, await findKnown(tx, fresh), fresh) }
}

const hex = ({ digest }: Acknowledged) => digest.toString('hex')
