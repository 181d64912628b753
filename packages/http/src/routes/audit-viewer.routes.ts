import { issueSupportViewerToken, NewSupportViewer, SupportViewerToken } from '@breakpilot/tenant-core'
import { route } from '../route.ts'

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
]
