import type { Workload } from './measure.ts'

/** Where a server answers as soon as it is ready. */
export const bySlug = '/v1/tenants/by-slug/acme'

/** What is measured, in this order: the one that writes last, so that the others find the same rows. */
export const workloads: readonly Workload[] = [
  {
    title: 'GET /v1/tenants/by-slug/{slug}',
    order: { method: 'GET', path: bySlug, status: 200 },
    servers: ['bare Express', 'bare node:http', 'registry'],
    target: 1.45,
  },
  {
    title: 'GET /v1/tenants (a page of 50)',
    order: { method: 'GET', path: '/v1/tenants', status: 200 },
    servers: ['bare Express', 'registry'],
  },
  {
    title: 'POST /v1/tenants',
    order: { method: 'POST', path: '/v1/tenants', status: 201 },
    servers: ['bare Express', 'registry'],
  },
]
