drop index registry.audit_streams_changed_idx;
alter table registry.audit_streams drop column changed_in;
alter table registry.audit_streams reset (fillfactor);
create index audit_streams_changed_idx on registry.audit_streams (last_received_at, stream_id);
