import { ndjson } from '../answer.ts'
import { type Operation, operations, type Ops } from '../generated/operations.gen.ts'
import type { Problem, Tenant } from '../generated/schemas.gen.ts'
import { randomKey } from '../transport.ts'
import type { FakeRequest } from './handlers.ts'
import type { FakeRefusal } from './refusal.ts'

const statusOf: Partial<Record<keyof Ops, number>> = { createTenant: 201, createProject: 201, purgeTenant: 202 }
/** What has a version has an ETag; these have one all the same. */
const tagged: ReadonlySet<keyof Ops> = new Set(['getEntitlements', 'getProduct'])

/** The answer of the registry, with the headers that it has there. */
export function replyOf({ operation, args, headers: asked }: FakeRequest, result: unknown): Response {
  const headers = new Headers(headersFor(asked))
  if (result === undefined) return new Response(null, { status: 204, headers })
  if (operation === 'getTenantBySlug') {
    const { slug } = result as Tenant
    if (slug !== (args as Ops[typeof operation]['args']).path.slug)
      headers.set('content-location', `/v1/tenants/by-slug/${slug}`)
  }
  const { lines }: Operation = operations[operation]
  const body = lines && typeof result === 'string' ? result : JSON.stringify(result)
  const { version } = result as { readonly version?: unknown }
  if (typeof version === 'number' || tagged.has(operation)) {
    const etag = `"${Number(version ?? 0)}-${digest(body)}"`
    headers.set('etag', etag)
    const isRead = operations[operation].method === 'GET'
    if (isRead && isKnown(asked.get('if-none-match'), etag)) return new Response(null, { status: 304, headers })
  }
  headers.set('content-type', lines ? ndjson : 'application/json; charset=utf-8')
  return new Response(body, { status: statusOf[operation] ?? 200, headers })
}

/** The problem that a refusal is. */
export function problemOf({ status, code, facts }: FakeRefusal, instance: string, asked: Headers): Response {
  const { retryAfterSeconds, ...rest } = facts
  const headers = new Headers({ ...headersFor(asked), 'content-type': 'application/problem+json; charset=utf-8' })
  if (retryAfterSeconds !== undefined) headers.set('retry-after', String(retryAfterSeconds))
  const request_id = headers.get('x-request-id') ?? ''
  const type = `urn:tenant-registry:problem:${code}`
  const body: Problem = { type, title: code, status, instance, code, request_id, ...rest }
  return new Response(JSON.stringify(body), { status, headers })
}

function headersFor(asked: Headers): Record<string, string> {
  const given = asked.get('x-request-id') ?? ''
  return {
    'x-request-id': /^[\w.-]{8,64}$/.test(given) ? given : randomKey(),
    'cache-control': 'private, no-cache',
  }
}

/** Whether the caller has this very answer already. */
function isKnown(header: string | null, etag: string): boolean {
  return header !== null && header.split(',').some((each) => ['*', etag, `W/${etag}`].includes(each.trim()))
}

/** Tells two bodies apart, no more. */
function digest(body: string): string {
  let hash = 5381
  for (let at = 0; at < body.length; at += 1) hash = (Math.imul(hash, 33) ^ body.charCodeAt(at)) >>> 0
  return hash.toString(36)
}
