import type { Actor, Sight } from '@breakpilot/tenant-core'
import { addressOf } from '../mount.ts'
import { requestId } from '../request-id.ts'
import { traceId } from '../trace.ts'
import type { WireCall } from './wire-route.ts'

/** Whom the registry's own log names as the author of what is done here. */
interface Author {
  readonly id: string
  readonly name?: string
  readonly role: string
  readonly sight: Sight
}

/** The author as who asks with this request. */
export function actorOf({ request }: WireCall, { id, name, role, sight }: Author): Actor {
  const agent = request.headers['user-agent']
  const trace = traceId(request.headers['traceparent'])
  const address = addressOf(request.ip)
  return {
    id,
    ...(name !== undefined && { name }),
    role,
    sight,
    request_id: requestId(request),
    ...(trace !== undefined && { trace_id: trace }),
    ...(address !== undefined && { source_ip: address }),
    ...(agent !== undefined && { user_agent: agent.slice(0, 512) }),
  }
}
