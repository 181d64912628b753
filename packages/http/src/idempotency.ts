import { type Db, type Keyring, once, RegistryError } from '@breakpilot/tenant-core'
import type { Request } from 'express'
import type { Reply } from './reply.ts'

const visible = /^[\x21-\x7e]{1,255}$/

/**
 * The `Idempotency-Key` of a request, if it has one. The IETF draft wants quotes around it and most clients send none:
 * both spellings name the same key.
 * @throws {RegistryError} `request.header_invalid`
 */
export function idempotencyKeyOf(request: Pick<Request, 'headers'>): string | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  const key = String(header).replace(/^"(.*)"$/, '$1')
  if (visible.test(key)) return key
  throw new RegistryError('request.header_invalid', {
    detail: 'Idempotency-Key has to be 1 to 255 visible ASCII characters.',
  })
}

/** What carrying a request out once takes. */
interface Once {
  readonly db: Db
  readonly keyring: Keyring
  readonly request: Request
  readonly principal: string
  readonly key: string
}

/**
 * Answers a request by carrying it out in one transaction with the record of its answer, or by that record.
 * @throws {RegistryError} `idempotency.…`, and what `run` throws
 */
export async function answerOnce(
  { db, keyring, request, principal, key }: Once,
  run: (db: Db) => Promise<Reply>,
): Promise<Reply> {
  const queryAt = request.url.indexOf('?')
  const content = `${queryAt === -1 ? '' : request.url.slice(queryAt)}\n${canonical(request.body)}`
  const asked = { principal, method: request.method, path: request.path, key, content }
  const { replayed, ...reply } = await once(db, keyring, asked, run)
  return replayed ? { ...reply, headers: [...reply.headers, 'Idempotency-Replayed', 'true'] } : reply
}

/** JSON in one spelling: clients may order the names of an object as they like, and differently each time. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`
}
