import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const accepted = /^[A-Za-z0-9._-]{8,64}$/
const key = Symbol('request id')

interface Identified extends IncomingMessage {
  [key]?: string
}

/**
 * The id of a request: the caller's own where it can stand in a log and a header, else a new one. It is echoed in the
 * answer, and stands in the log and in the audit events.
 */
export function requestId(request: Identified): string {
  const given = request.headers['x-request-id']
  return (request[key] ??= typeof given === 'string' && accepted.test(given) ? given : randomUUID())
}
