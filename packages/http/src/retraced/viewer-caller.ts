import { findViewer, type Viewer } from '@breakpilot/tenant-core'
import { actorOf } from './actor.ts'
import { headerOf } from './credentials.ts'
import { openSession } from './session.ts'
import { unauthorized } from './wire-error.ts'
import type { WireCall } from './wire-route.ts'

/**
 * Lets a session in: by the header alone, without any scheme, or by `?jwt=` where a browser follows a link.
 * @throws {WireError} 401, also for another project than the session's
 */
export async function viewerOf(call: WireCall, { byLink = false } = {}): Promise<Viewer> {
  const { services, request, params, query } = call
  const session = headerOf(request, 'authorization') || (byLink ? query.get('jwt') : null)
  if (!session) throw unauthorized('A session is required as the Authorization header')
  const viewer = await openSession(services.keyring, session, async (id) => await findViewer(services.db, id))
  if (params['project'] !== undefined && params['project'] !== viewer.scope.product) {
    throw unauthorized('The session is over, or not valid')
  }
  await call.admit(principalOf(viewer))
  return viewer
}

const principalOf = ({ id }: Viewer) => `audit_viewer:${id}`

/** Who looked, for what is recorded of it. */
export const lookerOf = (viewer: Viewer) => ({
  principal: principalOf(viewer),
  scope: viewer.scope,
  actor: viewer.actor_id === null ? undefined : { id: viewer.actor_id },
})

/**
 * Whom the registry's own log names: what a product calls somebody is no one's name but that product's, so that nobody
 * passes for one of ours.
 */
export function authorOf(call: WireCall, viewer: Viewer) {
  const { actor_id, scope } = viewer
  const id = actor_id === null ? principalOf(viewer) : `audit_viewer:${scope.product}/${actor_id}`
  return actorOf(call, { id, role: 'audit-viewer', product: scope.product })
}

/** The names under which answers say what somebody sees. */
export const idsOf = ({ scope }: Pick<Viewer, 'scope'>) => ({
  project_id: scope.product,
  environment_id: scope.environment,
  group_id: scope.group.id,
})
