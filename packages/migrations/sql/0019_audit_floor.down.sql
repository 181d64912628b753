create or replace function registry.audit_floor(wanted text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when bool_and(days is not null) then now() - make_interval(days => greatest(
    max(days),
    (select max(registry.audit_days(limits)) from public.tenant_products
      where product = wanted and registry.audit_days(limits) is not null)
  )) else '-infinity' end
  from registry.audit_retention where product = wanted
$$;
comment on function registry.audit_floor(text) is 'runtime: events of a product that came in before this moment are kept by no plan.';
