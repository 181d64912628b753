drop trigger tenant_idp_config_a_keep_platform on tenant_idp_config;
drop trigger tenant_projects_a_keep_platform on tenant_projects;
drop trigger tenant_products_a_keep_platform on tenant_products;
drop trigger tenants_a_keep_platform on tenants;
drop function registry.keep_platform_tenant();
alter table tenants disable trigger tenants_record_change;
alter table api_keys disable trigger api_keys_record_change;
delete from tenants where id = '00000000-0000-0000-0000-0000000000ff';
alter table api_keys enable trigger api_keys_record_change;
alter table tenants enable trigger tenants_record_change;
-- Its going leaves the traces of any tenant; it may come back.
delete from registry.slugs where slug = 'platform';
delete from registry.retired_ids where id = '00000000-0000-0000-0000-0000000000ff';
