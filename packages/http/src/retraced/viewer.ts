import { findViewerByToken } from '@breakpilot/tenant-core'
import { addressOf } from '../mount.ts'
import { graphqlOf, graphqlReply } from './graphql-call.ts'
import { signSession } from './session.ts'
import { memberOf } from './terms.ts'
import { recordSearch, viewerOf } from './viewer-caller.ts'
import { exportRoutes } from './viewer-exports.ts'
import { idsOf } from './viewer-ids.ts'
import { viewerTokenRoutes } from './viewer-tokens.ts'
import { unauthorized } from './wire-error.ts'
import type { WireCall, WireReply, WireRoute } from './wire-route.ts'

async function startSession(call: WireCall): Promise<WireReply> {
  const { services, request } = call
  // Apart from what the address asks elsewhere: behind it may be all people of a customer.
  await call.count(`audit_viewer ${request.ip ?? ''}`)
  const token = memberOf(await call.body(), 'token')
  const isToken = typeof token === 'string' && /^[0-9a-f]{32}$/.test(token)
  const viewer = isToken ? await findViewerByToken(services.db, token) : undefined
  if (!viewer) throw unauthorized('The viewer token is over, or not valid')
  const session = await signSession(services.keyring, viewer, addressOf(request.ip))
  return { status: 200, json: { project_id: idsOf(viewer).project_id, token: session } }
}

async function search(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call)
  const answer = await graphqlOf(call, viewer.scope)
  if (answer.shows) await recordSearch(call, viewer)
  return graphqlReply(answer)
}

/** Bytes of a body that has a token in it, which whoever likes may send. */
const tokenBytesMax = 16 * 1024

/** What the viewer in a product's page asks. */
export const viewerRoutes: readonly WireRoute[] = [
  { method: 'post', path: '/viewer/v1/viewersession', bodyBytesMax: tokenBytesMax, answer: startSession },
  ...['/viewer/v1/graphql', '/viewer/v1/graphql/paginated'].flatMap((path): WireRoute[] => [
    { method: 'get', path, isGraphql: true, answer: search },
    { method: 'post', path, isGraphql: true, answer: search },
  ]),
  ...exportRoutes,
  ...viewerTokenRoutes,
]
