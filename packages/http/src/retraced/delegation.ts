import {
  endViewers,
  type GroupScope,
  issueEnterpriseToken,
  issueViewerToken,
  type KeyIdentity,
  renameEnterpriseToken,
  resolveGroup,
  revealEnterpriseTokens,
  revokeEnterpriseToken,
  type ShownToken,
} from '@breakpilot/tenant-core'
import { actorOf } from './actor.ts'
import { publisherOf } from './publisher.ts'
import { memberOf, nameOf, optionalTermOf, termOf } from './terms.ts'
import { WireError } from './wire-error.ts'
import type { WireCall, WireReply, WireRoute } from './wire-route.ts'

/** The action that is recorded when somebody looks at the log, where the product does not name another. */
const viewLogAction = 'audit.log.view'

/** What a publisher hands on: one group of its product and environment. */
async function scopeOf({ services }: WireCall, key: KeyIdentity, id: string): Promise<GroupScope> {
  const { audience: product, environment } = key
  return { product, environment, group: await resolveGroup(services.db, services.catalogue, { product, id }) }
}

const author = (call: WireCall, { id, name, audience: product }: KeyIdentity) =>
  actorOf(call, { id, name, role: 'product-key', sight: { kind: 'product', product } })

const keepingOf = ({ services }: WireCall) => ({ keyring: services.keyring, mode: services.wire.enterpriseTokens })

async function viewerToken(call: WireCall): Promise<WireReply> {
  const key = await publisherOf(call, 'audit:delegate')
  const { services, query } = call
  const groupId = query.get('group_id') || query.get('team_id')
  if (!groupId) throw new WireError(400, 'Either group_id or team_id is required')
  const targetId = optionalTermOf('target_id', query.get('target_id'))
  const scope = await scopeOf(call, key, termOf('group_id', groupId))
  const token = await issueViewerToken(services.db, {
    scope: { ...scope, ...(targetId !== undefined && { target_id: targetId }) },
    actor_id: optionalTermOf('actor_id', query.get('actor_id')) ?? null,
    is_admin: query.get('is_admin') === 'true',
    view_log_action: optionalTermOf('view_log_action', query.get('view_log_action')) ?? viewLogAction,
    ttlSeconds: services.viewerTtlSeconds,
  })
  return { status: 201, json: { token } }
}

async function endSessions(call: WireCall): Promise<WireReply> {
  const key = await publisherOf(call, 'audit:delegate')
  const { group, actor } = call.params
  const scope = await scopeOf(call, key, termOf('group_id', group))
  await endViewers(call.services.db, author(call, key), scope, termOf('actor_id', actor))
  return { status: 200 }
}

/** The publisher, and the group whose tokens it asks about. */
async function groupOf(call: WireCall) {
  const key = await publisherOf(call, 'audit:delegate')
  return { key, scope: await scopeOf(call, key, termOf('group_id', call.params['group'])) }
}

const listed = ({ token, display_name }: Pick<ShownToken, 'token' | 'display_name'>) => ({ token, display_name })
const whole = ({ view_log_action, ...token }: ShownToken) => ({ ...listed(token), view_log_action })

async function createToken(call: WireCall): Promise<WireReply> {
  const { key, scope } = await groupOf(call)
  const { services } = call
  const sent = await call.body()
  const display_name = nameOf('display_name', memberOf(sent, 'display_name'))
  const view_log_action = optionalTermOf('view_log_action', memberOf(sent, 'view_log_action')) ?? viewLogAction
  const minted = await services.issuer.mint(scope.environment)
  const made = await issueEnterpriseToken(services.db, author(call, key), services.issuer, keepingOf(call), minted, {
    scope,
    display_name,
    view_log_action,
  })
  await services.apiKeys.settle()
  return { status: 201, json: whole(made) }
}

async function listTokens(call: WireCall): Promise<WireReply> {
  const { key, scope } = await groupOf(call)
  const found = await revealEnterpriseTokens(call.services.db, author(call, key), keepingOf(call), scope)
  return { status: 200, json: found.map(listed) }
}

async function getToken(call: WireCall): Promise<WireReply> {
  const { key, scope } = await groupOf(call)
  const ref = call.params['token'] ?? ''
  const [found] = await revealEnterpriseTokens(call.services.db, author(call, key), keepingOf(call), scope, ref)
  return { status: 200, json: found && whole(found) }
}

async function updateToken(call: WireCall): Promise<WireReply> {
  const { key, scope } = await groupOf(call)
  const sent = await call.body()
  const display_name = nameOf('display_name', memberOf(sent, 'display_name'))
  const view_log_action = optionalTermOf('view_log_action', memberOf(sent, 'view_log_action'))
  const ref = call.params['token'] ?? ''
  const names = { display_name, ...(view_log_action !== undefined && { view_log_action }) }
  await renameEnterpriseToken(call.services.db, author(call, key), scope, ref, names)
  // What the caller named it by: the token itself is opened for reading alone.
  return { status: 200, json: { token: ref, display_name } }
}

async function deleteToken(call: WireCall): Promise<WireReply> {
  const { key, scope } = await groupOf(call)
  await revokeEnterpriseToken(call.services.db, author(call, key), scope, call.params['token'] ?? '')
  await call.services.apiKeys.settle()
  return { status: 204 }
}

const tokens = '/publisher/v1/project/:project/group/:group/enterprisetoken'
const sessions = '/project/:project/group/:group/actor/:actor/viewersessions'

/** What products hand on to others: a look at the log of one group. */
export const delegationRoutes: readonly WireRoute[] = [
  { method: 'get', path: '/publisher/v1/project/:project/viewertoken', answer: viewerToken },
  { method: 'post', path: tokens, answer: createToken },
  { method: 'get', path: tokens, answer: listTokens },
  { method: 'get', path: `${tokens}/:token`, answer: getToken },
  { method: 'put', path: `${tokens}/:token`, answer: updateToken },
  { method: 'delete', path: `${tokens}/:token`, answer: deleteToken },
  // The Go client looks for it where it looks for everything else.
  ...['/viewer/v1', '/publisher/v1', '/v1'].map((base): WireRoute => ({
    method: 'delete',
    path: base + sessions,
    answer: endSessions,
  })),
]
