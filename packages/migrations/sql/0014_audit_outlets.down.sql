drop table registry.audit_drops;
drop table registry.audit_cuts;
drop function registry.audit_horizon(uuid);
drop function registry.audit_horizon();
drop index tenant_products_audit_days_idx;
drop function registry.audit_days(jsonb);
drop table registry.audit_retention;
drop index registry.audit_streams_changed_idx;
