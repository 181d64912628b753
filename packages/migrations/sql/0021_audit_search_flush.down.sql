drop function registry.flush_audit_search();
