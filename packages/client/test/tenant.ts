import type { Tenant } from '../src/index.ts'

/** A tenant as the registry would send it. */
export function aTenant(fields: Partial<Tenant> = {}): Tenant {
  return {
    id: '00000000-0000-0000-0000-000000000001',
    slug: 'acme',
    name: 'Acme Inc.',
    status: 'trial',
    effective_status: 'trial',
    kind: 'customer',
    plan: null,
    erp_id: null,
    stripe_id: null,
    trial_ends_at: null,
    contract_starts_at: null,
    contract_ends_at: null,
    sales_owner: null,
    products: [],
    allowed_transitions: ['active', 'frozen', 'archived'],
    status_reason: null,
    status_note: null,
    status_changed_at: '2026-03-01T12:00:00.000Z',
    status_changed_by: null,
    frozen_from: null,
    deletion_protection: false,
    keys_valid_after: null,
    archived_at: null,
    purge_after: null,
    purge_requested_at: null,
    key_policy: {},
    metadata: {},
    version: 1,
    created_at: '2026-03-01T12:00:00.000Z',
    updated_at: '2026-03-01T12:00:00.000Z',
    ...fields,
  }
}

/** What `promise` is rejected with. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was fulfilled')
}
