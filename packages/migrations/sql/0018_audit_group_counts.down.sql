drop index audit_log_group_idx;
