-- migrate: each-partition audit_log

-- What a group's viewer counts: how long an event is kept goes by when it came in and by whose log it is in, and both
-- are read from the index alone.
create index audit_log_group_idx on audit_log (product, environment, group_id, canonical_at desc, id desc) include (crud, received_at, stream_id);
