drop trigger tenant_products_keep_version on tenant_products;
alter table tenant_products
  drop constraint tenant_products_config_check,
  drop column enabled,
  drop column limits,
  drop column valid_from,
  drop column valid_until,
  drop column source,
  drop column version;

drop index tenant_projects_created_at_idx;
drop trigger tenant_projects_keep_version on tenant_projects;
drop trigger tenant_projects_keep_slug on tenant_projects;
drop function registry.keep_project_slug();
alter table tenant_projects
  drop constraint tenant_projects_tenant_id_id_key,
  drop column labels,
  drop column archived_at,
  drop column version;
