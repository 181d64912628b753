drop function registry.release_tenant_events(uuid, integer);
drop table registry.legal_holds;
drop index tenants_purge_requested_at_idx;
alter table tenants
  drop column purge_after,
  drop column purge_requested_at,
  drop column purge_requested_by;
