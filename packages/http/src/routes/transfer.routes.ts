import {
  exportTenant,
  importBounds,
  ImportedTenant,
  type ImportLine,
  ImportResult,
  importTenants,
  TenantExport,
  TenantSummaryExport,
} from '@breakpilot/tenant-core'
import type { Principal } from '../auth/index.ts'
import { assertMayUseReserved } from '../authorize-fields.ts'
import { lines, rows } from '../ndjson.ts'
import { route } from '../route.ts'
import { tenantParams } from './tenant-id.ts'

const tag = 'tenants'

function assertMayOverride(principal: Principal | undefined, body: readonly ImportLine[]): void {
  for (const line of body) if ('row' in line) assertMayUseReserved(principal, line.row)
}

export const transferRoutes = [
  route({
    method: 'get',
    path: '/v1/tenants/{tenant_id}/export',
    operation: 'exportTenant',
    tag,
    summary: 'Export a tenant',
    description:
      'Answers all that the registry has of the tenant as one document, without secrets: for a request under data protection law, or before a purge. Its events are in the audit log.',
    scope: 'tenants:export',
    params: tenantParams,
    status: 200,
    response: TenantExport,
    reduced: TenantSummaryExport,
    errors: [],
    handle: ({ db, sight, catalogue, params }) => exportTenant(db, sight, catalogue, params.tenant_id),
  }),
  route({
    method: 'post',
    path: '/v1/tenants/import',
    operation: 'importTenants',
    tag,
    summary: 'Create many tenants',
    description: `Creates a tenant for each line, as a whole or not at all, and answers what became of each, in order. Up to ${importBounds.linesMax} lines. A line that is refused keeps no other from being created.`,
    scope: 'tenants:create',
    body: lines(ImportedTenant, importBounds),
    status: 200,
    response: rows(ImportResult),
    idempotent: true,
    errors: [],
    examples: {
      body: [
        { slug: 'acme', name: 'Acme Inc.', status: 'active', plan: 'professional', products: ['certifai'] },
        { slug: 'globex', name: 'Globex GmbH' },
      ],
    },
    handle: async ({ db, actor, catalogue, body, principal }) => {
      assertMayOverride(principal, body)
      return await importTenants(db, actor, catalogue, body)
    },
    preview: {
      response: rows(ImportResult),
      handle: async ({ db, actor, catalogue, body, principal }) => {
        assertMayOverride(principal, body)
        return await importTenants(db, actor, catalogue, body, { dryRun: true })
      },
    },
  }),
]
