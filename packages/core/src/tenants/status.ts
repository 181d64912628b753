/** What a tenant is in: the enum `tenant_status`. */
export const tenantStatuses = ['demo', 'trial', 'active', 'frozen', 'archived'] as const
export type TenantStatus = (typeof tenantStatuses)[number]

/** A customer, or a demonstration: the enum `tenant_kind`. A demonstration that converts becomes a customer. */
export const tenantKinds = ['customer', 'demo'] as const
export type TenantKind = (typeof tenantKinds)[number]
