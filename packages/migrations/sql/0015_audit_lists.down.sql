drop index audit_log_stream_product_idx;
drop index audit_log_time_idx;
