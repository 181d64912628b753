-- What a project and an assignment of a product have beyond what the Go service gave them.

alter table tenant_projects
  add column labels jsonb not null default '{}',
  add column archived_at timestamptz(3),
  add column version integer not null default 1,
  add constraint tenant_projects_labels_check check (jsonb_typeof(labels) = 'object'),
  -- What points at a project of a tenant points at both, so that it cannot be another tenant's.
  add constraint tenant_projects_tenant_id_id_key unique (tenant_id, id);
alter table tenant_projects disable trigger user;
update tenant_projects set archived_at = updated_at where status = 'archived';
alter table tenant_projects enable trigger user;

create function registry.keep_project_slug() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.slug <> old.slug or new.tenant_id <> old.tenant_id then
    raise exception 'a project keeps its slug and its tenant'
      using errcode = 'check_violation', schema = 'public', table = 'tenant_projects', constraint = 'tenant_projects_slug_check';
  end if;
  return new;
end
$$;
create trigger tenant_projects_keep_slug before update on tenant_projects
  for each row execute function registry.keep_project_slug();
create trigger tenant_projects_keep_version before update on tenant_projects
  for each row execute function registry.keep_version();
create index tenant_projects_created_at_idx on tenant_projects (tenant_id, created_at desc, id desc);

alter table tenant_products
  add column enabled boolean not null default true,
  add column limits jsonb not null default '{}',
  add column valid_from timestamptz(3),
  add column valid_until timestamptz(3),
  add column source text not null default 'manual',
  add column version integer not null default 1,
  add constraint tenant_products_config_check check (jsonb_typeof(config) = 'object'),
  add constraint tenant_products_limits_check check (jsonb_typeof(limits) = 'object'),
  add constraint tenant_products_window_check check (valid_from < valid_until);
create trigger tenant_products_keep_version before update on tenant_products
  for each row execute function registry.keep_version();
