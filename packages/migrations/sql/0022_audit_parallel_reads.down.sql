alter function registry.audit_horizon(text) parallel unsafe;
alter function registry.audit_horizon() parallel unsafe;
alter function registry.audit_floor(text) parallel unsafe;
alter function registry.audit_cutoffs(uuid, boolean) parallel unsafe;
alter function registry.audit_days(jsonb) parallel unsafe;
