-- The platform's own tenant: whose keys products hold that cannot speak OIDC. It has keys and nothing else, and nobody
-- changes it, whoever they are.

do $$
begin
  if exists (
    select from registry.slugs where slug = 'platform' and released_at is null
    union all select from tenants where id = '00000000-0000-0000-0000-0000000000ff'
    union all select from registry.retired_ids where id = '00000000-0000-0000-0000-0000000000ff'
  ) then
    raise exception 'a tenant has or had the slug "platform", and has not released it, or the id that the platform''s own tenant gets';
  end if;
end
$$;

create function registry.keep_platform_tenant() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the platform''s own tenant does not change, and has nothing but API keys'
    using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_platform_check';
end
$$;
-- First of all triggers by its name: nothing else has to know of it.
create trigger tenants_a_keep_platform before update or delete on tenants
  for each row when (old.id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();
create trigger tenant_products_a_keep_platform before insert or update on tenant_products
  for each row when (new.tenant_id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();
create trigger tenant_projects_a_keep_platform before insert or update on tenant_projects
  for each row when (new.tenant_id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();
create trigger tenant_idp_config_a_keep_platform before insert or update on tenant_idp_config
  for each row when (new.tenant_id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();

-- Nobody who follows the changes has anything to do about it.
alter table tenants disable trigger tenants_record_change;
insert into tenants (id, slug, name, status, kind, plan)
values ('00000000-0000-0000-0000-0000000000ff', 'platform', 'Platform', 'active', 'customer', 'platform');
alter table tenants enable trigger tenants_record_change;
