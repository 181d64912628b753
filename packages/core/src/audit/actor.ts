import type { KeyAuthority } from '../api-keys/grant.ts'
import { everything, type Sight } from '../sight.ts'

/** Who does something, and from where: what the audit log says of every change. */
export interface Actor {
  /** Who it is, in a form that stays the same: a subject, a key's id, a script's name. */
  readonly id: string
  readonly name?: string
  /** What kind of authority it acts with: `platform-owner`, `script`, … */
  readonly role: string
  /** Which tenants it may see; what it may do there was judged before. */
  readonly sight: Sight
  /** The key that it acts by, when it is one: it can hand on no more than it has. */
  readonly key?: KeyAuthority
  readonly request_id?: string
  /** The trace that the request belongs to: W3C trace context. */
  readonly trace_id?: string
  readonly source_ip?: string
  readonly user_agent?: string
}

/** The actor of an internal script or job. */
export function scriptActor(id: string): Actor {
  return { id, role: 'script', sight: everything }
}
