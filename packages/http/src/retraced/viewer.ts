import {
  bareId,
  type EnterpriseToken,
  exportedEvents,
  findViewer,
  findViewerByToken,
  getExport,
  issueEnterpriseToken,
  listEnterpriseTokens,
  listExports,
  type NewAuditEvent,
  renameEnterpriseToken,
  revokeEnterpriseToken,
  type SavedExport,
  SavedSearch,
  saveExport,
  type Viewer,
} from '@breakpilot/tenant-core'
import { addressOf } from '../mount.ts'
import { actorOf } from './actor.ts'
import { headerOf } from './credentials.ts'
import { csvOf, fileNameOf } from './csv.ts'
import { graphqlOf, graphqlReply } from './graphql-call.ts'
import { eventAbout, recordLook } from './looked.ts'
import { openSession, signSession } from './session.ts'
import { memberOf, nameOf } from './terms.ts'
import { unauthorized, WireError } from './wire-error.ts'
import type { WireCall, WireReply, WireRoute } from './wire-route.ts'

/**
 * Lets a session in: by the header alone, without any scheme, or by `?jwt=` where a browser follows a link.
 * @throws {WireError} 401, also for another project than the session's
 */
async function viewerOf(call: WireCall, { byLink = false } = {}): Promise<Viewer> {
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
const lookerOf = (viewer: Viewer) => ({
  principal: principalOf(viewer),
  scope: viewer.scope,
  actor: viewer.actor_id === null ? undefined : { id: viewer.actor_id },
})

/** Who may have tokens made that go on when the session is over: an admin of the whole group. */
async function adminOf(call: WireCall): Promise<Viewer> {
  const viewer = await viewerOf(call)
  if (viewer.is_admin && viewer.scope.target_id === undefined) return viewer
  throw new WireError(403, 'Only a viewer with is_admin, who sees the whole group, can change its tokens')
}

/** Who the registry's own log names. */
const author = (call: WireCall, viewer: Viewer) =>
  actorOf(call, { id: viewer.actor_id ?? principalOf(viewer), role: 'audit-viewer', product: viewer.scope.product })

async function startSession(call: WireCall): Promise<WireReply> {
  const { services, request } = call
  // Apart from what the address asks elsewhere: behind it may be all people of a customer.
  await call.count(`audit_viewer ${request.ip ?? ''}`)
  const token = memberOf(await call.body(), 'token')
  const isToken = typeof token === 'string' && /^[0-9a-f]{32}$/.test(token)
  const viewer = isToken ? await findViewerByToken(services.db, token) : undefined
  if (!viewer) throw unauthorized('The viewer token is over, or not valid')
  const session = await signSession(services.keyring, viewer, addressOf(request.ip))
  return { status: 200, json: { project_id: viewer.scope.product, token: session } }
}

async function search(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call)
  const answer = await graphqlOf(call, viewer.scope)
  if (!answer.refused && answer.status === 200 && call.query.get('skipViewLogEvent') !== 'true') {
    const { view_log_action: action } = viewer
    await recordLook(call, lookerOf(viewer), { action, crud: 'r', description: 'Viewed the audit log' })
  }
  return graphqlReply(answer)
}

const idsOf = ({ scope }: Pick<Viewer, 'scope'>) => ({
  project_id: scope.product,
  environment_id: scope.environment,
  group_id: scope.group.id,
})

const shownExport = ({ id, name, body }: Omit<SavedExport, 'saved_at'>, viewer: Viewer) => ({
  id: bareId(id),
  name,
  body,
  ...idsOf(viewer),
})

async function createExport(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call)
  const sent = await call.body()
  const fields = { name: nameOf('name', memberOf(sent, 'name')), body: searchOf(memberOf(sent, 'exportBody')) }
  const saved = await saveExport(call.services.db, author(call, viewer), viewer.scope, fields, viewer.actor_id)
  return { status: 201, json: shownExport(saved, viewer) }
}

/** Older viewers send the body as a text of JSON. */
function searchOf(sent: unknown): SavedSearch {
  const parsed = SavedSearch.safeParse(typeof sent === 'string' ? parsedJson(sent) : sent)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = ['exportBody', ...(issue?.path ?? [])].join('.')
  throw new WireError(400, `'${path}' is not valid: ${issue?.message ?? ''}`)
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function exportsOf(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call)
  const limit = call.query.get('limit') || '1000'
  if (!/^[1-9]\d{0,3}$/.test(limit)) throw new WireError(400, "'limit' must be a whole number from 1 to 9999")
  const found = await listExports(call.services.db, viewer.scope, Number(limit))
  return {
    status: 200,
    json: found.map((each) => ({ ...shownExport(each, viewer), saved_at: each.saved_at.toISOString() })),
  }
}

async function renderExport(call: WireCall): Promise<WireReply> {
  const viewer = await viewerOf(call, { byLink: true })
  const format = call.query.get('format') || 'csv'
  if (format !== 'csv') throw new WireError(400, "'format' must be csv: that is all there is")
  const id = call.params['id'] ?? ''
  const found = /^[0-9a-f]{32}$/.test(id) ? await getExport(call.services.db, viewer.scope, dashed(id)) : undefined
  if (!found) throw new WireError(404, 'There is no such export')
  const pages = exportedEvents(call.services.db, viewer.scope, found.body)
  // What cannot be found at all is an error still; later ones can only end the file.
  const first = await pages.next()
  return {
    status: 200,
    headers: [
      'Content-Type',
      'text/csv; charset=utf-8',
      'Content-Disposition',
      `attachment; filename="${fileNameOf(found.name)}.csv"`,
    ],
    stream: csvOf(first.done === true ? undefined : first.value, pages),
  }
}

const dashed = (bare: string) => bare.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

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
    author(call, viewer),
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
  const viewer = await viewerOf(call)
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
  const token = await renameEnterpriseToken(db, author(call, viewer), viewer.scope, ref, display_name, tell)
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
  await revokeEnterpriseToken(services.db, author(call, viewer), viewer.scope, call.params['token'] ?? '', tell)
  await services.apiKeys.settle()
  return { status: 204 }
}

const project = '/viewer/v1/project/:project'

/** What the viewer in a product's page asks. */
export const viewerRoutes: readonly WireRoute[] = [
  { method: 'post', path: '/viewer/v1/viewersession', answer: startSession },
  ...(['/viewer/v1/graphql', '/viewer/v1/graphql/paginated'] as const).flatMap((path): WireRoute[] => [
    { method: 'get', path, answer: search },
    { method: 'post', path, answer: search },
  ]),
  { method: 'post', path: `${project}/export`, answer: createExport },
  { method: 'get', path: `${project}/exports`, answer: exportsOf },
  { method: 'get', path: `${project}/export/:id/rendered`, answer: renderExport },
  { method: 'post', path: `${project}/eitapi_token`, answer: createToken },
  { method: 'get', path: `${project}/eitapi_tokens`, answer: listTokens },
  { method: 'put', path: `${project}/eitapi_token/:token`, answer: updateToken },
  { method: 'delete', path: `${project}/eitapi_token/:token`, answer: deleteToken },
]
