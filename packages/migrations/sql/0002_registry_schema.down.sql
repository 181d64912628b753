drop index tenants_created_at_id_idx;

alter table tenants drop constraint tenants_slug_check;
alter table tenants add constraint tenants_slug_check check (slug ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$');

alter table audit_log
  alter column created_at type timestamptz,
  alter column received_at type timestamptz;
alter table api_keys
  alter column revoked_at type timestamptz,
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenant_idp_config
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenant_products
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenant_projects
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenants
  alter column trial_ends_at type timestamptz,
  alter column contract_starts_at type timestamptz,
  alter column contract_ends_at type timestamptz,
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;

drop schema registry;
