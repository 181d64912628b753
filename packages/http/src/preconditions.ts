import { hash } from 'node:crypto'
import { RegistryError } from '@breakpilot/tenant-core'

/**
 * The entity tag of an answer: the version of the thing, and a digest of what is sent. An answer also changes with the
 * time, the caller's role and other tables, none of which change the version.
 */
export function entityTag(version: number | null, body: string): string {
  return `"${version ?? 0}-${hash('sha1', body, 'base64url').slice(0, 8)}"`
}

const tag = /^(?:W\/)?"((?:0|[1-9]\d{0,9})(?:-[A-Za-z0-9_-]{1,32})?)"$/

/**
 * The version that `If-Match` asks for: what stands before the dash of a tag of ours, or the whole of `"7"`.
 * `*` asks for anything that is there, which every change does.
 * @throws {RegistryError} `request.header_invalid`
 */
export function expectedVersion(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  const [, opaque] = tag.exec(header.trim()) ?? []
  if (opaque === undefined) {
    throw new RegistryError('request.header_invalid', { detail: 'If-Match has to be one ETag of this resource, or *.' })
  }
  return Number(opaque.split('-')[0])
}

/** Whether `If-None-Match` names this tag: the caller has this very answer already. */
export function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)
}
