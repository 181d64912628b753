import {
  type Actor,
  type AnyViewer,
  findViewer,
  isSupportViewer,
  recordSupportView,
  type Viewer,
} from '@breakpilot/tenant-core'
import { actorOf } from './actor.ts'
import { headerOf } from './credentials.ts'
import { recordLook } from './looked.ts'
import { openSession } from './session.ts'
import { idsOf } from './viewer-ids.ts'
import { unauthorized } from './wire-error.ts'
import type { WireCall } from './wire-route.ts'

/**
 * Lets a session in: by the header alone, without any scheme, or by `?jwt=` where a browser follows a link.
 * @throws {WireError} 401, also for another project than the session's
 */
export async function viewerOf(call: WireCall, { byLink = false } = {}): Promise<AnyViewer> {
  const { services, request, params, query } = call
  const session = headerOf(request, 'authorization') || (byLink ? query.get('jwt') : null)
  if (!session) throw unauthorized('A session is required as the Authorization header')
  const viewer = await openSession(services.keyring, session, async (id) => await findViewer(services.db, id))
  if (params['project'] !== undefined && params['project'] !== idsOf(viewer).project_id) {
    throw unauthorized('The session is over, or not valid')
  }
  await call.admit(principalOf(viewer))
  return viewer
}

const principalOf = ({ id }: Pick<AnyViewer, 'id'>) => `audit_viewer:${id}`

/** Who looked, for what is recorded of it. */
export const lookerOf = (viewer: Viewer) => ({
  principal: principalOf(viewer),
  scope: viewer.scope,
  actor: viewer.actor_id === null ? undefined : { id: viewer.actor_id },
})

/**
 * Whom the registry's own log names: what a product calls somebody is no one's name but that product's, so that nobody
 * passes for one of ours. Who is one of ours has their own name.
 */
export function authorOf(call: WireCall, viewer: AnyViewer): Actor {
  if (isSupportViewer(viewer)) return actorOf(call, { ...viewer.issuer, sight: { kind: 'platform', owner: false } })
  const { actor_id, scope } = viewer
  const id = actor_id === null ? principalOf(viewer) : `audit_viewer:${scope.product}/${actor_id}`
  return actorOf(call, { id, role: 'audit-viewer', sight: { kind: 'product', product: scope.product } })
}

/**
 * Records a search, after what was found and before anybody sees it: in the group's own log, unless whoever embeds the
 * viewer leaves that out; of the platform's people each one, by the registry.
 */
export async function recordSearch(call: WireCall, viewer: AnyViewer): Promise<void> {
  if (isSupportViewer(viewer)) {
    await recordSupportView(call.services.db, authorOf(call, viewer), viewer)
    return
  }
  if (call.query.get('skipViewLogEvent') === 'true') return
  const { view_log_action: action } = viewer
  await recordLook(call, lookerOf(viewer), { action, crud: 'r', description: 'Viewed the audit log' })
}
