-- A statement that asks what no worker may be asked is done by one process: a count of a tenant's log, over two years of
-- months, took a fifth longer than it does with one worker. All of these only read.

alter function registry.audit_days(jsonb) parallel safe;
alter function registry.audit_cutoffs(uuid, boolean) parallel safe;
alter function registry.audit_floor(text) parallel safe;
alter function registry.audit_horizon() parallel safe;
alter function registry.audit_horizon(text) parallel safe;
