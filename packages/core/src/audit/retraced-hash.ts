import { hash } from 'node:crypto'
import type { EventMap } from './event-map.ts'

/** What Retraced's hash covers: what was sent, before anything was filled in. */
export interface HashedEvent {
  /** 32 hexadecimal digits, without dashes. */
  readonly id: string
  readonly action: string
  readonly target_id?: string | undefined
  readonly actor_id?: string | undefined
  readonly group_id?: string | undefined
  readonly source_ip?: string | undefined
  readonly is_failure?: boolean | undefined
  readonly is_anonymous?: boolean | undefined
  readonly fields?: EventMap | undefined
  readonly external_id?: string | undefined
  readonly metadata?: EventMap | undefined
}

/**
 * The hash that Retraced's clients compute again and compare: SHA-256 over a text of the event's main fields.
 * Source: the `computeHash` functions of Retraced's JavaScript and Go clients, version 1.13.
 */
export function retracedHash(event: HashedEvent): Buffer {
  return hash('sha256', retracedHashTarget(event), 'buffer')
}

/** The text that is hashed. The lengths of its pieces are not in it, hence the escaping. */
export function retracedHashTarget(event: HashedEvent): string {
  const head = [
    event.id,
    event.action,
    event.target_id ?? '',
    event.actor_id ?? '',
    event.group_id ?? '',
    event.source_ip ?? '',
    event.is_failure ? '1' : '0',
    event.is_anonymous ? '1' : '0',
  ]
  // Absent fields leave a colon, present ones none after them: `{}` and no fields differ, as in the clients.
  const fields = event.fields === undefined ? ':' : pairs(event.fields)
  const external = event.external_id ? `:${escape(event.external_id)}` : ''
  const metadata = event.metadata === undefined ? '' : `:${pairs(event.metadata)}`
  return `${head.map(escape).join(':')}:${fields}${external}${metadata}`
}

/** Names in the order of UTF-16 code units, which is what JavaScript's `sort` does. */
function pairs(map: EventMap): string {
  return map
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${escapePair(name)}=${escapePair(value)};`)
    .join('')
}

function escape(piece: string): string {
  // Hardly any text has one of them.
  if (!/[%:]/.test(piece)) return piece
  return piece.replaceAll('%', '%25').replaceAll(':', '%3A')
}

function escapePair(piece: string): string {
  return escape(piece).replaceAll('=', '%3D').replaceAll(';', '%3B')
}
