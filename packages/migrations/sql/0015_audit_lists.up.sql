-- migrate: each-partition audit_log

-- Lists of all tenants and products together.
create index audit_log_time_idx on audit_log (canonical_at desc, id desc);

-- What one product recorded for one tenant, however little of its log that is; and how much of it there is in one
-- environment and of some kinds, as far as it is still kept, which is counted in the index alone.
create index audit_log_stream_product_idx on audit_log (stream_id, product, canonical_at desc, id desc) include (environment, crud, received_at);
