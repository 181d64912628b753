import type { Product } from '../generated/schemas.gen.ts'
import type { KeptTenant } from './lifecycle.ts'

/** A product of a fake registry: its key, or what else of it matters. */
export type FakeProduct = string | (Partial<Product> & { readonly key: string })

/** A product, where nothing else is said. */
export function aProduct(given: FakeProduct): Product {
  const { key, ...rest } = typeof given === 'string' ? { key: given } : given
  return {
    key,
    name: key,
    status: 'active',
    owner: 'fake',
    supports_projects: true,
    features: [],
    limits: {},
    plans: {},
    config_schema: null,
    default_config: {},
    scopes: [],
    requires: [],
    ...rest,
  }
}

/** A tenant, where nothing else is said. */
export function aTenant(id: string, slug: string, time: string): KeptTenant {
  return {
    id,
    slug,
    name: slug,
    status: 'active',
    kind: 'customer',
    plan: 'professional',
    erp_id: null,
    stripe_id: null,
    trial_ends_at: null,
    contract_starts_at: null,
    contract_ends_at: null,
    sales_owner: null,
    status_reason: null,
    status_note: null,
    status_changed_at: time,
    status_changed_by: 'fake',
    frozen_from: null,
    deletion_protection: false,
    keys_valid_after: null,
    archived_at: null,
    purge_after: null,
    purge_requested_at: null,
    key_policy: {},
    metadata: {},
    version: 1,
    created_at: time,
    updated_at: time,
  }
}
