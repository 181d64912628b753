drop index tenants_trial_ends_at_idx;
drop trigger tenants_keep_lifecycle on tenants;
drop function registry.keep_tenant_lifecycle();
drop trigger tenants_keep_version on tenants;
drop function registry.keep_version();
alter table tenants
  drop column status_reason,
  drop column status_note,
  drop column status_changed_at,
  drop column status_changed_by,
  drop column frozen_from,
  drop column keys_valid_after,
  drop column archived_at,
  drop column deletion_protection,
  drop column metadata,
  drop column version;
