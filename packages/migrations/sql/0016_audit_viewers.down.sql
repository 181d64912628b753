-- The keys stay, and open nothing without what they belong to.
drop table registry.audit_exports;
drop table registry.audit_enterprise_tokens;
drop table registry.audit_viewers;
