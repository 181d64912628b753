import { coveredBy, type EnterpriseToken, enterpriseTokenScope, findEnterpriseToken } from '@breakpilot/tenant-core'
import { tokenOf } from './credentials.ts'
import { graphqlOf, graphqlReply } from './graphql-call.ts'
import { recordLook } from './looked.ts'
import { unauthorized } from './wire-error.ts'
import type { WireCall, WireReply, WireRoute } from './wire-route.ts'

/**
 * Lets an enterprise token in.
 * @throws {WireError} 401, also for whatever other key
 */
async function enterpriseOf(call: WireCall): Promise<EnterpriseToken> {
  const { services, request, response } = call
  const key = await services.prove(tokenOf(request), request, response)
  const isToken = coveredBy(key.scopes, enterpriseTokenScope)
  const token = isToken ? await findEnterpriseToken(services.db, services.catalogue, key.id) : undefined
  if (!token) throw unauthorized('The token is not valid')
  await call.admit(key.id)
  return token
}

/** How many characters of a token's public part name it in the log: so many as Retraced takes of the whole token. */
const namedBy = 7

/** The end of the public part: it begins alike in all tokens of an environment. */
const nameOf = ({ prefix }: EnterpriseToken) => prefix.slice(prefix.lastIndexOf('_') + 1).slice(0, namedBy)

async function search(call: WireCall): Promise<WireReply> {
  const token = await enterpriseOf(call)
  const answer = await graphqlOf(call, token.scope)
  if (answer.shows) {
    const { display_name: name, prefix, view_log_action: action } = token
    const actor = { id: `enterprise:${nameOf(token)}`, name, fields: [['token', prefix] as const] }
    const looker = { principal: token.id, scope: token.scope, actor }
    await recordLook(call, looker, { action, crud: 'r', description: 'Viewed the audit log' })
  }
  return graphqlReply(answer)
}

/** What a customer's own programs ask about the log of their group. */
export const enterpriseRoutes: readonly WireRoute[] = [
  { method: 'get', path: '/enterprise/v1/graphql', isGraphql: true, answer: search },
  { method: 'post', path: '/enterprise/v1/graphql', isGraphql: true, answer: search },
]
