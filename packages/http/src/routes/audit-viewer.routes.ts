import {
  endSupportViewer,
  issueSupportViewerToken,
  NewSupportViewer,
  SupportViewerId,
  SupportViewerToken,
} from '@breakpilot/tenant-core'
import { z } from 'zod'
import { noContent, route } from '../route.ts'

export const auditViewerRoutes = [
  route({
    method: 'post',
    path: '/v1/audit/viewer-tokens',
    operation: 'issueAuditViewerToken',
    tag: 'audit',
    summary: 'Issue a token for the audit viewer',
    description:
      "Makes a token with which the page `/audit/viewer` shows the whole log of a tenant, over all products, for some minutes. For the platform's own people. That it was made is recorded, and so is each look.",
    scope: 'audit:view',
    body: NewSupportViewer,
    status: 201,
    response: SupportViewerToken,
    idempotent: true,
    secretOf: ({ id }) => id,
    errors: ['idempotency.secret_gone', 'tenant.not_found'],
    handle: ({ db, actor, body, viewerTtlSeconds }) =>
      issueSupportViewerToken(db, actor, body, { ttlSeconds: viewerTtlSeconds }),
  }),
  route({
    method: 'delete',
    path: '/v1/audit/viewer-tokens/{viewer_token_id}',
    operation: 'endAuditViewerToken',
    tag: 'audit',
    summary: 'End a token for the audit viewer',
    description: 'Ends a viewer token before its time, whoever made it, and every session with it.',
    scope: 'audit:view',
    params: z.object({ viewer_token_id: SupportViewerId.meta({ description: 'The id of the viewer token.' }) }),
    status: 204,
    response: noContent,
    errors: ['audit_viewer.not_found'],
    handle: ({ db, actor, params }) => endSupportViewer(db, actor, params.viewer_token_id),
  }),
]
