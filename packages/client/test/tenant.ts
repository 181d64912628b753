import type { Tenant } from '../src/index.ts'

/** A tenant as the registry would send it. */
export function aTenant(fields: Partial<Tenant> = {}): Tenant {
  return {
    id: '00000000-0000-0000-0000-000000000001',
    slug: 'acme',
    name: 'Acme Inc.',
    status: 'trial',
    kind: 'customer',
    plan: null,
    erp_id: null,
    stripe_id: null,
    trial_ends_at: null,
    contract_starts_at: null,
    contract_ends_at: null,
    sales_owner: null,
    products: [],
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
