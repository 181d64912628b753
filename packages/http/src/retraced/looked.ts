import type { GroupScope, PublishedEvent } from '@breakpilot/tenant-core'
import { addressOf } from '../mount.ts'
import type { WireCall } from './wire-route.ts'

/** Who looked at the log of a group. */
interface Looker {
  readonly principal: string
  readonly scope: GroupScope
  readonly actor: PublishedEvent['actor']
}

/** An event about the log itself, in the group's own log. Nobody in particular did it where the product did not say who. */
export function eventAbout(
  call: WireCall,
  { scope, actor }: Pick<Looker, 'scope' | 'actor'>,
  what: Pick<PublishedEvent, 'action' | 'crud' | 'description' | 'target'>,
): PublishedEvent {
  const source_ip = addressOf(call.request.ip)
  return {
    ...what,
    group: { id: scope.group.id },
    ...(actor ? { actor } : { is_anonymous: true }),
    ...(source_ip !== undefined && { source_ip }),
  }
}

/**
 * Records that the log was looked at: after what was found, and before anybody sees it. What cannot be recorded is not
 * shown.
 */
export async function recordLook(
  call: WireCall,
  looker: Looker,
  what: Parameters<typeof eventAbout>[2],
): Promise<void> {
  const { product, environment, group } = looker.scope
  await call.services.ingest.submit({
    principal: looker.principal,
    product,
    environment,
    // The one that was looked into: the name that it had when the token was made may be another one's since.
    tenant_id: group.tenant_id,
    events: [eventAbout(call, looker, what)],
  })
}
