-- audit_log_group_idx has all of it, and more.
drop index audit_log_group_time_idx;
