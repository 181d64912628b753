import { createHash } from 'node:crypto'
import type { KeyEnvironment } from '../api-keys/token.ts'
import { type EventId, newEventId, type TenantId } from '../id.ts'
import { hashOfEvent } from './audit.repository.ts'
import type { Acknowledged } from './dedup.repository.ts'
import type { PublishedEvent, Recorded } from './published-event.ts'

/** Flags that an event's hash is made of in place of what it says: its sender computes them with what it sent. */
export type HashedFlags = Partial<Pick<PublishedEvent, 'is_anonymous' | 'is_failure'>>

/** Events that somebody wants recorded: all of them, or none. */
export interface Submission {
  /** Who publishes: an Idempotency-Key is its own. Of an API key, its family: a rotation is no new publisher. */
  readonly principal: string
  readonly product: string
  readonly environment: KeyEnvironment
  /** At least one. Those of one stream stand in it in this order. */
  readonly events: readonly PublishedEvent[]
  /** Event by event; as the events say unless told. */
  readonly hashedFlags?: readonly HashedFlags[] | undefined
  /** Whose log all of them belong to, where that is known: null for no tenant's. By their groups unless told. */
  readonly tenant_id?: TenantId | null | undefined
  /** Under which this is recorded once, however often it comes within seven days. */
  readonly idempotencyKey?: string | undefined
  /**
   * With `external_id`, an event is not recorded again when one of that `external_id` was recorded in this way, of the
   * same product and environment, in the same stream.
   */
  readonly uniqueBy?: 'external_id' | undefined
}

/** A name of the log that an event of a submission goes into, as far as the two say so themselves. */
export const logOf = (
  { product, environment, tenant_id }: Pick<Submission, 'product' | 'environment' | 'tenant_id'>,
  { group }: PublishedEvent,
): string => tenant_id ?? `${product}\n${environment}\n${group?.id ?? ''}`

/** What became of a submission. */
export interface Receipt {
  /** Event by event. */
  readonly recorded: readonly Recorded[]
  /** Whether it had come before, under the same Idempotency-Key. */
  readonly replayed: boolean
}

/** A submission whose events have their ids and hashes. */
export interface Numbered extends Submission {
  readonly ids: readonly EventId[]
  readonly hashes: readonly Buffer[]
  /** What is to be known under its Idempotency-Key. */
  readonly claim: Acknowledged | undefined
}

/** Gives events their ids and hashes: slow work that no transaction should hold its locks for. */
export function numbered(submission: Submission): Numbered {
  const { principal, product, environment, events, hashedFlags = [], idempotencyKey, uniqueBy } = submission
  const ids = events.map(newEventId)
  const hashes = events.map((event, at) => hashOfEvent(ids[at] as EventId, { ...event, ...hashedFlags[at] }))
  if (idempotencyKey === undefined) return { ...submission, ids, hashes, claim: undefined }
  const claim = {
    digest: digestOf(['key', principal, idempotencyKey]),
    fingerprint: digestOf([product, environment, uniqueBy ?? '', JSON.stringify(events)]),
    event_ids: ids,
    hashes,
  }
  return { ...submission, ids, hashes, claim }
}

/** SHA-256 of several texts that no other texts have: each after its length. */
export function digestOf(texts: readonly string[]): Buffer {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text)
  return hash.digest()
}
