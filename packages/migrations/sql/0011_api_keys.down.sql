drop table registry.revocation_probe;
drop trigger tenants_keys_reason on tenants;
drop function registry.say_why_keys_died();
alter table tenants
  drop column key_policy,
  drop column keys_revoked_reason;
drop table registry.secret_kids;
drop table registry.api_key_usage;
drop trigger api_keys_keep_identity on api_keys;
drop function registry.keep_api_key();
drop trigger api_keys_keep_version on api_keys;
create index api_keys_tenant_id_idx on api_keys (tenant_id);
drop index api_keys_created_at_idx;
alter table api_keys
  drop column version,
  drop column created_by,
  drop column revoked_by,
  drop column revoked_reason,
  drop column metadata,
  drop column ip_allow,
  drop column enabled,
  drop column expires_at,
  drop column issuer_kid,
  drop column audience,
  drop column environment,
  drop column replaced_by,
  drop column family_id,
  drop column project_id;
