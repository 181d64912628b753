import {
  EntitlementQuery,
  Entitlements,
  EvaluationBatch,
  EvaluationResults,
  evaluateMany,
  getEntitlements,
} from '@breakpilot/tenant-core'
import { route } from '../route.ts'
import { tenantParams } from './tenant-id.ts'

const tag = 'entitlements'

export const entitlementRoutes = [
  route({
    method: 'get',
    path: '/v1/tenants/{tenant_id}/entitlements',
    operation: 'getEntitlements',
    tag,
    summary: 'Get what a tenant may use',
    description:
      'Answers for each product of the tenant how much of it may be used and why, with its configuration, limits and features, and until when that holds if nobody changes anything. A product is answered for itself alone.',
    scope: 'entitlements:read',
    params: tenantParams,
    query: EntitlementQuery,
    status: 200,
    response: Entitlements,
    // Many rows and the time go into it: what tells two answers apart is all that they say.
    etag: () => null,
    errors: ['project.not_found', 'product.unknown'],
    handle: ({ db, sight, catalogue, params, query }) => getEntitlements(db, sight, catalogue, params.tenant_id, query),
  }),
  route({
    method: 'post',
    path: '/v1/entitlements/evaluate',
    operation: 'evaluateEntitlements',
    tag,
    summary: 'Get what many tenants may use',
    description:
      'Answers up to a hundred questions at once, each by itself and in order. A question that fails says so with its code; the others are answered all the same. Changes nothing.',
    scope: 'entitlements:read',
    body: EvaluationBatch,
    status: 200,
    response: EvaluationResults,
    errors: [],
    handle: ({ db, sight, catalogue, body }) => evaluateMany(db, sight, catalogue, body.items),
  }),
]
