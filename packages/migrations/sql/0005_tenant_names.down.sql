drop trigger tenants_retire on tenants;
drop function registry.retire_tenant();
drop trigger tenants_refuse_retired_id on tenants;
drop function registry.refuse_retired_id();
drop trigger tenants_keep_slug on tenants;
drop function registry.keep_slug();
drop table registry.retired_ids;
drop table registry.slugs;
