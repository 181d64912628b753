import { hash } from 'node:crypto'
import { type Expectation, RegistryError } from '@breakpilot/tenant-core'
import type { Route } from './route.ts'

/**
 * The entity tag of an answer: the version of the thing, and a digest of what is sent. An answer also changes with the
 * time, the caller's role and other tables, none of which change the version.
 */
export function entityTag(version: number | null, body: string): string {
  return `"${version ?? 0}-${hash('sha1', body, 'base64url').slice(0, 8)}"`
}

const tag = /^(?:W\/)?"((?:0|[1-9]\d{0,9})(?:-[A-Za-z0-9_-]{1,32})?)"$/

/** Whether a route makes what is not there yet, under a name that the caller chose: then `If-None-Match: *` has a meaning. */
export const mayCreate = ({ method, preconditions }: Pick<Route, 'method' | 'preconditions'>): boolean =>
  method === 'put' && preconditions === true

/** The headers that make a change conditional. */
interface Conditions {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/**
 * What the caller of a change expects to be there: by `If-Match` the version that stands before the dash of a tag of
 * ours, or the whole of `"7"`, and by `*` anything; by `If-None-Match: *` nothing. A condition that would not be kept is
 * refused: whoever sends one relies on it.
 * @throws {RegistryError} `request.header_invalid`
 */
export function expectationOf(
  route: Pick<Route, 'method' | 'preconditions'>,
  { 'if-match': match, 'if-none-match': noneMatch }: Conditions,
): Expectation | undefined {
  if (route.method === 'get' || (match === undefined && noneMatch === undefined)) return undefined
  if (match !== undefined && !route.preconditions) throw refused('If-Match is not honoured here. Leave it out.')
  if (noneMatch !== undefined) {
    if (!mayCreate(route)) throw refused('If-None-Match is not honoured here. Leave it out.')
    if (match !== undefined) throw refused('If-Match and If-None-Match cannot both hold. Send one of them.')
    if (noneMatch.trim() === '*') return 'none'
    throw refused('If-None-Match can only be * here.')
  }
  if (match?.trim() === '*') return 'any'
  const [, opaque] = tag.exec(match?.trim() ?? '') ?? []
  if (opaque === undefined) throw refused('If-Match has to be one ETag of this resource, or *.')
  return Number(opaque.split('-')[0])
}

const refused = (detail: string) => new RegistryError('request.header_invalid', { detail })

/** Whether `If-None-Match` names this tag: the caller has this very answer already. */
export function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)
}
