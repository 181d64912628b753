import { type EventId, StreamId, type TenantId } from '../id.ts'
import type { Actor } from './actor.ts'
import type { EventMap } from './event-map.ts'

/** The product under which the registry's own events stand. No product can have this key. */
export const ownProduct = 'tenant-registry'

/** Create, read, update, delete. */
export type Crud = 'c' | 'r' | 'u' | 'd'

/** Whoever or whatever an event tells of. */
export interface EventParty {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly href?: string | undefined
  readonly fields?: EventMap | undefined
}

/**
 * An event as it comes in, every field of Retraced's. What is absent stays absent: false is not the same as not said.
 */
export interface NewAuditEvent {
  /** Its id, where that was told already. */
  readonly id?: EventId | undefined
  /** Retraced's hash of what was sent, where something was filled in since. */
  readonly hash?: Buffer | undefined
  /** Whose log it belongs to, when the group is a tenant. */
  readonly tenant_id: TenantId | null
  /** The stream it stands in, where that does not follow from the rest: the last event of a tenant that is gone. */
  readonly stream_id?: StreamId | undefined
  readonly product: string
  readonly environment: 'live' | 'test'
  readonly action: string
  readonly crud: Crud
  readonly group?: { readonly id?: string | undefined; readonly name?: string | undefined } | undefined
  readonly actor?: EventParty | undefined
  readonly target?: (EventParty & { readonly type?: string | undefined }) | undefined
  /** When it happened, if that is not now. */
  readonly created_at?: Date | undefined
  readonly source_ip?: string | undefined
  readonly description?: string | undefined
  readonly component?: string | undefined
  readonly version?: string | undefined
  readonly external_id?: string | undefined
  readonly is_anonymous?: boolean | undefined
  readonly is_failure?: boolean | undefined
  readonly fields?: EventMap | undefined
  readonly metadata?: EventMap | undefined
}

/** What the registry itself did to a tenant or to something of a tenant's. */
export interface Change {
  /** Past tense, `noun.verb`: `tenant.created`. */
  readonly action: `${string}.${string}`
  /** `r` only where something secret was opened, or the platform looked into a tenant's log. */
  readonly crud: Crud
  /**
   * Whose it is, or null when it is no tenant's. `gone` when the transaction took the tenant away: its log stays, the
   * reference to it cannot.
   */
  readonly tenant: { readonly id: TenantId; readonly name: string; readonly gone?: true } | null
  /** The stream it stands in, where that is no tenant's. */
  readonly stream_id?: StreamId
  readonly target: { readonly id: string; readonly type: string; readonly name?: string }
  /** Who did it, where that is not who asked: time itself, for instance. */
  readonly actor?: { readonly id: string; readonly name?: string; readonly role: string }
  /** What the actor noted with it, for the platform's people only. */
  readonly note?: string
  /** The thing as it was, without anything secret; absent when it is new. */
  readonly before?: object
  /** The thing as it is, without anything secret; absent when it is gone. */
  readonly after?: object
}

/** The registry's own event for a change: the same shape as everybody's, in the tenant's stream. */
export function ownEvent(asker: Actor, change: Change): NewAuditEvent {
  const { id, name, role } = change.actor ?? asker
  const { tenant } = change
  return {
    tenant_id: tenant && !tenant.gone ? tenant.id : null,
    ...(tenant?.gone && { stream_id: StreamId.parse(tenant.id) }),
    ...(change.stream_id !== undefined && { stream_id: change.stream_id }),
    product: ownProduct,
    environment: 'live',
    action: change.action,
    crud: change.crud,
    ...(tenant && { group: { id: tenant.id, name: tenant.name } }),
    actor: { id, ...(name !== undefined && { name }), fields: [['role', role]] },
    target: change.target,
    ...(asker.source_ip !== undefined && { source_ip: asker.source_ip }),
    fields: difference(change.before, change.after),
    metadata: [
      ...entry('note', change.note),
      ...entry('request_id', asker.request_id),
      ...entry('trace_id', asker.trace_id),
      ...entry('user_agent', asker.user_agent),
    ],
  }
}

const entry = (name: string, value: string | undefined): EventMap => (value === undefined ? [] : [[name, value]])

/** What the event says already, or what changes with every write. */
const bookkeeping: ReadonlySet<string> = new Set(['id', 'version', 'created_at', 'updated_at'])

/** `before.<field>` and `after.<field>` for every field that differs. A field that has no value has no entry. */
function difference(before: object = {}, after: object = {}): EventMap {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !bookkeeping.has(name))
    .sort()
  const was = new Map<string, unknown>(Object.entries(before))
  const is = new Map<string, unknown>(Object.entries(after))
  return names.flatMap((name) => {
    const [old, now] = [spell(was.get(name)), spell(is.get(name))]
    if (old === now) return []
    return [
      ...(old === undefined ? [] : [[`before.${name}`, old] as const]),
      ...(now === undefined ? [] : [[`after.${name}`, now] as const]),
    ]
  })
}

function spell(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  return JSON.stringify(value)
}
