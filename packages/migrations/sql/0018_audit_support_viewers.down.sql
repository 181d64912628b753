drop table registry.audit_support_exports;
drop table registry.audit_support_viewers;
