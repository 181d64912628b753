import { acmeId } from './acme.ts'
import type { Workload } from './measure.ts'

/** Where a server answers as soon as it is ready. */
export const bySlug = '/v1/tenants/by-slug/acme'

export const reads: readonly Workload[] = [
  {
    title: 'GET /v1/tenants/by-slug/{slug}',
    order: { method: 'GET', path: bySlug, status: 200 },
    servers: ['bare Express', 'bare node:http', 'registry without tokens', 'registry'],
    target: 1.8,
  },
  {
    title: 'GET /v1/tenants/{tenant_id}/entitlements',
    order: { method: 'GET', path: `/v1/tenants/${acmeId}/entitlements`, status: 200 },
    servers: ['bare Express', 'registry'],
    target: 2,
  },
  {
    title: 'GET /v1/tenants (a page of 50)',
    order: { method: 'GET', path: '/v1/tenants', status: 200 },
    servers: ['bare Express', 'registry'],
  },
]

export const writes: readonly Workload[] = [
  {
    title: 'POST /v1/tenants',
    order: { method: 'POST', path: '/v1/tenants', status: 201 },
    servers: ['bare Express', 'registry'],
  },
]
