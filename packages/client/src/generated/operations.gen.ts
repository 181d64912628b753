// Made by packages/client/scripts/generate.ts from packages/http/openapi.json, with @redocly/cli. Do not edit.

import type { Health, NewTenant, Readiness, Tenant, TenantPage } from './schemas.gen.ts';

type GetHealthResult = Health;

type GetReadinessResult = Readiness;

type ListTenantsResult = TenantPage;

export type ListTenantsQuery = {
    /**
     * How many to answer: 1 to 200, 50 unless told.
     * @minimum 1
     * @maximum 200
     */
    limit?: number;
    /**
     * The `next_cursor` of the page before, with the same filters.
     * @maxLength 512
     */
    cursor?: string;
    /**
     * Only tenants with this status.
     */
    status?: "demo" | "trial" | "active" | "frozen" | "archived";
    /**
     * Only tenants of this kind.
     */
    kind?: "customer" | "demo";
    /**
     * Only tenants with this plan.
     * @maxLength 100
     */
    plan?: string;
};

type CreateTenantResult = Tenant;

type CreateTenantBody = NewTenant;

type GetTenantResult = Tenant;

type GetTenantPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type GetTenantBySlugResult = Tenant;

type GetTenantBySlugPath = {
    /**
     * The slug of the tenant.
     * @minLength 3
     * @maxLength 63
     * @pattern ^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$
     */
    slug: string;
};

type GetTenantByErpIdResult = Tenant;

type GetTenantByErpIdPath = {
    /**
     * The id in the ERP system.
     * @maxLength 200
     * @pattern ^\S(?:.*\S)?$
     */
    erp_id: string;
};

type GetTenantByStripeIdResult = Tenant;

type GetTenantByStripeIdPath = {
    /**
     * The customer id at Stripe.
     * @maxLength 200
     * @pattern ^\S(?:.*\S)?$
     */
    stripe_id: string;
};

/**
 * Per-operation `args`/`result` shapes (plus `kind: 'sse'` for event streams) — the
 * type-level companion of `OPERATIONS` that gives `createClient<Ops>` its typed methods.
 */
export type Ops = {
    getHealth: {
        args: {};
        result: GetHealthResult;
        headers: {
            xRequestId?: string;
        };
    };
    getReadiness: {
        args: {};
        result: GetReadinessResult;
        headers: {
            xRequestId?: string;
        };
    };
    listTenants: {
        args: {
            query?: ListTenantsQuery;
        };
        result: ListTenantsResult;
        headers: {
            xRequestId?: string;
        };
    };
    createTenant: {
        args: {
            body: CreateTenantBody;
        };
        result: CreateTenantResult;
        headers: {
            xRequestId?: string;
            location?: string;
        };
    };
    getTenant: {
        args: {
            path: GetTenantPath;
        };
        result: GetTenantResult;
        headers: {
            xRequestId?: string;
        };
    };
    getTenantBySlug: {
        args: {
            path: GetTenantBySlugPath;
        };
        result: GetTenantBySlugResult;
        headers: {
            xRequestId?: string;
        };
    };
    getTenantByErpId: {
        args: {
            path: GetTenantByErpIdPath;
        };
        result: GetTenantByErpIdResult;
        headers: {
            xRequestId?: string;
        };
    };
    getTenantByStripeId: {
        args: {
            path: GetTenantByStripeIdPath;
        };
        result: GetTenantByStripeIdResult;
        headers: {
            xRequestId?: string;
        };
    };
};

/** How each operation is reached. */
export const operations = {
  getHealth: { method: 'GET', path: '/healthz', public: true },
  getReadiness: { method: 'GET', path: '/readyz', public: true },
  createTenant: { method: 'POST', path: '/v1/tenants' },
  listTenants: { method: 'GET', path: '/v1/tenants' },
  getTenant: { method: 'GET', path: '/v1/tenants/{tenant_id}' },
  getTenantBySlug: { method: 'GET', path: '/v1/tenants/by-slug/{slug}' },
  getTenantByErpId: { method: 'GET', path: '/v1/tenants/by-erp-id/{erp_id}' },
  getTenantByStripeId: { method: 'GET', path: '/v1/tenants/by-stripe-id/{stripe_id}' },
} as const satisfies Record<keyof Ops, { method: string; path: string; public?: true }>
