/** The columns that the registry answers of a tenant. */
export const columns = `id, slug, name, status, kind, plan, erp_id, stripe_id, trial_ends_at, contract_starts_at,
  contract_ends_at, sales_owner, status_reason, status_note, status_changed_at, status_changed_by, frozen_from,
  keys_valid_after, key_policy, archived_at, purge_after, purge_requested_at, deletion_protection, metadata, version,
  created_at, updated_at`

/** All tenants but the platform's own, which is in no list. Nothing of the registry is loaded beside bare servers. */
export const listed = `id <> '00000000-0000-0000-0000-0000000000ff'`

/** A tenant with the keys of its products. */
export const tenant = `${columns}, array(
  select product from tenant_products where tenant_products.tenant_id = tenants.id order by product collate "C"
) as products`
