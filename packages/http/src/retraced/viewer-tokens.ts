import {
  bareId,
  type EnterpriseToken,
  isSupportViewer,
  issueEnterpriseToken,
  listEnterpriseTokens,
  type NewAuditEvent,
  renameEnterpriseToken,
  revokeEnterpriseToken,
  type Viewer,
} from '@breakpilot/tenant-core'
import { eventAbout, recordLook } from './looked.ts'
import { memberOf, nameOf } from './terms.ts'
import { authorOf, lookerOf, viewerOf } from './viewer-caller.ts'
import { idsOf } from './viewer-ids.ts'
import { WireError } from './wire-error.ts'
import type { WireCall, WireReply, WireRoute } from './wire-route.ts'

/**
 * Who looks into the log of a group. A token of the platform's people would go on when they are none any more, and would
 * read what no customer sees: there is none, whatever they ask.
 * @throws {WireError} 403
 */
async function groupViewerOf(call: WireCall): Promise<Viewer> {
  const viewer = await viewerOf(call)
  if (!isSupportViewer(viewer)) return viewer
  throw new WireError(
    403,
    "There are enterprise tokens for one product's group, and none for the log of a whole tenant",
  )
}

/** Who may have tokens made that go on when the session is over: an admin of the whole group. */
async function adminOf(call: WireCall): Promise<Viewer> {
  const viewer = await groupViewerOf(call)
  if (viewer.is_admin && viewer.scope.target_id === undefined) return viewer
  throw new WireError(403, 'Only a viewer with is_admin, who sees the whole group, can change its tokens')
}

/** What the group's own log says of what was done to a token. */
function tellOf(call: WireCall, viewer: Viewer, what: { action: string; crud: 'c' | 'u' | 'd'; description: string }) {
  const { product, environment, group } = viewer.scope
  return ({ id, display_name }: EnterpriseToken): NewAuditEvent => ({
    ...eventAbout(call, lookerOf(viewer), {
      ...what,
      target: { id: bareId(id), name: display_name, type: 'eitapi_token' },
    }),
    tenant_id: group.tenant_id,
    product,
    environment,
  })
}

async function createToken(call: WireCall): Promise<WireReply> {
  const viewer = await adminOf(call)
  const { services } = call
  const display_name = nameOf('displayName', memberOf(await call.body(), 'displayName'))
  const minted = await services.issuer.mint(viewer.scope.environment)
  const { view_log_action } = viewer
  const made = await issueEnterpriseToken(
    services.db,
    authorOf(call, viewer),
    services.issuer,
    { keyring: services.keyring, mode: services.wire.enterpriseTokens },
    minted,
    { scope: viewer.scope, display_name, view_log_action },
    tellOf(call, viewer, {
      action: 'eitapi_token.create',
      crud: 'c',
      description: 'Created an Enterprise IT Integration API token',
    }),
  )
  await services.apiKeys.settle()
  // Retraced's id of a token is the token: it is shown here, and its id everywhere else.
  return { status: 201, json: { id: made.token, display_name, ...idsOf(viewer), view_log_action } }
}

async function listTokens(call: WireCall): Promise<WireReply> {
  const viewer = await groupViewerOf(call)
  if (viewer.scope.target_id !== undefined) {
    throw new WireError(403, 'Only a viewer who sees the whole group sees who else reads it')
  }
  const found = await listEnterpriseTokens(call.services.db, viewer.scope)
  await recordLook(call, lookerOf(viewer), {
    action: 'eitapi_tokens.list',
    crud: 'r',
    description: 'Listed Enterprise IT Integration API tokens',
  })
  return { status: 200, json: found.map(({ id, display_name }) => ({ id: bareId(id), display_name })) }
}

async function updateToken(call: WireCall): Promise<WireReply> {
  const viewer = await adminOf(call)
  const { db } = call.services
  const display_name = nameOf('displayName', memberOf(await call.body(), 'displayName'))
  const tell = tellOf(call, viewer, {
    action: 'eitapi_token.update',
    crud: 'u',
    description: 'Renamed an Enterprise IT Integration API token',
  })
  const ref = call.params['token'] ?? ''
  const token = await renameEnterpriseToken(db, authorOf(call, viewer), viewer.scope, ref, { display_name }, tell)
  const { view_log_action } = token
  return { status: 201, json: { id: bareId(token.id), display_name, ...idsOf(viewer), view_log_action } }
}

async function deleteToken(call: WireCall): Promise<WireReply> {
  const viewer = await adminOf(call)
  const { services } = call
  const tell = tellOf(call, viewer, {
    action: 'eitapi_token.delete',
    crud: 'd',
    description: 'Deleted an Enterprise IT Integration API token',
  })
  await revokeEnterpriseToken(services.db, authorOf(call, viewer), viewer.scope, call.params['token'] ?? '', tell)
  await services.apiKeys.settle()
  return { status: 204 }
}

const project = '/viewer/v1/project/:project'

/** What a viewer asks about the enterprise tokens of its group. */
export const viewerTokenRoutes: readonly WireRoute[] = [
  { method: 'post', path: `${project}/eitapi_token`, answer: createToken },
  { method: 'get', path: `${project}/eitapi_tokens`, answer: listTokens },
  { method: 'put', path: `${project}/eitapi_token/:token`, answer: updateToken },
  { method: 'delete', path: `${project}/eitapi_token/:token`, answer: deleteToken },
]
