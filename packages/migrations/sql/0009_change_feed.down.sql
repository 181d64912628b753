drop trigger api_keys_record_change on api_keys;
drop trigger tenant_projects_record_change on tenant_projects;
drop trigger tenant_products_record_change on tenant_products;
drop trigger tenants_record_change on tenants;
drop function registry.record_change();
drop table registry.changes;
drop table registry.change_counter;
